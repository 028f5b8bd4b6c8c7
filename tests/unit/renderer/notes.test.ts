/** The pure parts behind tags, notes and Compare in the interface. */
import { describe, expect, it, test } from 'vitest';
import { addressOf, compareAddress, comparedPlace, defaultView } from '../../../src-renderer/addresses.ts';
import { markdownNodes } from '../../../src-renderer/components/markdownNodes.ts';
import { orderPartners, summarize } from '../../../src-renderer/features/compare/partnerOrder.ts';
import { foundRows } from '../../../src-renderer/features/palette/foundCommands.ts';
import { placeKey, sameContents, tagSuggestions, withTags } from '../../../src-renderer/stores/noteSteps.ts';
import type { SearchAnswer } from '../../../src-renderer/api/records.ts';
import { isVNode } from 'vue';

describe('tags as they are typed', () => {
  test('are split at commas, each once, in the spelling that is known', () => {
    expect(withTags(['a'], ' Fur, b ,, A,fur', ['fur', 'B'])).toEqual(['a', 'fur', 'B']);
    expect(withTags(['a'], ' , ', [])).toEqual(['a']);
  });
  test('are completed from the start of a word first, without those that are given', () => {
    expect(tagSuggestions('e', ['wheel', 'edge', 'eye', 'fur'], ['eye'], 5)).toEqual(['edge', 'wheel']);
    expect(tagSuggestions('', ['a', 'b', 'c'], ['b'], 1)).toEqual(['a']);
  });
});

test('two contents are the same by text and by tags in order; places by all of their parts', () => {
  expect([sameContents({ text: 'a', tags: ['x'] }, { text: 'a', tags: ['x'] }), sameContents({ text: 'a', tags: ['x', 'y'] }, { text: 'a', tags: ['y', 'x'] }), sameContents({ text: 'a', tags: [] }, { text: 'b', tags: [] })]).toEqual([true, false, false]);
  expect([placeKey({ kind: 'workspace' }), placeKey({ kind: 'layer', index: 'abcdef', layer: 2 }), placeKey({ kind: 'channel', index: 'abcdef', layer: 2, channel: 0 })]).toEqual(['workspace', 'layer abcdef 2 ', 'channel abcdef 2 0']);
});

/** Elements as `tag(children)`, text as it is. */
function drawn(nodes: unknown): string {
  if (Array.isArray(nodes)) return nodes.map(drawn).join('');
  if (!isVNode(nodes)) return String(nodes);
  const href = (nodes.props as { href?: string } | null)?.href;
  const tag = typeof nodes.type === 'string' ? nodes.type : 'other';
  return `${tag}${href === undefined ? '' : `=${href}`}(${drawn(nodes.children ?? '')})`;
}

describe('Markdown', () => {
  it('becomes elements', () => {
    expect(drawn(markdownNodes('# A\n\n*b* **c** `d`\ne\n\n- f\n- g\n\n> h\n\n---\n\n```\ni\n```'))).toBe('h4(A)p(em(b) strong(c) code(d)br()e)ul(li(f)li(g))blockquote(p(h))hr()pre(code(i\n))');
  });
  it('never becomes what its writer could do harm with', () => {
    expect(drawn(markdownNodes('<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://example.org/b.png) [c](https://example.org) [d](/w/x) http://e.org'))).toBe(
      'p(<img src=x onerror=alert(1)> [a](javascript:alert(1)) !a=https://example.org/b.png(b) a=https://example.org(c) [d](/w/x) a=http://e.org(http://e.org))',
    );
  });
});

describe('addresses of Compare', () => {
  it('come back as they went', () => {
    const [left, right] = [{ index: 'abcdef12', layer: 3, channel: 0 }, { index: 'ghijkl34', layer: 12, channel: null }];
    const address = new URL(compareAddress('w 1', left, right), 'http://x');
    expect(address.pathname).toBe('/w/w%201/compare');
    expect([comparedPlace(address.searchParams.get('left')), comparedPlace(address.searchParams.get('right'))]).toEqual([left, right]);
    expect(compareAddress('w', null, null)).toBe('/w/w/compare');
  });
  it('make no sense out of nonsense', () => {
    expect(['', 'abcdef', 'abcdef/0', 'abcdef/1/x', '../etc/1', 'ABCDEF/1', 7, undefined].map(comparedPlace)).toEqual(Array.from({ length: 8 }, () => null));
  });
});

describe('partners', () => {
  const partner = (channel: number, correlation: number | null, mutual = false) => ({ channel, partner: correlation === null ? null : 0, correlation, mutual });
  const partners = [partner(0, 0.4), partner(1, null), partner(2, 0.9, true), partner(3, 0.5), partner(4, 0.9)];
  const order = (...options: [Parameters<typeof orderPartners>[1], boolean]) => orderPartners(partners, ...options).map(({ channel }) => channel);
  it('stand in the order that was asked for, those without any number last', () => {
    expect([order('closest', false), order('loneliest', false), order('number', false), order('loneliest', true)]).toEqual([[2, 4, 3, 0, 1], [0, 3, 2, 4, 1], [0, 1, 2, 3, 4], [0, 1]]);
  });
  it('are summed up', () => {
    expect(summarize(partners)).toEqual({ channels: 5, alone: 2, mutual: 1, median: 0.7 });
    expect(summarize([partner(0, null)])).toEqual({ channels: 1, alone: 1, mutual: 0, median: null });
  });
});

test('what is found leads to its place; a class to its images; a note without an index nowhere', () => {
  const none = { items: [], more: false };
  const about = { modelName: 'net', layerTitle: 'conv5', index: 'abcdef', layer: 5, channel: 17 };
  const answer: SearchAnswer = {
    layers: none, channels: { items: [{ index: 'abcdef', modelName: 'net', layer: 5, title: 'conv5', channel: 17 }], more: false },
    tags: { items: [{ tag: 'fur', count: 2, places: [about] }], more: false },
    notes: { items: [{ ...about, index: null, layer: null, excerpt: 'x', tags: [] }, { modelName: null, layerTitle: null, index: null, layer: null, channel: null, excerpt: 'y', tags: [] }], more: false },
    classes: { items: [{ index: 'abcdef', modelName: 'net', className: 'tench', wnid: 'n1', images: 4 }], more: false },
    images: { items: [{ index: 'abcdef', modelName: 'net', image: 'a/b.png', imageNumber: 3, className: null }], more: false },
  };
  const rows = foundRows(answer, 'w1', 'Workspace');
  const channel = addressOf({ ...defaultView, workspace: 'w1', index: 'abcdef', layer: 5, channel: 17 });
  expect([rows.channels[0]!.address, rows.tags[0]!.address, rows.tags[0]!.detail]).toEqual([channel, channel, 'conv5 17 · net']);
  expect(rows.notes.map(({ label, address }) => [label, address])).toEqual([['conv5 17', null], ['Workspace', '/w/w1']]);
  expect(rows.classes[0]).toMatchObject({ label: 'tench', detail: 'n1 · 4', words: 'tench' });
  expect(rows.images[0]!.address).toBe('/w/w1/i/abcdef/image/3');
});
