/** Where the parts of Switchback lie, seen from an entry file: the same whether it runs from out/main or from the sources. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Place {
  readonly version: string;
  readonly workerEntry: string;
  /** The built interface. */
  readonly interfaceFolder: string;
  /** Whose work is shipped, as the build lists it; missing where nothing was built. */
  readonly licencesFile: string;
  /** Checkpoints of the sample network and their record; missing in a copy that came without them. */
  readonly sampleFolder: string;
}

/** `entry`: import.meta.url of an entry file, which stands two folders below the project's root in both cases. */
export function placeOf(entry: string): Place {
  const path = (relative: string) => fileURLToPath(new URL(relative, entry));
  const { version } = JSON.parse(readFileSync(path('../../package.json'), 'utf8')) as { version: string };
  return {
    version,
    workerEntry: path(entry.endsWith('.ts') ? '../inference/worker/main.ts' : './worker.js'),
    interfaceFolder: path('../../out/renderer'),
    licencesFile: path('../../out/licences.json'),
    sampleFolder: path('../../resources/sample'),
  };
}
