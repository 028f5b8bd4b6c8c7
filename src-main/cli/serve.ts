/** `switchback serve`: the workbench in a browser, on loopback, with a token in its address. */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { startServer } from '../core/server.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';

export function serveCommand(session: Session): Command {
  return new Command('serve')
    .description('open the workbench in the browser')
    .option('--workspace <folder>', 'workspace to open, made if missing, or a pack')
    .option('--port <n>', 'any free port if absent', wholeNumber(0, 65535), 0)
    .option('--no-open', 'print the address only')
    .action(async (flags: { workspace?: string; port: number; open: boolean }) => {
      const services = session.services();
      const opened = flags.workspace ? await services.workspaces.create({ path: flags.workspace }) : null;
      if (opened?.readOnly) session.note(opened.readOnly);
      const token = process.env['SWITCHBACK_TOKEN'] || randomBytes(24).toString('hex');
      const server = await startServer({ services, token, interfaceFolder: session.place.interfaceFolder, port: flags.port });
      const address = `http://127.0.0.1:${server.port}/?token=${token}`;
      session.line(`Switchback is open at ${address}`);
      if (flags.open) openBrowser(address);
      await new Promise<void>((resolve) => {
        session.signal.addEventListener('abort', () => resolve(), { once: true });
        process.on('SIGTERM', () => resolve());
      });
      await server.close();
    });
}

/** Asks the system for its browser; without one, the printed address is all there is. */
function openBrowser(address: string): void {
  const [command, ...parameters] = process.platform === 'darwin' ? ['open', address] : process.platform === 'win32' ? ['cmd', '/c', 'start', '', address] : ['xdg-open', address];
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return;
  spawn(command!, parameters, { stdio: 'ignore', detached: true }).on('error', () => undefined).unref();
}
