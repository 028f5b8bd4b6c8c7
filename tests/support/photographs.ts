/** Folders of real photographs for tests, made of symbolic links, so that nothing is copied. */
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { dataPath } from './testData.ts';

export const squeezenet = 'models/squeezenet1.1.onnx';
export const photographs = 'photos/imagenet-samples';

/** Makes `folder` with links to the first `count` photographs by name; returns their names in that order. */
export function linkPhotographs(folder: string, count: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort().slice(0, count);
  for (const name of names) symlinkSync(dataPath(`${photographs}/${name}`), join(folder, name));
  return names;
}
