/**
 * The one door for `npm start`, `npm test`, `npm run switchback -- ...`, `npm run build`, `npm run bench`, `npm run fuzz`,
 * `npm run kills`, `npm run cluster`, `npm run parity` and `npm run windows`: makes a fresh clone complete (packages, SQLite, build), then runs the command on the pinned Node. Runs on the machine's own Node, before anything is installed, so it needs no package.
 * All of the set-up's words go to stderr; stdout is the command's.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './buildSources.mjs';
import { ensureInstalled } from './installPackages.mjs';
import { writeNotice } from './licences.mjs';
import { packInstallers } from './pack.mjs';
import { coreNodeOptions, environment, pinnedNode, root } from './places.mjs';
import { handOver, say } from './processes.mjs';
import { runTests } from './runTests.mjs';
import { writeSbom } from './sbom.mjs';
import { withSetupLock } from './setupLock.mjs';
import { startWorkbench } from './startWorkbench.mjs';

const oldest = [20, 19];

const commands = {
  start: startWorkbench,
  test: runTests,
  switchback: (args) => handOver(pinnedNode(), [...coreNodeOptions, join(root, 'out/main/cli.js'), ...args], { cwd: process.env['INIT_CWD'] ?? process.cwd(), env: environment() }),
  build: async () => 0,
  // The long forms of what `npm test` runs shortly.
  fuzz: (args) => runLong({ SWITCHBACK_FUZZ: '10000' }, ['fuzz', 'Fuzz', ...args]),
  parity: (args) => runLong({ SWITCHBACK_PARITY: 'all' }, ['tests/parity/realNetworks.test.ts', '--disable-console-intercept', ...args]),
  kills: (args) => runLong({ SWITCHBACK_KILLS: '30' }, ['tests/e2e/resume.test.ts', ...args]),
  cluster: (args) => runLong({ SWITCHBACK_CLUSTER: '1' }, ['tests/e2e/cluster.test.ts', ...args]),
  windows: (args) => runLong({ SWITCHBACK_WINDOWS: 'all' }, ['tests/parity/windows.test.ts', ...args]),
  lab: (args) => runLong({ SWITCHBACK_LAB: 'all' }, ['tests/corpus/lab.test.ts', '--disable-console-intercept', ...args]),
  experiments: (args) => runLong({ SWITCHBACK_EXPERIMENTS: 'all' }, ['tests/corpus/experiments.test.ts', '--disable-console-intercept', ...args]),
  starts: (args) => runLong({ SWITCHBACK_STARTS: '50' }, ['tests/e2e/desktopShell.test.ts', ...args]),
  // Keeps new screenshots of every view, for the next `npm test` to compare with.
  baselines: (args) => runLong({ SWITCHBACK_BASELINES: 'write' }, ['tests/e2e/views.test.ts', ...args]),
  'pack:check': (args) => runLong({}, ['tests/e2e/packaged.test.ts', ...args]),
  pack: packInstallers,
  notice: async () => {
    writeNotice();
    return 0;
  },
  sbom: () => writeSbom(),
  // `npm run bench -- devices ...` runs tests/bench/devices.ts; without a name, main.ts.
  bench: ([name = 'main', ...args]) => {
    const isNamed = existsSync(join(root, `tests/bench/${name}.ts`));
    return handOver(pinnedNode(), [...coreNodeOptions, join(root, `tests/bench/${isNamed ? name : 'main'}.ts`), ...(isNamed ? args : [name, ...args])], { cwd: root, env: environment() });
  },
};

/** Vitest alone, with settings that a person may override in the environment. */
function runLong(settings, args) {
  return handOver(pinnedNode(), [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], { cwd: root, env: { ...settings, ...environment() } });
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new Error(`Node ${process.versions.node} is too old to set Switchback up. Install Node ${oldest.join('.')} or newer from nodejs.org; Switchback then brings the Node that it runs on itself.`);
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Error(`"${name}" is not a command. Use one of: ${Object.keys(commands).join(', ')}.`);
  await withSetupLock(async () => {
    await ensureInstalled();
    await ensureBuilt();
  });
  if (name === 'bench' && !existsSync(join(root, 'tests/bench/main.ts'))) throw new Error('There is no benchmark yet (tests/bench/main.ts).');
  return command(args);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
