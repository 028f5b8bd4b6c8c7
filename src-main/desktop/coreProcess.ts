/**
 * The life of the core: a plain Node process of its own (design.md section 1 says why), started with a secret token in its environment. It says on stdout
 * where it listens, ends when its stdin closes (so it never outlives the desktop, however that ended), and is started again with growing pauses if it dies.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { AppError } from '../../src-shared/errors.ts';

export interface CoreAddress {
  readonly port: number;
  readonly token: string;
}

export interface CoreOptions {
  /** Program of the pinned Node. */
  readonly node: string;
  /** The core's entry file and its arguments. */
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Longest wait for the line that says where the core listens. */
  readonly readyLimitMs?: number;
  /** Time between closing stdin and a kill. */
  readonly stopLimitMs?: number;
  /** Pause before restart n (from 0). */
  readonly restartPauseMs?: (attempt: number) => number;
  /** Starts in a row that fail before it gives up. */
  readonly attempts?: number;
  /** What the core writes to stderr, line by line. */
  readonly onLog?: (line: string) => void;
  /** The core will not come back: the reason for the person. */
  readonly onGaveUp?: (error: AppError) => void;
}

export interface CoreProcess {
  /** Where the running core listens; waits while it starts. Rejects with AppError UNAVAILABLE once it was given up or stopped. */
  address(): Promise<CoreAddress>;
  /** Ends the core and waits until it is gone. */
  stop(): Promise<void>;
}

const keptLogLines = 12;

/** Starts the core and keeps it running until `stop`. */
export function startCore(options: CoreOptions): CoreProcess {
  return new SupervisedCore(options);
}

class SupervisedCore implements CoreProcess {
  readonly #options: CoreOptions;
  #ready = Promise.withResolvers<CoreAddress>();
  #child: ChildProcess | undefined;
  #failures = 0;
  #stopped = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#begin();
  }

  address(): Promise<CoreAddress> {
    return this.#ready.promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    this.#reject(new AppError('UNAVAILABLE', 'The core was stopped because Switchback is closing.'));
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.stdin?.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopLimitMs ?? 5000);
    await gone;
    clearTimeout(timer);
  }

  #begin(): void {
    const token = randomBytes(32).toString('base64url');
    const { node, args, environment = process.env, readyLimitMs = 30_000 } = this.#options;
    const child = spawn(node, [...args], {
      env: {
        // Decoding pictures waits in libuv's threads, and their number can be set only from outside.
        UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
        ...environment,
        SWITCHBACK_TOKEN: token,
        ELECTRON_RUN_AS_NODE: undefined,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    const log: string[] = [];
    const timer = setTimeout(() => {
      log.push(`did not say within ${readyLimitMs / 1000} s where it listens`);
      child.kill('SIGKILL');
    }, readyLimitMs);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = parseStartMessage(line);
      if (message === undefined) return;
      if (message.kind === 'failed') {
        log.push(message.reason);
        return;
      }
      clearTimeout(timer);
      this.#failures = 0;
      this.#ready.resolve({ port: message.port, token });
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line);
      if (log.length > keptLogLines) log.shift();
      this.#options.onLog?.(line);
    });
    // A core that died leaves a broken pipe behind; its end is reported by `close`.
    child.stdin.on('error', () => {});
    child.on('error', (error) => log.push(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      this.#ended(code === null ? `ended by ${signal}` : `ended with code ${code}`, log);
    });
  }

  #ended(how: string, log: readonly string[]): void {
    if (this.#stopped) return;
    const { attempts = 5, restartPauseMs = growingPause } = this.#options;
    const failures = this.#failures;
    this.#failures += 1;
    if (this.#failures >= attempts) {
      const last = log.at(-1);
      const error = new AppError('UNAVAILABLE', `The core ${how} ${attempts} times in a row${last === undefined ? '' : `; its last words were: ${last}`}. Restart Switchback, or run "switchback doctor".`, {
        log: log.join('\n'),
      });
      this.#reject(error);
      this.#options.onGaveUp?.(error);
      return;
    }
    // Whoever asks from now on waits for the next start; whoever still waits goes on waiting for it.
    const previous = this.#ready;
    this.#ready = Promise.withResolvers<CoreAddress>();
    this.#ready.promise.then(previous.resolve, previous.reject);
    this.#restart = setTimeout(() => this.#begin(), restartPauseMs(failures));
  }

  #reject(error: AppError): void {
    const refused = Promise.withResolvers<CoreAddress>();
    refused.promise.catch(() => {});
    this.#ready.promise.catch(() => {});
    this.#ready.reject(error);
    refused.reject(error);
    this.#ready = refused;
  }
}

function growingPause(attempt: number): number {
  return Math.min(250 * 2 ** attempt, 8000);
}

type StartMessage = { readonly kind: 'ready'; readonly port: number } | { readonly kind: 'failed'; readonly reason: string };

const startMessage = z.union([
  z.object({ ready: z.literal(true), port: z.int().min(1).max(65_535) }).transform(({ port }): StartMessage => ({ kind: 'ready', port })),
  z.object({ ready: z.literal(false), error: z.object({ message: z.string() }) }).transform(({ error }): StartMessage => ({ kind: 'failed', reason: error.message })),
]);

/** The one line that the core says of its start; undefined for any other line. */
function parseStartMessage(line: string): StartMessage | undefined {
  try {
    return startMessage.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
