/**
 * Finds the real models and photographs that tests read. They are never part of the repository: the folder is named by the environment variable
 * SWITCHBACK_TEST_DATA, by default `../shared/data` beside the repository. Where it is missing a test skips and prints why; in continuous
 * integration (CI or SWITCHBACK_CI set) a missing file is a failure, so that a green run means that everything ran.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

/** Root folder of the repository. */
export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folder with the real data; it may not exist. */
export const dataFolder = resolve(repositoryRoot, process.env['SWITCHBACK_TEST_DATA'] ?? '../shared/data');

/** True where a skip for something that is missing counts as a failure. */
export const inContinuousIntegration = isSet(process.env['CI']) || isSet(process.env['SWITCHBACK_CI']);

/** How a skipped test is titled that may skip even in continuous integration; src-main/setup/runTests.mjs looks for it. */
const allowedSkip = 'may be missing here: ';

/** Absolute path of a file of the data folder, e.g. `dataPath('models/squeezenet1.1.onnx')`. It may not exist. */
export function dataPath(relative: string): string {
  return join(dataFolder, relative);
}

/** The first of these paths (relative to the data folder) that is missing, or null. */
export function missingData(needed: readonly string[]): string | null {
  return needed.find((relative) => !existsSync(dataPath(relative))) ?? null;
}

/** A `describe` for tests that read real data: `needed` are paths relative to the data folder. `body` is not even called where one is missing. */
export function describeWithData(title: string, needed: readonly string[], body: () => void): void {
  const missing = missingData(needed);
  describeWhere(title, missing === null ? null : `${dataPath(missing)} is missing (SWITCHBACK_TEST_DATA names the data folder)`, body);
}

/** A `describe` that needs a tool or a device: `reason` says why it cannot run, or null where it can. Fails in continuous integration. */
export function describeWhere(title: string, reason: string | null, body: () => void): void {
  if (reason === null) {
    describe(title, body);
  } else if (inContinuousIntegration) {
    describe(title, () => {
      it('has what it needs', () => {
        throw new Error(`${title}: ${reason}. In continuous integration nothing may be skipped.`);
      });
    });
  } else {
    skipWithReason(title, reason);
  }
}

/** A `describe` that may skip even in continuous integration, because what it needs cannot be had there (the Electron runtime). Say why the caller may do this. */
export function describeWhereAllowed(title: string, reason: string | null, body: () => void): void {
  if (reason === null) describe(title, body);
  else skipWithReason(title, reason, allowedSkip);
}

function skipWithReason(title: string, reason: string, prefix = ''): void {
  console.log(`skipped: ${title}: ${reason}`);
  describe.skip(title, () => {
    it(`${prefix}${reason}`, () => {});
  });
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
