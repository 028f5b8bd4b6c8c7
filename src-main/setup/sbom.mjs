/**
 * `npm run sbom`: what an installed Switchback consists of, as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/), for this platform. npm's own report lists what is
 * installed for development; this one lists what a person gets, the page's packages, Node and Electron among it. The same lock file gives the same report.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './places.mjs';
import { say } from './processes.mjs';
import { readLock, shippedPackages } from './shippedPackages.mjs';

/** Writes the report; resolves with the exit code. */
export async function writeSbom(path = join(root, 'out/switchback.cdx.json'), target = { platform: process.platform, arch: process.arch }) {
  mkdirSync(dirname(path), { recursive: true });
  const sbom = billOfMaterials(readLock(), target);
  writeFileSync(path, `${JSON.stringify(sbom, null, 2)}\n`);
  say(`${sbom.components.length} components for ${target.platform}-${target.arch}: ${path}`);
  return 0;
}

/** The report as data. */
export function billOfMaterials(lock, target, packages = shippedPackages(lock, target)) {
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const components = packages.map((each) => componentOf(each, lock.packages[each.place]?.integrity));
  const references = components.map((component) => component['bom-ref']);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([version, target, references]))}`,
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: { 'bom-ref': `switchback@${version}`, type: 'application', name: 'switchback', version, purl: `pkg:generic/switchback@${version}`, licenses: [{ license: { id: license } }] },
      properties: [{ name: 'switchback:platform', value: `${target.platform}-${target.arch}` }],
    },
    components,
    dependencies: [{ ref: `switchback@${version}`, dependsOn: references }],
  };
}

function componentOf({ name, version, place, licence, use }, integrity) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    'bom-ref': `${place.replaceAll('node_modules/', '')}@${version}`,
    type: use === 'runtime' ? 'platform' : 'library',
    name,
    version,
    purl,
    licenses: [licenceField(licence)],
    ...(integrity === undefined ? {} : { hashes: hashesOf(integrity) }),
    properties: [{ name: 'switchback:use', value: use }],
  };
}

function licenceField(licence) {
  if (/[ (]/.test(licence)) return /^[A-Za-z0-9.() +-]+$/.test(licence) && / (OR|AND|WITH) /.test(licence) ? { expression: licence } : { license: { name: licence } };
  return { license: { id: licence } };
}

/** npm's integrity, e.g. `sha512-<base64>`, as CycloneDX writes hashes. */
function hashesOf(integrity) {
  return integrity.split(/\s+/).map((part) => {
    const [algorithm, content] = part.split(/-(.*)/s);
    return { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(content, 'base64').toString('hex') };
  });
}

function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
