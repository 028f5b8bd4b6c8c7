/**
 * Runs the command line as a person's shell does: a process of its own on the Node that runs the tests, from the sources, so that no build is needed.
 * Settings and recent workspaces go to a folder of the test (SWITCHBACK_HOME), which also marks every process that belongs to it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coreNodeOptions } from '../../src-main/desktop/pinnedNode.ts';
import { repositoryRoot } from './testData.ts';

export interface Finished {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedCommand {
  readonly process: ChildProcess;
  /** What was written to the standard output so far. */
  output(): string;
  readonly finished: Promise<Finished>;
}

/** A new temporary folder, its name ending in the given word. The caller removes it. */
export function temporaryFolder(word: string): string {
  return mkdtempSync(join(tmpdir(), `switchback-${word}-`));
}

/** Starts `switchback ARGS`, with `home` as SWITCHBACK_HOME, and both outputs piped. */
export function startCommand(home: string, args: readonly string[]): StartedCommand {
  const child = spawn(process.execPath, [...coreNodeOptions, join(repositoryRoot, 'src-main/cli/main.ts'), ...args], { cwd: home, env: commandEnvironment(home), stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { process: child, output: () => stdout, finished };
}

/** Runs `switchback ARGS` to its end. */
export function runCommand(home: string, ...args: readonly string[]): Promise<Finished> {
  return startCommand(home, args).finished;
}

/** Runs `switchback ARGS --json`, which must succeed, and reads the one object on its standard output. */
export async function runForJson<T>(home: string, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCommand(home, ...args, '--json');
  if (code !== 0) throw new Error(`switchback ${args.join(' ')} ended with ${code}: ${stderr}`);
  if (stdout.split('\n').length !== 2) throw new Error(`switchback ${args.join(' ')} must print one line, but printed: ${stdout.slice(0, 500)}`);
  return JSON.parse(stdout) as T;
}

/** The test's own variables stay out: a log level would add lines, a display would open windows. Compiled sources are kept between commands, which halves the second that each takes to start. */
function commandEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !['SWITCHBACK_LOG', 'SWITCHBACK_TOKEN', 'DISPLAY', 'WAYLAND_DISPLAY', 'NODE_OPTIONS'].includes(name) && !name.startsWith('VITEST'));
  return { ...Object.fromEntries(kept), SWITCHBACK_HOME: home, NODE_COMPILE_CACHE: join(repositoryRoot, 'node_modules/.cache/compiled') };
}
