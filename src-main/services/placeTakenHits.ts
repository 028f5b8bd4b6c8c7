/**
 * Where in their images the hits are that a rescan took over from old rows: the old hits know, if the image was in that list before; else the image is run once more, as the index was
 * made to be computed: only rows of that way are taken over. Where that device fails another finds the place, which changes no row and so is not recorded.
 */
import { AppError } from '../../src-shared/errors.ts';
import { repeatInto } from '../indexing/segments.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { IndexRun } from './indexJob.ts';
import { openImageSource } from './imageSource.ts';
import { firstWayOf, scoringFor } from './scoringFor.ts';

/** @param pass complete but for positions */
export async function placeTakenHits({ store, inference, progress, signal }: IndexRun, pass: StoredIndex, base: StoredIndex): Promise<void> {
  await store.hits.placeFromSource(pass.id, base.id);
  const note = (text: string) => progress.report(pass.images, pass.images, text);
  const scoring = scoringFor({ inference, index: pass, way: firstWayOf(pass), note, changed: async () => undefined });
  const source = await openImageSource(pass);
  const [height, width] = pass.preprocessing.crop;
  const pictureBytes = height * width * 3;
  const layerAt = new Map(pass.layers.map((layer, at) => [layer.number, { layer, at }]));
  for (;;) {
    const hits = await store.hits.unplaced(pass.id, pass.batchSize);
    if (hits.length === 0) return;
    note('finding where images that moved up are excited');
    const numbers = [...new Set(hits.map(({ image }) => image))];
    const pixels = new Uint8Array(pass.batchSize * pictureBytes);
    await Promise.all(
      numbers.map(async (number, row) => {
        const image: StoredImage = await store.images.get(pass.id, number);
        const decoded = await source.decode(image, signal).catch((error: unknown) => {
          if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
          throw new AppError('CONFLICT', `The image ${image.path} was changed or removed during the rescan (${error.message}). Rescan again.`, { image: image.path }, error);
        });
        pixels.set(decoded.pixels, row * pictureBytes);
      }),
    );
    repeatInto(pixels, pictureBytes, numbers.map(() => true));
    const { layers: scores } = await scoring.score(pixels, numbers[0]!, signal);
    await store.hits.place(
      pass.id,
      hits.map(({ image, layer: number, channel, rank }) => {
        const { layer, at } = layerAt.get(number)!;
        const position = scores[at]!.position[numbers.indexOf(image) * layer.channels + channel]!;
        return { layer: number, channel, rank, y: Math.floor(position / layer.width), x: position % layer.width };
      }),
    );
  }
}
