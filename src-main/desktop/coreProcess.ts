/**
 * The life of the core: a plain Node process of its own (design.md section 1 says why), started with a secret token in its environment. It says on stdout
 * where it listens, ends when its stdin closes (so it never outlives the desktop, however that ended), and is started again with growing pauses if it dies or
 * gives no sign of life.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { AppError } from '../../src-shared/errors.ts';
import { createBackOff, growingPause, type BackOff } from './backOff.ts';

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
  /** Deaths in a row before it is given up; who lived for `steadyMs` begins to count anew. */
  readonly attempts?: number;
  readonly steadyMs?: number;
  /** How often it is asked for a sign of life, and after how long without one it is killed. */
  readonly lookMs?: number;
  readonly hangLimitMs?: number;
  /** Called with each new start before anyone else gets its address, e.g. to open again what was open; what it throws is only logged. */
  readonly prepare?: (address: CoreAddress, isRestart: boolean) => Promise<void>;
  readonly onState?: (state: CoreState) => void;
  /** What the core writes to stderr, line by line. */
  readonly onLog?: (line: string) => void;
  /** The core will not come back: the reason for the person. */
  readonly onGaveUp?: (error: AppError) => void;
}

export type CoreState = 'starting' | 'running' | `restarting: ${string}` | 'given up' | 'stopped';

export interface CoreProcess {
  /** Where the running core listens; waits while it starts. Rejects with AppError UNAVAILABLE once it was given up or stopped. */
  address(): Promise<CoreAddress>;
  readonly state: CoreState;
  /** Another try after it was given up. */
  startAgain(): void;
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
  readonly #backOff: BackOff;
  #starts = 0;
  #isReady = false;
  #state: CoreState = 'starting';
  #stopped = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#backOff = createBackOff({ attempts: options.attempts ?? 5, pauseMs: options.restartPauseMs ?? growingPause, steadyMs: options.steadyMs ?? 30_000 });
    this.#begin();
  }

  address(): Promise<CoreAddress> {
    return this.#ready.promise;
  }

  get state(): CoreState {
    return this.#state;
  }

  startAgain(): void {
    if (this.#state !== 'given up') return;
    this.#backOff.forget();
    this.#ready = Promise.withResolvers<CoreAddress>();
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#enter('stopped');
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
        // As setup/places.mjs has them and says why.
        UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
        MALLOC_ARENA_MAX: String(availableParallelism()),
        ...environment,
        SWITCHBACK_TOKEN: token,
        ELECTRON_RUN_AS_NODE: undefined,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    const isRestart = this.#starts > 0;
    this.#starts += 1;
    this.#isReady = false;
    if (!isRestart) this.#enter('starting');
    const log: string[] = [];
    let watch: NodeJS.Timeout | undefined;
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
      const address = { port: message.port, token };
      watch = this.#watch(child, address, (reason) => log.push(reason));
      void this.#open(child, address, isRestart);
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
      clearInterval(watch);
      this.#ended(code === null ? `ended by ${signal}` : `ended with code ${code}`, log);
    });
  }

  #ended(how: string, log: readonly string[]): void {
    if (this.#stopped) return;
    const last = log.at(-1);
    const pauseMs = this.#backOff.next();
    if (pauseMs === undefined) {
      const error = new AppError('UNAVAILABLE', `The core ${how} ${this.#options.attempts ?? 5} times in a row${last === undefined ? '' : `; its last words were: ${last}`}. Restart Switchback, or run "switchback doctor".`, {
        log: log.join('\n'),
      });
      this.#reject(error);
      this.#enter('given up');
      this.#options.onGaveUp?.(error);
      return;
    }
    // Whoever asks from now on waits for the next start; whoever still waits goes on waiting for it.
    const previous = this.#ready;
    this.#ready = Promise.withResolvers<CoreAddress>();
    if (!this.#isReady) this.#ready.promise.then(previous.resolve, previous.reject);
    previous.promise.catch(() => {});
    this.#enter(`restarting: it ${how}${last === undefined ? '' : ` (${last})`}`);
    this.#restart = setTimeout(() => this.#begin(), pauseMs);
  }

  /** Hands the address out, once what was open is open again. */
  async #open(child: ChildProcess, address: CoreAddress, isRestart: boolean): Promise<void> {
    try {
      await this.#options.prepare?.(address, isRestart);
    } catch (error) {
      this.#options.onLog?.(`after its start: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.#child !== child || child.exitCode !== null || child.signalCode !== null || this.#stopped) return;
    this.#isReady = true;
    this.#enter('running');
    this.#ready.resolve(address);
  }

  /** Any answer is a sign of life. Counted in looks and not by the clock, so that a machine that slept is not taken for a core that hangs. */
  #watch(child: ChildProcess, { port }: CoreAddress, say: (reason: string) => void): NodeJS.Timeout {
    const { lookMs = 5000, hangLimitMs = 60_000 } = this.#options;
    let silentLooks = 0;
    let isAsking = false;
    return setInterval(() => {
      silentLooks += 1;
      if (silentLooks * lookMs > hangLimitMs) {
        say(`gave no sign of life for ${Math.round(hangLimitMs / 1000)} s`);
        child.kill('SIGKILL');
        return;
      }
      if (isAsking) return;
      isAsking = true;
      fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD', signal: AbortSignal.timeout(hangLimitMs) })
        .then(() => (silentLooks = 0))
        .catch(() => undefined)
        .finally(() => (isAsking = false));
    }, lookMs);
  }

  #enter(state: CoreState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
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
