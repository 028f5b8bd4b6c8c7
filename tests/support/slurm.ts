/**
 * A Slurm of one node for a test: munge, controller and node daemon on an address and in a folder of their own, ended with the test. Needs root and Debian's slurm-wlm and munge.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface Slurm {
  /** What a login node's shell has. */
  readonly environment: NodeJS.ProcessEnv;
  run(command: string, ...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string };
  /** Resolves when the queue is empty. */
  idle(mostMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Slurm refuses to run on the loopback address. */
const address = '10.253.87.1';

/** Why there can be no Slurm here, or null. */
export function whyNoSlurm(): string | null {
  if (process.getuid?.() !== 0) return 'a Slurm of one\'s own needs root';
  const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'ip'].find((program) => spawnSync('which', [program]).status !== 0);
  return missing === undefined ? null : `${missing} is not installed (Debian: slurm-wlm, munge, iproute2)`;
}

export async function startSlurm(folder: string): Promise<Slurm> {
  for (const name of ['state', 'spool', 'run', 'log']) mkdirSync(join(folder, name), { recursive: true });
  chmodSync(folder, 0o755);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o400 });
  writeFileSync(at('cgroup.conf'), 'CgroupPlugin=cgroup/v1\n');
  writeFileSync(at('slurm.conf'), configuration(at));
  spawnSync('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
  const environment = { ...process.env, SLURM_CONF: at('slurm.conf') };
  const daemons: ChildProcess[] = [];
  const daemon = (name: string, ...args: readonly string[]) => {
    const log = openSync(at(`log/${name}`), 'a');
    daemons.push(spawn(name, args, { env: environment, stdio: ['ignore', log, log] }));
  };
  daemon('munged', '--force', '--foreground', `--key-file=${at('munge.key')}`, `--socket=${at('run/munge.socket')}`, `--pid-file=${at('run/munged.pid')}`, `--log-file=${at('log/munged.log')}`, `--seed-file=${at('run/seed')}`);
  await until(() => existsSync(at('run/munge.socket')), 10_000, () => readFileSync(at('log/munged'), 'utf8'));
  daemon('slurmctld', '-D', '-f', at('slurm.conf'));
  daemon('slurmd', '-D', '-f', at('slurm.conf'), '-N', 'node1');
  const run: Slurm['run'] = (command, ...args) => spawnSync(command, args, { env: environment, encoding: 'utf8' });
  await until(() => run('sinfo', '-h', '-o', '%t').stdout.trim() === 'idle', 30_000, () => ['slurmctld', 'slurmd'].map((name) => readFileSync(at(`log/${name}`), 'utf8')).join('\n'));
  return {
    environment,
    run,
    idle: (mostMs) => until(() => run('squeue', '-h').stdout.trim() === '', mostMs, () => run('squeue').stdout),
    async stop() {
      for (const child of daemons.reverse()) {
        const ended = child.exitCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await Promise.race([ended, wait(5000).then(() => child.kill('SIGKILL'))]);
      }
      execFileSync('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']);
    },
  };
}

/** config_overrides: the node says that it has what the job files ask for, whatever this machine has. */
function configuration(at: (name: string) => string): string {
  return [
    'ClusterName=switchback', `SlurmctldHost=${hostname()}(${address})`, 'SlurmctldPort=16817', 'SlurmdPort=16818', 'SlurmUser=root', 'SlurmdUser=root',
    'AuthType=auth/munge', `AuthInfo=socket=${at('run/munge.socket')}`, `StateSaveLocation=${at('state')}`, `SlurmdSpoolDir=${at('spool')}`,
    `SlurmctldPidFile=${at('run/slurmctld.pid')}`, `SlurmdPidFile=${at('run/slurmd.pid')}`, 'ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none',
    'SelectType=select/cons_res', 'SelectTypeParameters=CR_CPU', 'SlurmdParameters=config_overrides', 'ReturnToService=2', 'MpiDefault=none',
    `NodeName=node1 NodeHostname=${hostname()} NodeAddr=${address} CPUs=8 RealMemory=16000 State=UNKNOWN`, 'PartitionName=main Nodes=node1 Default=YES MaxTime=INFINITE State=UP', '',
  ].join('\n');
}

async function until(isSo: () => boolean, mostMs: number, explain: () => string): Promise<void> {
  for (const endMs = performance.now() + mostMs; !isSo(); await wait(250)) if (performance.now() > endMs) throw new Error(`Not so after ${mostMs} ms: ${explain()}`);
}
