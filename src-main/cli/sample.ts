/** `switchback sample`: draws the sample images, in class folders. */
import { Command } from 'commander';
import { drawSampleFolder } from '../services/sample.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';

export function sampleCommand(session: Session): Command {
  return new Command('sample')
    .description('draw the sample images: textures, things and small scenes in class folders')
    .requiredOption('--out <folder>', 'where they go; what is there already is kept')
    .option('--seed <n>', 'other pictures of the same classes', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--per-class <n>', 'pictures of each class', wholeNumber(1, 999), 90)
    .option('--json', 'one JSON object')
    .action(async ({ out, seed, perClass, json }: { out: string; seed: number; perClass: number; json?: boolean }) => {
      const startMs = performance.now();
      const folder = await drawSampleFolder(out, { seed, perClass, onProgress: (done, of) => session.progress(`${done} of ${of} pictures`) }, session.signal);
      const seconds = Math.round((performance.now() - startMs) / 100) / 10;
      if (json) return session.json({ out, classes: folder.classes, images: folder.images, drawn: folder.drawn, seconds });
      session.line(`${out}: ${folder.images} pictures of ${folder.classes.length} classes, ${folder.drawn} drawn in ${seconds} s`);
    });
}
