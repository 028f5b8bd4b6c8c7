/**
 * Entry of the core process as the desktop starts it: token by environment, one JSON line when it answers, and its end when the standard input
 * closes, so that it never outlives the window.
 */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { parseArgs } from 'node:util';
import { toPlainError } from '../../src-shared/errors.ts';
import { createServices } from '../services/services.ts';
import { createLog } from './log.ts';
import { endWithParent } from './parentWatch.ts';
import { placeOf } from './place.ts';
import { startServer } from './server.ts';

const { values } = parseArgs({ options: { workspace: { type: 'string' }, port: { type: 'string' } } });
const place = placeOf(import.meta.url);
const log = createLog('core');
const services = createServices({ ...place, log: (line) => log.warn(line), listingRoots: [homedir()] });

endWithParent();
try {
  if (values.workspace) await services.workspaces.open(values.workspace);
  const token = process.env['SWITCHBACK_TOKEN'] || randomBytes(24).toString('hex');
  const server = await startServer({ services, token, interfaceFolder: place.interfaceFolder, port: Number(values.port ?? 0) });
  process.stdout.write(`${JSON.stringify({ ready: true, port: server.port })}\n`);
  const stop = async () => {
    await server.close();
    await services.close();
    process.exit(0);
  };
  process.stdin.resume().on('end', () => void stop());
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ready: false, error: toPlainError(error) })}\n`);
  await services.close();
  process.exit(1);
}
