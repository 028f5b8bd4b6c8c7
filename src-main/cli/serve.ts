/**
 * `switchback serve`: the workbench in a browser, on loopback unless asked otherwise, with a token in its address. Through it a browser can read what the person
 * can, so that opening it to a network says so.
 */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { homedir, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import { bracketed, isLoopback, loopback } from '../core/hosts.ts';
import { startServer } from '../core/server.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';

export function serveCommand(session: Session): Command {
  return new Command('serve')
    .description('open the workbench in the browser')
    .option('--workspace <folder>', 'workspace to open, made if missing, or a pack')
    .option('--port <n>', 'any free port if absent', wholeNumber(0, 65535), 0)
    .option('--host <address>', 'listen for other machines too, e.g. 0.0.0.0 (not encrypted: prefer an SSH tunnel)', loopback)
    .option('--root <folder>', 'folder that may be browsed, with all below; again for more (home and the current folder if absent)', (folder: string, others: string[]) => [...others, resolve(folder)], [])
    .option('--no-open', 'print the address only')
    .action(async (flags: { workspace?: string; port: number; host: string; root: string[]; open: boolean }) => {
      const token = tokenFor(flags.host);
      const services = session.services('write', flags.root.length > 0 ? flags.root : [homedir(), process.cwd()]);
      const opened = flags.workspace ? await services.workspaces.create({ path: flags.workspace }) : null;
      if (opened?.readOnly) session.note(opened.readOnly);
      const server = await startServer({ services, token, interfaceFolder: session.place.interfaceFolder, port: flags.port, host: flags.host });
      const address = `http://${bracketed(shownHost(flags.host))}:${server.port}/?token=${token}`;
      session.line(`Switchback is open at ${address}`);
      if (!isLoopback(flags.host)) session.note(warning(flags.host, server.port));
      if (flags.open) openBrowser(address);
      await new Promise<void>((ended) => {
        session.signal.addEventListener('abort', () => ended(), { once: true });
        process.on('SIGTERM', () => ended());
      });
      await server.close();
    });
}

/** Long enough that nobody guesses it: 192 bits by chance, or what the environment gives, which on a network must not be a word that somebody chose. */
function tokenFor(host: string): string {
  const given = process.env['SWITCHBACK_TOKEN'];
  if (!given) return randomBytes(24).toString('hex');
  if (!isLoopback(host) && given.length < 32) {
    throw new AppError('BAD_REQUEST', `SWITCHBACK_TOKEN has ${given.length} characters; to listen on ${host} it needs at least 32. Leave it out to have one made.`);
  }
  return given;
}

/** The address that a person can type elsewhere. */
function shownHost(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host === 'localhost' ? loopback : host;
  const outer = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer?.address ?? loopback;
}

function warning(host: string, port: number): string {
  return `Warning: everyone who can reach ${host} and has this address can read every picture and model file that you can, and what travels is not encrypted. Without --host, from the other machine: ssh -L ${port}:127.0.0.1:${port} ... is safer.`;
}

/** Asks the system for its browser; without one, the printed address is all there is. */
function openBrowser(address: string): void {
  const [command, ...parameters] = process.platform === 'darwin' ? ['open', address] : process.platform === 'win32' ? ['cmd', '/c', 'start', '', address] : ['xdg-open', address];
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return;
  spawn(command!, parameters, { stdio: 'ignore', detached: true }).on('error', () => undefined).unref();
}
