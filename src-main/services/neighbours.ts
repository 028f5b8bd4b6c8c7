/**
 * The images of an index that are nearest to a picture, by a layer's features and by the pixels of small pictures (method.md section 9; cs231n shows both beside each other). Every image is
 * looked at, but by the features of many images, once there is an index over them (neighbourIndexes.ts).
 */
import type * as z from 'zod';
import type { metric as metrics, neighboursAnswer } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { resizePixels } from '../dataset/picture.ts';
import { nearestRows } from '../features/neighbours/nearestRows.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { thumbnailSize } from './featurePlan.ts';
import { nearestPixels } from './nearestPixels.ts';
import type { NeighbourIndexes } from './neighbourIndexes.ts';
import { createFeatureRows, featuresFile, needsFeatures, pixelsFile, rowImages, type FeatureChoice, type FeatureRows, type OpenRows } from './featureRows.ts';
import { parseReference, subjectOfIndex, type PictureSource, type SeenPicture } from './labSubject.ts';
import { rowOf } from './scoreRows.ts';
import { wayOf } from './scoringFor.ts';
import type { WorkspaceService } from './workspaces.ts';

export type Neighbours = z.infer<typeof neighboursAnswer>;

export interface NeighbourRequest extends FeatureChoice {
  readonly metric: z.infer<typeof metrics>;
  readonly k: number;
}

export interface NeighbourService {
  /** @param picture a picture's address, as the lab has it. @throws AppError NOT_FOUND with `needsFeatures` where the features are not there */
  nearest(request: NeighbourRequest & { readonly picture: string }, signal?: AbortSignal): Promise<Neighbours>;
  /** The same of a picture in hand. */
  nearestTo(request: NeighbourRequest, picture: SeenPicture, signal?: AbortSignal): Promise<Neighbours>;
}

interface Asked {
  readonly name: string;
  /** Of the index's own; -1 for a given picture. */
  readonly row: number;
  features(source: OpenRows): Promise<Float32Array>;
  pixels(source: OpenRows): Promise<Uint8Array>;
}

export function createNeighbourService(workspaces: WorkspaceService, inference: InferenceClient, pictures: PictureSource, indexes: NeighbourIndexes): NeighbourService {
  const rows: FeatureRows = createFeatureRows();

  async function find(request: NeighbourRequest, ask: (store: Store, index: StoredIndex, images: Int32Array) => Promise<Asked>, signal: AbortSignal | undefined): Promise<Neighbours> {
    const { store } = workspaces.required();
    const index = await store.indexes.get(request.index as IndexId);
    const features = await rows.open(store, index, featuresFile(request));
    if (!features) throw needsFeatures(request);
    try {
      const images = await rowImages(store, index);
      const asked = await ask(store, index, images);
      const { k, metric } = request;
      const query = await asked.features(features);
      const approximate = await indexes.nearest(features, query, { k, metric, except: asked.row });
      signal?.throwIfAborted();
      const byFeatures = approximate ?? (await nearestRows(features, query, { k, metric, except: asked.row, ...(signal ? { signal } : {}) }));
      const byPixels = async (source: OpenRows) => nearestPixels({ rows: source.rows, read: source.readBytes }, await asked.pixels(source), { width: source.dimensions, k, metric, except: asked.row, signal });
      const pixels = await rows.open(store, index, pixelsFile);
      try {
        const [small, narrow] = thumbnailSize(index.preprocessing.crop);
        return {
          name: asked.name,
          features: await listed(store, index, images, byFeatures),
          pixels: pixels ? await listed(store, index, images, await byPixels(pixels)) : [],
          exact: approximate === null,
          index: await indexes.state(features.file, metric),
          images: images.length,
          featureSpace: `${features.file.title}${poolingWords[request.pooling]}, ${features.dimensions} numbers, ${metricWords[request.metric]}`,
          pixelSpace: `the network's input at ${small} x ${narrow} pixels, ${metricWords[request.metric]}`,
        };
      } finally {
        await pixels?.close();
      }
    } finally {
      await features.close();
    }
  }

  async function given(request: NeighbourRequest, index: StoredIndex, store: Store, { name, pixels }: SeenPicture, signal: AbortSignal | undefined): Promise<Asked> {
    const { crop } = index.preprocessing;
    return {
      name,
      row: -1,
      async features() {
        const subject = await subjectOfIndex(inference, store, index, signal);
        const { name: value } = await subject.layer(request.layer);
        const { engine, device, batchSize: batch } = wayOf(index);
        const filled = new Uint8Array(batch * pixels.length);
        for (let row = 0; row < batch; row++) filled.set(pixels, row * pixels.length);
        const found = await inference.call('features', { ...subject.network, placement: { engine, device }, values: [value], pooling: request.pooling, batch, pixels: filled }, signal);
        return found[0]!.slice(0, found[0]!.length / batch);
      },
      async pixels() {
        const [small, narrow] = thumbnailSize(crop);
        return (await resizePixels({ pixels, width: crop[1], height: crop[0], channels: 3 }, narrow, small)).pixels;
      },
    };
  }

  return {
    nearest: (request, signal) =>
      find(
        request,
        async (store, index, images) => {
          const { kind, number } = parseReference(request.picture);
          if (kind === 'given') return given(request, index, store, await pictures.picture(store, index, request.picture, signal), signal);
          const { path, skipped } = await store.images.get(index.id, number);
          const row = rowOf(images, number);
          if (row < 0) throw new AppError('NOT_FOUND', `${path} has no features: ${skipped ?? 'it is not indexed yet; resume the index'}`, { image: path });
          return { name: path, row, features: async (source) => source.read(row, 1), pixels: (source) => source.readBytes(row, 1) };
        },
        signal,
      ),
    nearestTo: (request, picture, signal) => find(request, (store, index) => given(request, index, store, picture, signal), signal),
  };
}

const metricWords = { l2: 'Euclidean distance', cosine: 'cosine distance' } as const;
export const poolingWords = { mean: ' (mean of each channel)', max: ' (maximum of each channel)', flat: '' } as const;

async function listed(store: Store, index: StoredIndex, numbers: Int32Array, { rows, distances }: { readonly rows: Int32Array; readonly distances: Float32Array }): Promise<Neighbours['features'][number][]> {
  const wanted = Array.from(rows, (row) => numbers[row]!);
  const images = await store.images.several(index.id, wanted);
  return wanted.map((number, at) => ({ imageNumber: number, image: images.get(number)!.path, className: images.get(number)!.className, distance: distances[at]! }));
}
