/** `switchback neighbours`: the images of an index that are nearest to a picture, by a layer's features and by pixels. The picture is looked at before anything long begins. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { metrics, poolings } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Pooling } from '../services/featureRows.ts';
import type { Services } from '../services/services.ts';
import { pictureOfFile } from '../services/labSubject.ts';
import type { NeighbourRequest, Neighbours } from '../services/neighbours.ts';
import { chosenIndex } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { waitForJob } from './waitForJob.ts';

interface NeighbourFlags {
  readonly workspace: string;
  readonly image: string;
  readonly layer?: string;
  readonly pool: Pooling;
  readonly metric: NeighbourRequest['metric'];
  readonly k: number;
  readonly index?: string;
  readonly buildIndex?: boolean;
  readonly json?: boolean;
}

export function neighboursCommand(session: Session): Command {
  return new Command('neighbours')
    .description('the nearest images of an index to a picture: by features, which are computed where they are missing, and by pixels')
    .requiredOption('--workspace <folder>')
    .requiredOption('--image <file>', 'a file, or the path of an image within the index')
    .option('--layer <name>', 'by name or title; the last before the class scores if absent')
    .addOption(new Option('--pool <pooling>').choices([...poolings]).default('mean'))
    .addOption(new Option('--metric <metric>').choices([...metrics]).default('l2'))
    .option('-k, --k <n>', 'how many', wholeNumber(1, 1000), 12)
    .option('--index <id>', 'the newest if absent')
    .option('--build-index', 'of very many images: first build the index of neighbours, once (about a minute for 100,000 images with 50 numbers each); without it every image is looked at')
    .option('--json', 'one JSON object')
    .action(async (flags: NeighbourFlags) => {
      const services = await session.workspace(flags.workspace, { mode: 'write' });
      const index = await chosenIndex(services, flags.index);
      const nearest = await pictureMeant(services, index, flags.image, session.signal);
      const layer = flags.layer ?? (await lastHidden());
      const { features, jobId } = await services.features.compute({ index, layer, pooling: flags.pool }, session.signal);
      if (jobId) await waitForJob(session, services, jobId);
      const record = (await services.features.list(index)).find(({ id }) => id === features)!;
      const request: NeighbourRequest = { index, layer: record.layer, pooling: flags.pool, metric: flags.metric, k: flags.k };
      if (flags.buildIndex) await built(request);
      const found = await nearest(request);
      if (flags.json) return session.json({ layer: record.layer, pooling: flags.pool, metric: flags.metric, ...found });
      session.line(`${found.name} among ${found.images} images`);
      tell(`By features: ${found.featureSpace}${found.exact ? '' : ', found through the index of neighbours: nearly all of the true nearest'}`, found.features);
      tell(`By pixels: ${found.pixelSpace}`, found.pixels);
      if (found.index.kind === 'absent') session.note(`Every image was looked at. With --build-index an index of neighbours is built, once, in about ${found.index.seconds} s and ${(found.index.bytes / 1e6).toFixed(1)} MB; then only a part of them is.`);
      if (found.index.kind === 'refused') session.note(found.index.reason);

      async function built(choice: NeighbourRequest): Promise<void> {
        const { jobId: building } = await services.neighbourIndexes.build(choice);
        if (building) await waitForJob(session, services, building);
      }

      async function lastHidden(): Promise<string> {
        const { layers } = await services.lab.layers(index, session.signal);
        return (layers.at(-2) ?? layers.at(-1)!).name;
      }
    });

  function tell(heading: string, neighbours: Neighbours['features']): void {
    session.line(heading);
    session.line(table(['rank', 'image', 'class', 'distance'], neighbours.map(({ image, className, distance }, at) => [String(at + 1), image, className ?? '-', distance.toPrecision(5)])));
  }
}

type Nearest = (request: NeighbourRequest) => Promise<Neighbours>;

/** An image of the index by its path there, else a file. */
async function pictureMeant({ workspaces, neighbours }: Services, index: string, image: string, signal?: AbortSignal): Promise<Nearest> {
  const { store } = workspaces.required();
  const stored = await store.indexes.get(index as IndexId);
  const own = await store.images.findByPath(stored.id, image);
  if (own?.skipped) throw new AppError('UNREADABLE_FILE', `${own.path} of index ${index} could not be read: ${own.skipped} Choose another image.`, { image: own.path });
  if (own) return (request) => neighbours.nearest({ ...request, picture: `image-${own.number}` }, signal);
  const file = resolve(image);
  const found = image === '' ? null : await stat(file).catch(() => null);
  const [example] = await store.images.page(stored.id, 0, 1);
  const instead = `Give a picture's file, or the path of an image as index ${index} lists it${example ? ` (such as ${example.path})` : ''}.`;
  if (!found) throw new AppError('NOT_FOUND', `${image === '' ? '--image names nothing' : `There is no file ${file}, and no image ${JSON.stringify(image)} in the index`}. ${instead}`, { file });
  if (!found.isFile()) throw new AppError('BAD_REQUEST', `${file} is ${found.isDirectory() ? 'a folder' : 'no ordinary file'}. ${instead}`, { file });
  const picture = await pictureOfFile(file, stored.preprocessing, signal);
  return (request) => neighbours.nearestTo(request, picture, signal);
}
