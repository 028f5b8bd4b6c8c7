/** What a taskbar, a notification and the power settings are told of jobs. */
import { describe, expect, it } from 'vitest';
import { endedBetween, keepsAwake, progressOf, type SeenJob } from '../../../src-main/desktop/jobSigns.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const job = (change: Partial<SeenJob>): SeenJob => ({ id: 'a', title: 'Index photos', state: 'running', done: 0, total: 0, error: null, startedAt: '2026-11-22T10:00:00Z', endedAt: null, ...change });

describe('the icon', () => {
  it('shows one bar for all that runs and waits, and none where nothing does', () => {
    expect(progressOf([])).toBe(null);
    expect(progressOf([job({ state: 'done', done: 9, total: 9 })])).toBe(null);
    expect(progressOf([job({})])).toBe('unknown');
    expect(progressOf([job({ done: 30, total: 100 }), job({ id: 'b', state: 'queued', total: 100 }), job({ id: 'c', state: 'paused', total: 100 })])).toBe(0.15);
  });

  it('keeps the machine awake only while something computes', () => {
    expect(['queued', 'running', 'paused', 'done'].map((state) => keepsAwake([job({ state })]))).toEqual([false, true, false, false]);
  });
});

describe('a notification', () => {
  const after = (state: string, change: Partial<SeenJob> = {}, before = 'running'): unknown => endedBetween([job({ state: before })], [job({ state, endedAt: '2026-11-22T10:02:00Z', ...change })], start);

  it('tells of a long job that is done, failed, or waits for somebody', () => {
    expect(after('done')).toEqual([{ title: 'Index photos', outcome: 'done', reason: '' }]);
    expect(after('failed', { error: { message: 'The disk is full.' } })).toEqual([{ title: 'Index photos', outcome: 'failed', reason: 'The disk is full.' }]);
    expect(endedBetween([job({})], [job({ state: 'paused', error: { message: 'The folder is gone.' } })], start + 61_000)).toEqual([{ title: 'Index photos', outcome: 'paused', reason: 'The folder is gone.' }]);
  });

  it('is not worth a short job, one that the person ended, or one that was over before', () => {
    expect(after('done', { endedAt: '2026-11-22T10:00:59Z' })).toEqual([]);
    expect(after('cancelled')).toEqual([]);
    expect(after('paused')).toEqual([]);
    expect(after('done', {}, 'done')).toEqual([]);
    expect(endedBetween([], [job({ state: 'done', endedAt: '2026-11-22T11:00:00Z' })], start)).toEqual([]);
  });
});
