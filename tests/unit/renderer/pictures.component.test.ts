// @vitest-environment happy-dom
/** Pictures on screen: no flicker, no needless request, a reason where one could not be made. */
import { mount, RouterLinkStub } from '@vue/test-utils';
import { createPinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import ErrorBlock from '../../../src-renderer/components/ErrorBlock.vue';
import SteadyPicture from '../../../src-renderer/components/SteadyPicture.vue';
import ChannelCell from '../../../src-renderer/features/atlas/ChannelCell.vue';
import { i18n } from '../../../src-renderer/locales/locale.ts';
import { defaultView } from '../../../src-renderer/addresses.ts';

const asked: { readonly url: string; readonly signal: AbortSignal; readonly answer: (response: Response) => void }[] = [];
let made = 0;
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Longer than a picture has to be wanted before it is asked for. */
const settled = 90;
const global = () => ({ plugins: [createPinia(), i18n], stubs: { RouterLink: RouterLinkStub } });

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('fetch', (url: string, { signal }: { signal: AbortSignal }) =>
    new Promise<Response>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      asked.push({ url, signal, answer: resolve });
    }),
  );
  vi.stubGlobal('Image', class {
    src = '';
    decode = () => Promise.resolve();
  });
  vi.spyOn(URL, 'createObjectURL').mockImplementation(() => `blob:${++made}`);
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('the old picture stays until the new one is loaded; another subject clears it', async () => {
  const picture = mount(SteadyPicture, { props: { src: '/s?v=1', subject: 'a', alt: 'x', lane: 'patches' as const }, global: global() });
  await wait(settled);
  asked[0]!.answer(new Response('1'));
  await wait(10);
  const first = picture.get('img').attributes('src');
  await picture.setProps({ src: '/s?v=2' });
  await wait(settled);
  expect(picture.get('img').attributes('src')).toBe(first);
  asked[1]!.answer(new Response('2'));
  await wait(10);
  expect(picture.get('img').attributes('src')).not.toBe(first);
  await picture.setProps({ src: '/t?v=1', subject: 'b' });
  expect(picture.find('img').exists()).toBe(false);
  picture.unmount();
});

test('what scrolls past is never asked for; what leaves while it loads is called off', async () => {
  const passing = mount(SteadyPicture, { props: { src: '/passing', subject: 'p', alt: '', lane: 'patches' as const }, global: global() });
  await wait(10);
  passing.unmount();
  const leaving = mount(SteadyPicture, { props: { src: '/leaving', subject: 'l', alt: '', lane: 'patches' as const }, global: global() });
  await wait(settled);
  leaving.unmount();
  await wait(10);
  expect(asked.map((each) => [each.url, each.signal.aborted])).toEqual([['/leaving', true]]);
});

test('a patient picture lets its request end, then asks for the newest address only', async () => {
  const picture = mount(SteadyPicture, { props: { src: '/g?v=1', subject: 'g', alt: '', lane: 'patches' as const, patient: true }, global: global() });
  await wait(settled);
  await picture.setProps({ src: '/g?v=2' });
  await picture.setProps({ src: '/g?v=3' });
  expect(asked.map((each) => [each.url, each.signal.aborted])).toEqual([['/g?v=1', false]]);
  asked[0]!.answer(new Response('1'));
  await wait(settled + 20);
  expect(asked.map((each) => each.url)).toEqual(['/g?v=1', '/g?v=3']);
  expect(picture.find('img').exists()).toBe(true);
  picture.unmount();
  await wait(10);
});

test('a picture that could not be made says why and can be asked for again', async () => {
  const picture = mount(SteadyPicture, { props: { src: '/bad', subject: 'bad', alt: '', lane: 'patches' as const }, global: global() });
  await wait(settled);
  asked[0]!.answer(new Response(JSON.stringify({ code: 'NOT_FOUND', message: 'No hit 3.', data: {} }), { status: 404 }));
  await wait(10);
  expect(picture.get('button').attributes('title')).toBe('No hit 3.');
  await picture.get('button').trigger('click');
  await wait(settled);
  expect(asked).toHaveLength(2);
  picture.unmount();
  await wait(10);
});

const cell = (dead: boolean, mode: 'both' | 'patches') => mount(ChannelCell, {
  props: {
    summary: { channel: 17, dead, hits: dead ? 0 : 9, topScore: dead ? null : 38.214, mean: 0, shareAboveZero: 0, version: 'v1' },
    fact: dead ? '' : '38.21', tags: dead ? [] : ['dog'], noted: false,
    index: 'k3v9x2', layer: 14, mode, edge: 150, tile: 64, unique: false, view: defaultView, to: '/there', growing: false, open: false, focusable: true,
  },
  global: global(),
});

test('a cell asks for two pictures at most; a dead channel for none, and says that it is dead', async () => {
  const living = cell(false, 'both');
  await wait(settled);
  expect(asked.map((each) => each.url).sort()).toEqual(['/media/patches/k3v9x2/14/17?v=v1&size=64', '/media/projections/k3v9x2/14/17?v=v1&size=64&method=deconvnet&seed=one&scale=quantile']);
  expect(living.findComponent(RouterLinkStub).attributes('aria-label')).toBe('Channel 17, strongest score 38.21, tags dog');
  expect(living.text()).toContain('dog');
  living.unmount();
  await wait(10);
  asked.length = 0;
  const dead = cell(true, 'both');
  await wait(settled);
  expect(asked).toEqual([]);
  expect(dead.text()).toContain('dead');
  expect(dead.findComponent(RouterLinkStub).attributes('aria-label')).toBe('Channel 17, dead: no image gives it a score above zero');
});

test('an error shows the core’s sentence, and its own words where the core is away', () => {
  const block = (data: Record<string, string | boolean>) => mount(ErrorBlock, { props: { failure: { code: 'UNAVAILABLE', message: 'The worker ended with code 134.', data } }, global: global() });
  expect(block({}).get('.message').text()).toBe('The worker ended with code 134.');
  expect(block({ offline: true }).get('.message').text()).toContain('core did not answer');
});
