/**
 * sqlite3 is C++ around SQLite: a ready-made binary is fetched where its makers' place can be reached, else it is compiled here (about 80 s), with the
 * headers of the pinned Node, so that no other download is needed.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { environment, modules, pinnedHeaders, pinnedNode } from './places.mjs';
import { capture, runStep } from './processes.mjs';

const folder = join(modules, 'sqlite3');

/** Makes `import 'sqlite3'` work in the pinned Node. Throws an Error that names a missing compiler, make or Python. */
export async function buildSqlite() {
  if (await loads()) return;
  await capture(pinnedNode(), [join(modules, 'prebuild-install/bin.js'), '-r', 'napi'], { cwd: folder, env: environment(), limitMs: 60_000 });
  if (await loads()) return;
  const lacking = missingTools();
  if (lacking.length > 0) throw new Error(describeMissing(lacking));
  const headers = pinnedHeaders();
  const args = [join(modules, 'node-gyp/bin/node-gyp.js'), 'rebuild', '--jobs', 'max'];
  const attempts = headers === null ? [[]] : [[`--nodedir=${headers}`], []];
  let output = '';
  for (const extra of attempts) {
    // The option and the variable both, because a person's own npm setting (nodedir) would win over the option.
    const env = environment(extra.length > 0 ? { npm_config_nodedir: headers } : {});
    const step = await runStep('Compiling SQLite (about 80 s)', pinnedNode(), [...args, ...extra], { cwd: folder, env });
    output = step.output;
    if (step.ok && (await loads())) return;
  }
  throw new Error(`SQLite could not be compiled. The end of what the compiler said:\n${output.trim().split('\n').slice(-25).join('\n')}`);
}

/** Names of the programs that compiling needs and PATH lacks. Windows finds its compiler elsewhere, so nothing is asked for there. */
export function missingTools(has = isInPath) {
  if (process.platform === 'win32') return [];
  const needed = { 'g++': ['g++', 'c++', 'clang++'], make: ['make', 'gmake'], python3: ['python3', 'python'] };
  return Object.entries(needed).filter(([, programs]) => !programs.some(has)).map(([name]) => name);
}

/** One sentence: what is missing and the command that brings it. */
export function describeMissing(lacking) {
  return `SQLite must be compiled on this machine, but ${lacking.join(', ')} ${lacking.length === 1 ? 'is' : 'are'} missing. On Debian or Ubuntu: sudo apt-get install -y ${lacking.join(' ')}; then start again.`;
}

async function loads() {
  if (!existsSync(join(folder, 'build/Release/node_sqlite3.node'))) return false;
  return (await capture(pinnedNode(), ['-e', "require('sqlite3')"], { cwd: folder, env: environment(), limitMs: 60_000 })).ok;
}

function isInPath(program) {
  return (process.env['PATH'] ?? '').split(delimiter).some((place) => place !== '' && existsSync(join(place, program)));
}
