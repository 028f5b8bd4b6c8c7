/** A small index for tests of maps: forty pictures in five class folders, each class of a colour of its own, and the small classifier over them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import type { Services } from '../../src-main/services/services.ts';
import { temporaryFolder } from './commandLine.ts';
import { seededRandom } from './graphs.ts';
import { smallClassifierPreprocessing, writeSmallClassifier } from './labNetwork.ts';
import { openServices } from './openServices.ts';

const colours = [[220, 60, 50], [60, 200, 70], [50, 70, 220], [210, 200, 60], [40, 40, 40]] as const;
export const mapClasses = ['ant', 'bee', 'cat', 'dog', 'elk'] as const;

/** A picture of 12 x 12, as PNG. */
export function colourfulPicture(class_: number, random: () => number): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, (_, at) => Math.max(0, Math.min(255, colours[class_]![at % 3]! + 70 * (random() - 0.5))));
  return encodePng(pixels, 12, 12, 3);
}

/** `images/ant/0.png` and so on, and `net.onnx`, in a folder. */
export async function writeMapNetwork(home: string, perClass = 8): Promise<void> {
  writeSmallClassifier(join(home, 'net.onnx'));
  const random = seededRandom(5);
  for (const [class_, name] of mapClasses.entries()) {
    mkdirSync(join(home, 'images', name), { recursive: true });
    for (let number = 0; number < perClass; number++) writeFileSync(join(home, 'images', name, `${number}.png`), await colourfulPicture(class_, random));
  }
}

/** Indexes a folder of pictures with the classifier; the index's id. Another `top` makes another index. */
export async function indexMapNetwork(services: Services, home: string, { images = 'images', matrix = 'float32', top = 9 }: { readonly images?: string; readonly matrix?: 'float32' | 'none'; readonly top?: number } = {}): Promise<string> {
  const { index, jobId } = await services.indexing.start({ modelPath: join(home, 'net.onnx'), imagesPath: join(home, images), preprocessing: smallClassifierPreprocessing, top, engine: 'onnxruntime', device: 'cpu', batch: 4, matrix });
  if (jobId) await services.workspaces.required().queue.ended(jobId);
  return index;
}

export interface MapBench {
  readonly home: string;
  readonly services: Services;
  readonly index: string;
}

/** The index above with the services over it, for all tests of a file. */
export function useMapBench(word: string): MapBench {
  const home = temporaryFolder(word);
  const bench = { home, services: undefined as unknown as Services, index: '' };
  beforeAll(async () => {
    await writeMapNetwork(home);
    bench.services = await openServices(home, join(home, 'work'));
    bench.index = await indexMapNetwork(bench.services, home);
  }, 120_000);
  afterAll(async () => {
    await bench.services?.close();
    rmSync(home, { recursive: true, force: true });
  });
  return bench;
}
