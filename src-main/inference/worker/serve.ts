/**
 * The inference process's side of its channel: runs one call at a time, what a person waits for first, but so that an index or a training that runs beside it keeps
 * two thirds of the time; a cancelled call that has not begun is dropped. The process ends when the channel closes, so that none of ours survives the
 * core on any exit path.
 */
import { Worker } from 'node:worker_threads';
import { AppError, toPlainError, type PlainError } from '../../../src-shared/errors.ts';
import type { Calls } from './calls.ts';
import { speaksOfMemory } from './outOfMemory.ts';
import type { BatchScores, FromWorker, NextWork, ToWorker } from './protocol.ts';
import { letGoScores } from './score.ts';
import { createTurns, type WaitingCall } from './turns.ts';

interface Waiting extends WaitingCall {
  readonly controller: AbortController;
}

/** Signs of life are not sent more often, unless they say something new. */
const aliveMs = 100;

/** `makeCalls` is handed the sign of life that it gives before and after each piece of work. */
export function serve(makeCalls: (alive: (next: NextWork) => void) => Calls): void {
  const turns = createTurns<Waiting>();
  let current: Waiting | undefined;
  let last: { readonly id: number; readonly next: NextWork; readonly atMs: number } | undefined;
  const calls = makeCalls((next) => {
    const atMs = performance.now();
    if (!current || (last?.id === current.id && last.next === next && atMs - last.atMs < aliveMs)) return;
    last = { id: current.id, next, atMs };
    send({ kind: 'alive', id: current.id, next });
  });

  async function work(): Promise<void> {
    if (current) return;
    for (;;) {
      current = turns.next();
      if (!current) return;
      const { id, name, parameters, controller } = current;
      const startMs = performance.now();
      send({ kind: 'began', id, name });
      try {
        if (controller.signal.aborted) throw new AppError('CANCELLED', 'Cancelled.');
        const result = await calls[name](parameters as never, controller.signal);
        send({ kind: 'result', id, result, residentBytes: process.memoryUsage.rss() });
        if (name === 'score') letGoScores(result as BatchScores);
      } catch (error) {
        const plain = plainErrorOf(error);
        if (plain.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        send({ kind: 'error', id, error: plain, residentBytes: process.memoryUsage.rss() });
      }
      turns.took(name, performance.now() - startMs);
      // Messages that came while native code blocked the loop are read before the next call is chosen.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  process.on('message', (message: ToWorker) => {
    if (message.kind === 'cancel') {
      (current?.id === message.id ? current : turns.find(message.id))?.controller.abort();
      return;
    }
    turns.add({ id: message.id, name: message.name, parameters: message.parameters, controller: new AbortController() });
    void work();
  });
  process.on('disconnect', () => process.exit(0));
  guardAgainstOrphans();
  send({ kind: 'ready' });
}

function send(message: FromWorker): void {
  process.send?.(message);
}

function plainErrorOf(error: unknown): PlainError {
  const plain = toPlainError(error);
  const isUnnamed = plain.code === 'INTERNAL' || plain.code === 'UNAVAILABLE' || plain.code === 'UNSUPPORTED';
  return isUnnamed && speaksOfMemory(plain.message) ? { ...plain, code: 'OUT_OF_MEMORY' } : plain;
}

/** Native code that hangs lets no message in, the closing of the channel neither: a thread beside it notices that the core is gone. */
function guardAgainstOrphans(): void {
  // Told by the core: on a busy machine it may be gone before anything here could ask who it is. Where a system does not give an orphan another parent, the number is of no process.
  const parent = Number(process.env['SWITCHBACK_CORE_PROCESS'] ?? process.ppid);
  const program = `
    const parent = ${parent};
    setInterval(() => {
      try {
        if (process.ppid === parent) return process.kill(parent, 0);
      } catch {}
      process.kill(process.pid, 'SIGKILL');
    }, 2000);`;
  new Worker(program, { eval: true }).unref();
}
