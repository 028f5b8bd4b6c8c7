/**
 * Class evidence: the channels of a layer whose scores separate a class best from all other labelled images, by the area under the ROC curve, read from the score matrix. No picture is looked at
 * again.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { evidenceTable } from '../experiments/tables.ts';
import { createPauses } from '../indexing/queries/blocks.ts';
import { deviationsAboveChance, selectivityOfColumn } from '../indexing/queries/selectivity.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { factsOfIndex } from './experimentSubject.ts';
import type { ExperimentNumbersOf, ExperimentSpecOf, ExperimentStudy } from './experimentStudy.ts';
import { findClass, imageClasses, named, requireClasses, type ImageClass } from './imageClasses.ts';
import { layerOf } from './indexing.ts';
import { channelColumns } from './layerSelectivity.ts';
import { createScoreRows } from './scoreRows.ts';

type EvidenceNumbers = ExperimentNumbersOf<'evidence'>;
type Request = Omit<ExperimentSpecOf<'evidence'>, 'kind'>;

const scoreRows = createScoreRows();

/** @throws AppError NOT_FOUND for a class or layer that the index has not got, and where it keeps no scores */
export async function evidenceOf(store: Store, request: Request, signal: AbortSignal, onChannel: (done: number, of: number) => void = () => undefined): Promise<EvidenceNumbers> {
  const { index, layer, classes, place } = await resolved(store, request);
  const classOf = await store.classes.ofImages(index.id, index.images);
  return scoreRows.layer(
    store,
    index,
    layer,
    async (rows) => {
      // The class, all others, and images without one.
      const classOfRow = Int32Array.from(rows.images, (number) => (classOf[number]! < 0 ? -1 : classOf[number] === place ? 0 : 1));
      const [images, others] = [0, 1].map((of) => classOfRow.filter((each) => each === of).length) as [number, number];
      if (images === 0 || others === 0) throw new AppError('NOT_FOUND', `Of class ${wordsOf(classes[place]!)} ${images} images are indexed, and ${others} of other classes; both are needed to tell them apart.`, { index: index.id });
      const channels: EvidenceNumbers['channels'][number][] = [];
      const pause = createPauses(signal);
      let channel = 0;
      for await (const column of channelColumns(rows)) {
        await pause();
        const { classes: found, images: counted } = await selectivityOfColumn(column, classOfRow, 2, signal);
        const [own, other] = [found.find((each) => each.class === 0), found.find((each) => each.class === 1)];
        if (own?.auc != null && other) channels.push({ channel, auc: own.auc, deviations: deviationsAboveChance(own.auc, own.images, counted), mean: own.mean, otherMean: other.mean });
        onChannel(++channel, rows.channels);
      }
      const best = channels.toSorted((a, b) => b.auc - a.auc || a.channel - b.channel);
      const worst = channels.filter(({ auc }) => auc < 0.5).sort((a, b) => a.auc - b.auc || a.channel - b.channel);
      return { kind: 'evidence', class: named(classes[place]!), layer: layer.number, layerName: layer.name, layerTitle: layer.title, images, of: images + others, channels: best.slice(0, request.limit), against: worst.slice(0, request.limit) };
    },
    signal,
  );
}

export const evidenceStudy: ExperimentStudy<'evidence'> = {
  async complete({ store }, spec) {
    const { index, layer, classes, place } = await resolved(store, spec);
    const { index: number, wnid } = classes[place]!;
    return {
      spec: { ...spec, class: wnid ?? String(number), layer: layer.number },
      title: `Evidence for ${wordsOf(classes[place]!)} in ${layer.title}`,
      modelName: index.modelName,
      imagesPath: index.imagesPath,
      facts: [...factsOfIndex(index), index.cursor],
    };
  },
  async run({ store, spec, signal, report }) {
    const { index } = await resolved(store, spec);
    const numbers = await evidenceOf(store, spec, signal, (done, of) => report(done, of, 'channels'));
    const caption =
      `Channels of ${numbers.layerTitle} (${numbers.layerName}) of ${index.modelName} (${index.modelHash.slice(0, 16)}) by how well their scores tell ${wordsOf(numbers.class)} (${numbers.images} images) from ${numbers.of - numbers.images} images of other classes: ` +
      `area under the ROC curve, ties counted half, and its distance from chance in standard deviations; means of the scores of both. Index ${index.id}, ${index.cursor - index.skipped} images.`;
    return { numbers, caption, notes: index.cursor < index.images ? [`Only ${index.cursor} of ${index.images} images are indexed so far.`] : [] };
  },
  show: (numbers) => ({ charts: [], tables: evidenceTable(numbers) }),
};

async function resolved(store: Store, { index: id, class: wish, layer }: Request): Promise<{ readonly index: StoredIndex; readonly layer: Layer; readonly classes: readonly ImageClass[]; readonly place: number }> {
  const index = await store.indexes.get(id as IndexId);
  const classes = await imageClasses(store, index);
  requireClasses(classes, index.id);
  const most = Math.max(...classes.map(({ images }) => images));
  const place = wish === undefined ? classes.findIndex(({ images }) => images === most) : findClass(classes, wish, index.id);
  return { index, classes, place, layer: layer === undefined ? lastHidden(index) : layerOf(index, layer) };
}

/** The last layer whose channels are not simply the classes. */
function lastHidden({ layers }: StoredIndex): Layer {
  const last = layers.at(-1)!;
  return layers.findLast(({ channels }) => channels !== last.channels) ?? last;
}

function wordsOf({ index, name, wnid }: Pick<ImageClass, 'index' | 'name' | 'wnid'>): string {
  return name ?? wnid ?? `class ${index}`;
}
