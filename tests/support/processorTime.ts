/** What work costs: seconds, memory, and processor time of the core and of its inference processes, which other programs on the machine do not distort. */
import { readFileSync } from 'node:fs';
import type { Services } from '../../src-main/services/services.ts';

export interface Timed {
  readonly seconds: number;
  readonly coreSeconds: number;
  readonly workerSeconds: number;
}

export async function timed(services: Services, work: () => Promise<unknown>): Promise<Timed> {
  const startedMs = performance.now();
  const core = process.cpuUsage();
  const worker = workerSeconds(services);
  await work();
  const used = process.cpuUsage(core);
  return { seconds: (performance.now() - startedMs) / 1000, coreSeconds: (used.user + used.system) / 1e6, workerSeconds: workerSeconds(services) - worker };
}

/** Processor time of all inference processes that live now, in seconds (Linux; 0 elsewhere). */
function workerSeconds({ inference }: Services): number {
  const ticks = [...inference.processes().values()].map((pid) => {
    const fields = readProcess(pid, 'stat').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

/** Bytes of memory that a process holds now (Linux; 0 elsewhere). */
export function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readProcess(pid, 'status'))?.[1] ?? 0);
}

/** A file of /proc; empty where the process is gone, or the system has none. */
function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
