/** The set-up's decisions: what is missing, what changed, what is said. The whole set-up is tried by `.ci/run` on a fresh machine. Plain JavaScript, as the set-up is. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { coreNodeOptions as ofTheDesktop } from '../../../src-main/desktop/pinnedNode.ts';
import { describeMissing, missingTools } from '../../../src-main/setup/buildSqlite.mjs';
import { hashOfSources } from '../../../src-main/setup/buildSources.mjs';
import { firstMissingPackage } from '../../../src-main/setup/installPackages.mjs';
import { coreNodeOptions, environment, pinnedNode, pinnedNodePackage, root } from '../../../src-main/setup/places.mjs';
import { capture } from '../../../src-main/setup/processes.mjs';
import { countTests } from '../../../src-main/setup/runTests.mjs';
import { withSetupLock } from '../../../src-main/setup/setupLock.mjs';
import { displayReason } from '../../../src-main/setup/startWorkbench.mjs';

const folders = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-setup-'));
  folders.push(folder);
  return folder;
}

describe('installed packages', () => {
  const pinned = `node_modules/${pinnedNodePackage().folder}`;
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/zod': { version: '4.0.0' },
      'node_modules/extra': { version: '1.0.0', optional: true },
      [pinned]: { version: '24.0.0', optional: true },
    },
  };

  it('are complete without an optional package', () => {
    expect(firstMissingPackage(lock, { packages: { 'node_modules/zod': { version: '4.0.0' }, [pinned]: { version: '24.0.0' } } })).toBe(null);
  });

  it('are not complete without the pinned Node, although it is optional', () => {
    expect(firstMissingPackage(lock, { packages: { 'node_modules/zod': { version: '4.0.0' } } })).toBe(`${pinnedNodePackage().folder} 24.0.0 is missing`);
  });

  it('are not complete with another version', () => {
    expect(firstMissingPackage(lock, { packages: { 'node_modules/zod': { version: '3.9.0' }, [pinned]: { version: '24.0.0' } } })).toBe('zod 4.0.0 is there as 3.9.0');
  });

  it('are missing where npm left no record', () => {
    expect(firstMissingPackage(lock, null)).toBe('node_modules is not there');
  });
});

describe('sources', () => {
  it('have another hash after a change of content, of name, and after a removal, and the same after being written again', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'src-main/core'), { recursive: true });
    const file = join(folder, 'src-main/core/main.ts');
    writeFileSync(file, 'a');
    const first = hashOfSources(folder);
    writeFileSync(file, 'a');
    expect(hashOfSources(folder)).toBe(first);
    writeFileSync(file, 'b');
    const changed = hashOfSources(folder);
    writeFileSync(file, 'a');
    writeFileSync(join(folder, 'src-main/core/other.ts'), '');
    const added = hashOfSources(folder);
    rmSync(join(folder, 'src-main/core/other.ts'));
    expect(new Set([first, changed, added]).size).toBe(3);
    expect(hashOfSources(folder)).toBe(first);
  });
});

describe('the sum of all tests', () => {
  const test = (status, title = 'works') => ({ status, title, fullName: `suite ${title}` });
  const file = (status, ...assertionResults) => ({ name: 'a.test.ts', status, assertionResults });

  it('counts passed, failed and skipped', () => {
    expect(countTests({ testResults: [file('failed', test('passed'), test('failed'), test('skipped'))] }, false)).toEqual({ passed: 1, failed: 1, skipped: 1, forbiddenSkips: [] });
  });

  it('counts a file that cannot be loaded as a failure', () => {
    expect(countTests({ testResults: [file('failed')] }, false).failed).toBe(1);
    expect(countTests({ testResults: [file('failed', test('passed'))] }, false)).toMatchObject({ passed: 1, failed: 1 });
  });

  it('turns a skip into a failure in continuous integration, unless it has leave to skip', () => {
    const report = { testResults: [file('passed', test('skipped'), test('pending', 'may be missing here: no Electron'))] };
    expect(countTests(report, true)).toEqual({ passed: 0, failed: 1, skipped: 1, forbiddenSkips: ['suite works'] });
  });
});

describe('compiling SQLite', () => {
  it('names the tools that are missing and the command that brings them', () => {
    expect(missingTools((program) => program === 'clang++')).toEqual(['make', 'python3']);
    expect(describeMissing(['make', 'python3'])).toBe(
      'SQLite must be compiled on this machine, but make, python3 are missing. On Debian or Ubuntu: sudo apt-get install -y make python3; then start again.',
    );
  });

  it('needs nothing where all tools are there', () => {
    expect(missingTools(() => true)).toEqual([]);
  });
});

describe('the window', () => {
  it('needs a display on Linux and not elsewhere', () => {
    expect(displayReason('linux', {}, 1000)).toBe('this machine has no display (neither DISPLAY nor WAYLAND_DISPLAY is set)');
    expect(displayReason('linux', { WAYLAND_DISPLAY: 'wayland-0' }, 1000)).toBe(null);
    expect(displayReason('win32', {}, -1)).toBe(null);
  });

  it('is not opened as root, because the sandbox would have to go', () => {
    expect(displayReason('linux', { DISPLAY: ':0' }, 0)).toMatch(/^Electron refuses to run as root/);
  });
});

describe('programs that the set-up starts', () => {
  it('are ended at their limit and say so', async () => {
    const result = await capture(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { limitMs: 300 });
    expect(result).toEqual({ ok: false, output: '\nended after 0 s without an answer' });
  });

  it('hold the space for new objects small where they are the core, from a terminal and from the desktop', async () => {
    const program = "const kept = []; for (let i = 0; i < 6e6; i++) kept[i % 1e6] = { i }; const { space_size } = require('v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space'); console.log(space_size / 2 ** 20);";
    const megabytes = async (options) => Number((await capture(pinnedNode(), [...options, '-e', program], { env: environment() })).output);
    expect(coreNodeOptions).toEqual(ofTheDesktop);
    expect(await megabytes(coreNodeOptions)).toBeLessThanOrEqual(8);
    expect(await megabytes([])).toBeGreaterThan(8);
  });

  it.skipIf(process.platform === 'win32')('have threads for decoding and a heap for each core, by the installed command too', async () => {
    const cores = cpus().length;
    // Whatever the tests themselves were started with.
    for (const name of ['UV_THREADPOOL_SIZE', 'MALLOC_ARENA_MAX']) vi.stubEnv(name, undefined);
    const look = join(temporaryFolder(), 'look.cjs');
    writeFileSync(look, 'console.log(process.env.UV_THREADPOOL_SIZE, process.env.MALLOC_ARENA_MAX); process.exit();');
    const command = join(root, 'node_modules/.bin/switchback');
    const said = (env) => capture(command, ['--version'], { env: { ...process.env, NODE_OPTIONS: `--require ${look}`, ...env } }).then(({ output }) => output.trim());
    expect(environment()).toMatchObject({ UV_THREADPOOL_SIZE: String(cores + 4), MALLOC_ARENA_MAX: String(cores) });
    expect(await said({})).toBe(`${cores + 4} ${cores}`);
    expect(await said({ UV_THREADPOOL_SIZE: '3', MALLOC_ARENA_MAX: '7' })).toBe('3 7');
  });

  it('run on the pinned Node', async () => {
    expect((await capture(pinnedNode(), ['-p', 'process.versions.node.split(".")[0]'], { env: environment() })).output.trim()).toBe('24');
  });

  it('that cannot be started are a failure with a reason', async () => {
    const result = await capture(join(root, 'no-such-program'), []);
    expect(result.ok).toBe(false);
    expect(result.output).toContain('ENOENT');
  });
});

describe('two set-ups at once', () => {
  it('come one after the other', async () => {
    const events = [];
    const work = (name) => async () => {
      events.push(`${name} begins`);
      await new Promise((wake) => setTimeout(wake, 50));
      events.push(`${name} ends`);
    };
    await Promise.all([withSetupLock(work('first')), withSetupLock(work('second'))]);
    expect(events).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });
});

describe('the door', () => {
  it('refuses a command it does not know, before it touches anything', () => {
    const folder = temporaryFolder();
    cpSync(join(root, 'src-main/setup'), join(folder, 'src-main/setup'), { recursive: true });
    const { status, stderr, stdout } = spawnSync(process.execPath, [join(folder, 'src-main/setup/run.mjs'), 'fly'], { encoding: 'utf8' });
    expect({ status, stderr, stdout }).toEqual({ status: 1, stderr: '"fly" is not a command. Use one of: start, test, switchback, build, fuzz, parity, kills, cluster, windows, lab, experiments, starts, baselines, pack:check, pack, notice, sbom, bench.\n', stdout: '' });
  });
});
