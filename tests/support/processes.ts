/** Which processes belong to a test: those whose environment carries its SWITCHBACK_HOME. Reads Linux's process list. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

export interface OwnedProcess {
  readonly pid: number;
  /** Program and arguments, separated by spaces. */
  readonly command: string;
}

/** Why the process list cannot be read here, or null. */
export const noProcessList = process.platform === 'linux' ? null : 'the list of processes is read from /proc, which only Linux has';

/** All living processes of a home folder; zombies that nobody has waited for do not count. */
export async function processesOf(home: string): Promise<readonly OwnedProcess[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const found = await Promise.all(
    numbers.map(async (pid) => {
      const environment = (await read(pid, 'environ')).split('\0');
      if (!environment.includes(`SWITCHBACK_HOME=${home}`)) return [];
      return [{ pid: Number(pid), command: (await read(pid, 'cmdline')).split('\0').join(' ').trim() }];
    }),
  );
  return found.flat().filter((each) => each.command !== '');
}

/** The inference process of a home folder, once it is there. */
export async function workerOf(home: string): Promise<OwnedProcess> {
  return eventually(async () => (await processesOf(home)).find((each) => each.command.includes('inference/worker')), `an inference process of ${home}`);
}

/** Waits until no process of the home folder is left; fails with their names otherwise. */
export async function allGone(home: string, limitMs = 15_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const left = await processesOf(home);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`Left behind after ${limitMs} ms: ${left.map((each) => `${each.pid} ${each.command}`).join('; ')}`);
    await wait(50);
  }
}

/** Asks again every few milliseconds until there is an answer. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, limitMs = 60_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`After ${limitMs} ms still no ${what}.`);
    await wait(10);
  }
}
