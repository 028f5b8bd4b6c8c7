/** Where Switchback keeps what is the user's and not a workspace's: settings, the list of recent workspaces, and new workspaces without a place of their own. */
import envPaths from 'env-paths';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface UserFolders {
  readonly config: string;
  readonly data: string;
  /** What can be made again; absent: nothing of that kind is kept. */
  readonly cache?: string;
}

/** SWITCHBACK_HOME puts all in one folder, for tests and portable use. */
export function userFolders(environment: NodeJS.ProcessEnv = process.env): UserFolders {
  const home = environment['SWITCHBACK_HOME'];
  if (home) return { config: join(home, 'config'), data: join(home, 'data'), cache: join(home, 'cache') };
  const { config, data, cache } = envPaths('switchback', { suffix: '' });
  return { config, data, cache };
}

/** The parsed file, or undefined where it is missing or not JSON: preferences are never worth a failed start. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that no half-written file is ever left. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`);
  await rename(temporary, file);
}
