/** `switchback doctor`: engines, devices, versions, what is missing and why. */
import { Command } from 'commander';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function doctorCommand(session: Session): Command {
  return new Command('doctor')
    .description('engines, devices and versions on this machine; what is missing and why')
    .option('--json', 'one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await session.services('read').settings.doctor();
      if (json) return session.json(report);
      session.line(`switchback ${report.version}, node ${report.node}, ${report.platform}`);
      session.line('');
      session.line(table(['engine', 'device', 'available', 'what'], report.engines.map((row) => [row.engine, row.device, row.available ? 'yes' : 'no', row.available ? row.description : row.reason])));
      session.line('');
      session.line(table(['library', 'version', 'note'], report.libraries.map((row) => [row.name, row.version || '-', row.reason])));
    });
}
