/**
 * Whose work is in Switchback: `out/licences.json` with every licence text for the About page, and NOTICE, the list in the repository and in every installer.
 * `npm run notice` writes NOTICE anew; a test compares it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';
import { isInstalled, nodePackages, readLock, shippedPackages } from './shippedPackages.mjs';

const textNames = /^(licen[cs]e|copying|notice|third-?party-?notices|thirdpartynotices)([.-].*)?$/i;

/** Writes out/licences.json for this machine's platform; the build calls it. */
export function writeLicences() {
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(join(root, 'out/licences.json'), JSON.stringify(licenceList({ platform: process.platform, arch: process.arch })));
}

/** Each shipped package that is installed here, with the text of its licence. */
export function licenceList(target) {
  const packages = shippedPackages(readLock(), target).filter(isInstalled);
  return packages.map(({ name, version, place, licence }) => ({ name, version, licence, text: licenceText(join(root, place), licence) }));
}

/** NOTICE as text: every package of every platform, by licence. */
export function noticeText(lock = readLock()) {
  const byLicence = new Map();
  for (const key of Object.keys(nodePackages)) {
    const [platform, arch] = key.split('-');
    for (const { name, version, licence } of shippedPackages(lock, { platform, arch })) {
      const names = byLicence.get(licence) ?? new Set();
      byLicence.set(licence, names.add(`${name} ${version}`));
    }
  }
  const groups = [...byLicence].sort(([a], [b]) => (a < b ? -1 : 1)).map(([licence, names]) => `${licence}\n${[...names].sort().map((name) => `    ${name}`).join('\n')}`);
  return `Switchback carries the work of others. This list names every package that is shipped on any platform, by its licence; the full texts are on the About page
and in resources/licences.json of an installed Switchback. The licences of Electron's and Chromium's own parts are in LICENSES.chromium.html beside the program.
Written by "npm run notice" from package-lock.json.

${groups.join('\n\n')}
`;
}

/** Writes NOTICE in the repository. */
export function writeNotice() {
  writeFileSync(join(root, 'NOTICE'), noticeText());
}

function licenceText(folder, licence) {
  const files = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && textNames.test(entry.name)) : [];
  const texts = files.map(({ name }) => readFileSync(join(folder, name), 'utf8').trim());
  if (texts.length > 0) return texts.join('\n\n');
  // Some packages name a licence and forget its text; for the longer ones it lies here.
  const known = licence.split(/[ ()]+/).map((name) => join(root, 'resources/licences', `${name}.txt`)).filter((file) => existsSync(file));
  const { author, homepage, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const where = typeof repository === 'string' ? repository : (repository?.url ?? homepage ?? '');
  const who = typeof author === 'string' ? author : (author?.name ?? '');
  return [`Licence: ${licence}`, ...(who === '' ? [] : [`Author: ${who}`]), ...(where === '' ? [] : [`Source: ${where}`]), 'The package carries no text of its licence.', ...known.map((file) => `\n${readFileSync(file, 'utf8')}`)].join('\n');
}
