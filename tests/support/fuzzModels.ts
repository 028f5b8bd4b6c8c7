/**
 * Opens damaged copies of model files, in a process of its own: node fuzzModels.ts COUNT SEED FILE... Prints one JSON line with what was seen.
 * The files beside each model are linked beside its damaged copy, and now and then one of them is damaged instead.
 */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { openModel } from '../../src-main/importers/open.ts';
import { AppError } from '../../src-shared/errors.ts';
import { seededRandom } from './graphs.ts';
import { mutate } from './mutations.ts';

export interface FuzzReport {
  readonly opened: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Anything but an AppError, with the damage that led to it. */
  readonly failures: readonly string[];
  readonly slowest: { readonly milliseconds: number; readonly what: string };
  readonly peakBytes: number;
}

/** Larger files would make a run slow without reaching other code. */
const largestFileBytes = 32 * 2 ** 20;

const [count, seed] = process.argv.slice(2, 4).map(Number) as [number, number];
const files = process.argv.slice(4).filter((path) => statSync(path).size <= largestFileBytes);
const random = seededRandom(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const root = mkdtempSync(join(tmpdir(), 'switchback-fuzz-'));
const contents = new Map<string, Uint8Array>();
const read = (path: string): Uint8Array => {
  const known = contents.get(path) ?? new Uint8Array(readFileSync(path));
  contents.set(path, known);
  return known;
};

const refused: Record<string, number> = {};
const failures: string[] = [];
let opened = 0;
let slowest = { milliseconds: 0, what: '' };
let peakBytes = 0;
for (let run = 0; run < count; run++) {
  const path = pick(files);
  const folder = join(root, String(run));
  mkdirSync(folder);
  const beside = readdirSync(dirname(path), { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== basename(path)).map((entry) => entry.name);
  for (const name of beside) placed(join(dirname(path), name), join(folder, name));
  const damagesBeside = beside.length > 0 && random() < 0.2;
  const damaged = damagesBeside ? join(dirname(path), pick(beside)) : path;
  const { kind, bytes } = mutate(read(damaged), read(pick(files)), random);
  if (damagesBeside) placed(path, join(folder, basename(path)));
  rmSync(join(folder, basename(damaged)), { force: true });
  writeFileSync(join(folder, basename(damaged)), bytes);
  const what = `run ${run} of seed ${seed}: ${kind} of ${basename(damaged)}, opened ${basename(path)}`;
  const start = performance.now();
  try {
    await openModel(join(folder, basename(path)), { inputSize: [64, 64] });
    opened++;
  } catch (error) {
    if (error instanceof AppError && error.code !== 'INTERNAL') refused[error.code] = (refused[error.code] ?? 0) + 1;
    else failures.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const milliseconds = performance.now() - start;
  if (milliseconds > slowest.milliseconds) slowest = { milliseconds, what };
  peakBytes = Math.max(peakBytes, process.resourceUsage().maxRSS * 1024);
  rmSync(folder, { recursive: true });
}
rmSync(root, { recursive: true });
console.log(JSON.stringify({ opened, refused, failures: failures.slice(0, 20), slowest, peakBytes } satisfies FuzzReport));

function placed(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}
