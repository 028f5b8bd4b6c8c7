/** What the commands share: services opened when needed and closed in any case, output, errors, and Ctrl+C as a cancellation. */
import { AppError, isAbort } from '../../src-shared/errors.ts';
import type { Place } from '../core/place.ts';
import { createServices, type Services } from '../services/services.ts';
import { printable } from './printable.ts';

export interface Session {
  readonly place: Place;
  /** Aborts on Ctrl+C. */
  readonly signal: AbortSignal;
  /** `listingRoots`: folders that a browser may be shown; absent: all. */
  services(mode?: 'write' | 'read', listingRoots?: readonly string[]): Services;
  /** Services with a workspace open; `create` makes it where there is none. Mode `write if free` opens it for reading, with a note, while another process has it open. */
  workspace(path: string, options: { readonly mode: 'write' | 'read' | 'write if free'; readonly create?: boolean }): Promise<Services>;
  /** One object on the standard output. */
  json(value: unknown): void;
  line(text: string): void;
  /** For a person who waits: on the error output, only where that is a terminal. */
  progress(text: string): void;
  note(text: string): void;
  run(work: () => Promise<void>, verbose: () => boolean): Promise<void>;
}

export function createSession(place: Place): Session {
  const controller = new AbortController();
  let opened: Services | undefined;
  let progressShown = false;
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new AppError('CANCELLED', 'Cancelled.'));
  });
  const clearProgress = () => {
    if (progressShown) process.stderr.write('\r\u001b[2K');
    progressShown = false;
  };

  const session: Session = {
    place,
    signal: controller.signal,
    services(mode = 'write', listingRoots) {
      return (opened ??= createServices({ ...place, mode, ...(listingRoots ? { listingRoots } : {}), ...(process.env['SWITCHBACK_LOG'] ? { log: (line: string) => process.stderr.write(`${line}\n`) } : {}) }));
    },
    async workspace(path, { mode, create = false }) {
      const services = session.services(mode === 'read' ? 'read' : 'write');
      try {
        await (create ? services.workspaces.create({ path }) : services.workspaces.open(path));
        return services;
      } catch (error) {
        if (mode !== 'write if free' || !(error instanceof AppError) || error.data['held'] !== true) throw error;
        session.note(`Process ${String(error.data['pid'] ?? 'unknown')} has the workspace open, so it is only read, and what is computed now is not kept.`);
        await services.close();
        opened = undefined;
        return session.workspace(path, { mode: 'read' });
      }
    },
    json(value) {
      process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    line(text) {
      clearProgress();
      process.stdout.write(`${printable(text)}\n`);
    },
    progress(text) {
      if (!process.stderr.isTTY) return;
      process.stderr.write(`\r\u001b[2K${printable(text).slice(0, (process.stderr.columns ?? 80) - 1)}`);
      progressShown = true;
    },
    note(text) {
      clearProgress();
      process.stderr.write(`${printable(text)}\n`);
    },
    async run(work, verbose) {
      let code = 0;
      try {
        await work();
      } catch (error) {
        clearProgress();
        code = isAbort(error) ? 130 : 1;
        const message = error instanceof Error ? error.message : String(error);
        process.stderr.write(`switchback: ${printable(message).replaceAll(/\s*\n\s*/g, ' ')}\n`);
        if (verbose() && error instanceof Error) {
          process.stderr.write(`${error.stack ?? ''}\n`);
          if (error.cause instanceof Error) process.stderr.write(`caused by ${error.cause.stack ?? error.cause.message}\n`);
        }
      } finally {
        clearProgress();
        await opened?.close();
      }
      process.exitCode = process.exitCode || code;
    },
  };
  return session;
}
