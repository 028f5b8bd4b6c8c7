/** The log that outlives a window: what is kept, how much, and that a bad disk is no bad start. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openLogFile } from '../../../src-main/desktop/logFile.ts';

const root = mkdtempSync(join(tmpdir(), 'switchback-log-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const clock = (): Date => new Date('2026-11-22T10:00:00Z');

describe('the log file', () => {
  it('is written line by line with the time, and goes on after a restart', () => {
    const folder = join(root, 'plain');
    openLogFile(folder, undefined, clock).write('core: ready');
    openLogFile(folder, undefined, clock).write('core: again');
    expect(readFileSync(join(folder, 'switchback.log'), 'utf8')).toBe('2026-11-22T10:00:00.000Z core: ready\n2026-11-22T10:00:00.000Z core: again\n');
  });

  it('never grows beyond its files, and drops the oldest', () => {
    const folder = join(root, 'rotated');
    const log = openLogFile(folder, { largestBytes: 200, older: 2 }, clock);
    for (let line = 0; line < 40; line += 1) log.write(`line ${line}`);
    const names = readdirSync(folder).sort();
    expect(names).toEqual(['switchback.1.log', 'switchback.2.log', 'switchback.log']);
    for (const name of names) expect(readFileSync(join(folder, name)).length).toBeLessThanOrEqual(200);
    expect(log.tail(3).map((line) => line.slice(25))).toEqual(['line 37', 'line 38', 'line 39']);
    expect(log.tail(6).map((line) => line.slice(25))[0]).toBe('line 34');
  });

  it('cuts a line that has no end', () => {
    const log = openLogFile(join(root, 'long'), undefined, clock);
    log.write('x'.repeat(100_000));
    expect(log.tail(1)[0]!.length).toBe(25 + 8000);
  });

  it('loses lines where it cannot be written, and nothing else', () => {
    writeFileSync(join(root, 'a file'), '');
    const log = openLogFile(join(root, 'a file', 'folder'), undefined, clock);
    log.write('lost');
    expect(log.tail(5)).toEqual([]);
  });
});
