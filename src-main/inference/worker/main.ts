/**
 * Entry of the inference process. Runs one call at a time, what a person waits for first, but so that an index that runs beside it keeps two thirds of
 * the time; a cancelled call that has not begun is dropped. It ends when the core's channel closes, so that no process of ours survives the core on
 * any exit path.
 */
import { constants, setPriority } from 'node:os';
import { AppError, toPlainError } from '../../../src-shared/errors.ts';
import { createCalls } from './calls.ts';
import type { CallName, FromWorker, ToWorker } from './protocol.ts';

interface Waiting {
  readonly id: number;
  readonly name: CallName;
  readonly parameters: unknown;
  readonly controller: AbortController;
}

/** Lower goes first: looking comes before indexing. */
const priority: Record<CallName, number> = { availability: 0, inspect: 0, draw: 0, export: 0, layers: 0, project: 1, measureBatch: 2, score: 3 };

/** For each millisecond of projecting, an index that waits gets this many before the next projection. */
const indexShare = 2;
let owedToIndexMs = 0;

// Computing takes every core; the core process, which answers the person, goes first. (A system may refuse; then nothing changes.)
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {}

const calls = createCalls();
const waiting: Waiting[] = [];
let current: Waiting | undefined;

function send(message: FromWorker): void {
  process.send?.(message);
}

async function work(): Promise<void> {
  if (current) return;
  for (;;) {
    current = takeNext();
    if (!current) return;
    const { id, name, parameters, controller } = current;
    const startMs = performance.now();
    try {
      if (controller.signal.aborted) throw new AppError('CANCELLED', 'Cancelled.');
      const result = await calls[name](parameters as never, controller.signal);
      send({ kind: 'result', id, result });
    } catch (error) {
      const plain = toPlainError(error);
      if (plain.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      send({ kind: 'error', id, error: plain });
    }
    const tookMs = performance.now() - startMs;
    if (name === 'project') owedToIndexMs += tookMs * indexShare;
    if (name === 'score') owedToIndexMs = Math.max(0, owedToIndexMs - tookMs);
    // Messages that came while native code blocked the loop are read before the next call is chosen.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function takeNext(): Waiting | undefined {
  waiting.sort((a, b) => priority[a.name] - priority[b.name] || a.id - b.id);
  const scoring = waiting.findIndex((call) => call.name === 'score');
  if (scoring < 0) owedToIndexMs = 0;
  const isIndexDue = owedToIndexMs > 0 && priority[waiting[0]?.name ?? 'score'] >= priority.project;
  return waiting.splice(isIndexDue ? scoring : 0, 1)[0];
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'cancel') {
    (current?.id === message.id ? current : waiting.find((call) => call.id === message.id))?.controller.abort();
    return;
  }
  waiting.push({ id: message.id, name: message.name, parameters: message.parameters, controller: new AbortController() });
  void work();
});
process.on('disconnect', () => process.exit(0));
send({ kind: 'ready' });
