/** `switchback doctor`: engines, devices, versions, what is missing and why. */
import { Command } from 'commander';
import type { DoctorReport } from '../services/settings.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function doctorCommand(session: Session): Command {
  return new Command('doctor')
    .description('engines, devices and versions on this machine; what is missing and why')
    .option('--benchmark', 'time every usable device on a small network (some seconds)')
    .option('--json', 'one JSON object')
    .action(async ({ benchmark, json }: { benchmark?: boolean; json?: boolean }) => {
      const report = await session.services('read').settings.doctor({ benchmark, afresh: true });
      if (json) return session.json(report);
      session.line(`switchback ${report.version}, node ${report.node}, ${report.platform}`);
      session.line('');
      const speed = (row: EngineRow) => (row.imagesPerSecond === null ? '-' : `${row.imagesPerSecond.toFixed(0)}/s`);
      session.line(
        table(
          ['engine', 'device', 'available', ...(benchmark ? ['images'] : []), 'self-test', 'what'],
          report.engines.map((row) => [row.engine, row.device, row.available ? 'yes' : 'no', ...(benchmark ? [speed(row)] : []), selfTestNote(row), whatOf(row)]),
        ),
      );
      session.line('');
      session.line(table(['library', 'version', 'note'], report.libraries.map((row) => [row.name, row.version || '-', row.reason])));
    });
}

type EngineRow = DoctorReport['engines'][number];

function selfTestNote({ selfTest }: EngineRow): string {
  if (!selfTest) return '-';
  if (!selfTest.passed) return 'FAILED';
  return `passed (${selfTest.worst?.toExponential(0)})`;
}

function whatOf({ available, description, driver, software, reason }: EngineRow): string {
  const place = [description, driver].filter((part) => part !== '').join(', ');
  if (!available) return [place, reason].filter((part) => part !== '').join(': ');
  return software ? `${place}; played by the processor, never chosen by itself` : place;
}
