/**
 * Which program this is and whose work is in it (the list that the build writes), and a text for a report. What leaves in that text names no home folder:
 * people paste it where strangers read.
 */
import { cpus, homedir, release, totalmem } from 'node:os';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { AppError } from '../../src-shared/errors.ts';
import type { RecentLines } from './recentLines.ts';
import type { DoctorReport, SettingsService } from './settings.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface AboutService {
  get(): Promise<{ version: string; node: string; platform: string; packages: { name: string; version: string; licence: string; number: number }[] }>;
  licenceText(number: number): Promise<{ text: string }>;
  diagnostics(signal?: AbortSignal): Promise<{ text: string }>;
}

export interface AboutOptions {
  readonly version: string;
  /** JSON list that the build writes; absent or missing: nothing is known of packages. */
  readonly licencesFile?: string | undefined;
  readonly recentLines: RecentLines;
}

/** What src-main/setup/licences.mjs writes. */
const licenceList = z.array(z.object({ name: z.string(), version: z.string(), licence: z.string(), text: z.string() }));

export function createAboutService(workspaces: WorkspaceService, settings: SettingsService, { version, licencesFile, recentLines }: AboutOptions): AboutService {
  const facts = { version, node: process.version, platform: `${process.platform} ${process.arch}` };
  const list = async (): Promise<z.infer<typeof licenceList>> => {
    const content = licencesFile === undefined ? '[]' : await readFile(licencesFile, 'utf8').catch(() => '[]');
    return licenceList.parse(JSON.parse(content));
  };
  return {
    async get() {
      const packages = (await list()).map(({ name, version: shipped, licence }, number) => ({ name, version: shipped, licence, number }));
      return { ...facts, packages };
    },
    async licenceText(number) {
      const found = (await list())[number];
      if (!found) throw new AppError('NOT_FOUND', `There is no licence number ${number}: list the packages to see what is shipped.`);
      return { text: found.text };
    },
    async diagnostics(signal) {
      const report = await settings.doctor({}, signal).catch(() => undefined);
      const open = workspaces.current();
      const jobs = open ? await workspaces.required().queue.list() : [];
      const lines = [
        `Switchback ${facts.version} on Node ${facts.node}, ${facts.platform} ${release()}`,
        `processor: ${cpus()[0]?.model.trim() ?? 'unknown'} x ${cpus().length}; memory: ${gibibytes(totalmem())} GiB; core holds ${gibibytes(process.memoryUsage.rss())} GiB`,
        `workspace: ${open === null ? 'none' : `${open.kind}${open.readOnly === null ? '' : ', read only'}`}`,
        ...jobs.map((job) => `job: ${job.kind} ${job.state}, ${job.done} of ${job.total ?? 'unknown'}${job.error === null ? '' : `, ${job.error.code}: ${job.error.message}`}`),
        ...(report?.engines ?? []).map(engineLine),
        ...(report?.libraries ?? []).map((library) => `library: ${library.name} ${library.available ? library.version : 'missing'}`),
        '',
        'log:',
        ...recentLines.list(),
      ];
      return { text: withoutHome(lines.join('\n')) };
    },
  };
}

/** The same text with `~` for the person's home folder, in every spelling of its separators. */
export function withoutHome(text: string, home = homedir()): string {
  if (home.length < 3) return text;
  const spellings = new Set([home, home.replaceAll('\\', '/'), home.replaceAll('\\', '\\\\'), encodeURI(home.replaceAll('\\', '/'))]);
  return [...spellings].reduce((cleaned, spelling) => cleaned.replaceAll(spelling, '~'), text);
}

function engineLine({ engine, device, available, driver, reason, selfTest }: DoctorReport['engines'][number]): string {
  const state = available ? (selfTest === null ? 'available' : selfTest.passed ? 'available, self-test passed' : `self-test FAILED: ${selfTest.detail}`) : `not available: ${reason}`;
  return `device: ${engine} on ${device}: ${state}${driver === '' ? '' : ` (${driver})`}`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
