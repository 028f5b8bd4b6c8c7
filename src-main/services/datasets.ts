/** A first look at an image folder: what a scan finds, before anything is decoded. */
import { resolve } from 'node:path';
import { classOf, scanImages } from '../dataset/scan.ts';

export interface DatasetSummary {
  readonly path: string;
  readonly images: number;
  readonly ignored: number;
  readonly classes: number;
  readonly sample: string[];
}

export interface DatasetService {
  scan(path: string, signal?: AbortSignal): Promise<DatasetSummary>;
}

export function createDatasetService(): DatasetService {
  return {
    async scan(path, signal) {
      const found = await scanImages(resolve(path), signal);
      const classes = new Set(found.images.map((image) => classOf(image.path)).filter((name) => name !== null));
      return { path: found.root, images: found.images.length, ignored: found.ignored, classes: classes.size, sample: found.images.slice(0, 12).map((image) => image.path) };
    },
  };
}
