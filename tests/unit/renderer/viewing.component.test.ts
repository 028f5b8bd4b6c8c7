/** How the atlas is looked at is remembered for each workspace, and a place for each index. */
import { createPinia, setActivePinia } from 'pinia';
import { nextTick } from 'vue';
import { beforeEach, expect, test } from 'vitest';
import { useViewing } from '../../../src-renderer/stores/viewing.ts';

/** As after the page was loaded again. */
function reopened(): ReturnType<typeof useViewing> {
  setActivePinia(createPinia());
  return useViewing();
}

beforeEach(() => localStorage.clear());

test('each workspace keeps its own way of looking; a new one begins as the last was looked at', async () => {
  const viewing = reopened();
  viewing.openFor('a');
  viewing.mode = 'patches';
  viewing.order = 'selectivity';
  viewing.filter = 'tag:dog';
  await nextTick();
  viewing.openFor('b');
  expect([viewing.mode, viewing.order, viewing.filter]).toEqual(['patches', 'selectivity', 'tag:dog']);
  viewing.mode = 'projections';
  await nextTick();
  viewing.openFor('a');
  expect(viewing.mode).toBe('patches');
  const again = reopened();
  again.openFor('b');
  expect([again.mode, again.filter]).toEqual(['projections', 'tag:dog']);
});

test('a place is a layer and where its grid was scrolled; the top is forgotten', () => {
  const viewing = reopened();
  viewing.openFor('a');
  expect(viewing.lastPlace('x')).toEqual({ layer: null, firstChannels: {} });
  viewing.rememberLayer('x', 3);
  viewing.rememberScroll('x', 3, 48);
  viewing.rememberScroll('x', 5, 7);
  viewing.rememberScroll('x', 5, null);
  const again = reopened();
  again.openFor('a');
  expect(again.lastPlace('x')).toEqual({ layer: 3, firstChannels: { 3: 48 } });
  expect(again.lastPlace('y').layer).toBeNull();
});

test('what another version or another program wrote is passed over', () => {
  localStorage.setItem('switchback.viewing', '{"mode":"upside-down","filter":"blue","sheetEdge":9999,"order":"strongest"}');
  localStorage.setItem('switchback.viewing.a', '{"viewing":{"mode":3},"places":7}');
  const viewing = reopened();
  viewing.openFor('a');
  expect([viewing.mode, viewing.filter, viewing.sheetEdge, viewing.order]).toEqual(['both', 'all', 150, 'strongest']);
  expect(viewing.lastPlace('x').layer).toBeNull();
});

test('workspaces that were not opened for long are forgotten', async () => {
  const viewing = reopened();
  for (let at = 0; at <= 40; at++) {
    viewing.openFor(`w${at}`);
    viewing.rememberLayer('x', at + 1);
  }
  await nextTick();
  expect(localStorage.getItem('switchback.viewing.w0')).toBeNull();
  expect(localStorage.getItem('switchback.viewing.w1')).not.toBeNull();
});
