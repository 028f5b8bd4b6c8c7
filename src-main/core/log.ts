/** The log: one JSON line per entry on the error output; the desktop keeps it in a file, a terminal shows it only when asked. */
import { pino, type Logger } from 'pino';

export function createLog(name: string): Logger {
  return pino({ name, level: process.env['SWITCHBACK_LOG'] ?? 'warn' }, pino.destination(2));
}
