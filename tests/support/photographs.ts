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

/** Makes `folder` with `count` links to photographs, listed again under other names where there are not enough; returns the names in order. */
export function listPhotographs(folder: string, count: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort();
  return Array.from({ length: count }, (_, at) => {
    const listed = `${String(Math.floor(at / names.length)).padStart(4, '0')}_${names[at % names.length]!}`;
    symlinkSync(dataPath(`${photographs}/${names[at % names.length]!}`), join(folder, listed));
    return listed;
  });
}
