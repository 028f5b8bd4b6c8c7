// @vitest-environment happy-dom
/** Pictures are fetched in lanes, called off when they are no longer wanted, and never asked for twice. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fetchPicture } from '../../../src-renderer/api/pictures.ts';

interface Asked {
  readonly url: string;
  readonly answer: (response: Response) => void;
}

const asked: Asked[] = [];
const keep = new AbortController().signal;
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('fetch', (url: string) => new Promise<Response>((resolve) => asked.push({ url, answer: resolve })));
});
afterEach(() => void vi.unstubAllGlobals());

test('two patches at once; one that leaves the queue is never asked for', async () => {
  const gone = new AbortController();
  const first = fetchPicture('/a', 'patches', keep);
  const second = fetchPicture('/b', 'patches', keep);
  const third = fetchPicture('/c', 'patches', gone.signal);
  const fourth = fetchPicture('/d', 'patches', keep);
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/a', '/b']);
  gone.abort();
  await expect(third).rejects.toMatchObject({ name: 'AbortError' });
  asked[0]!.answer(new Response('a'));
  await first;
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/a', '/b', '/d']);
  asked[1]!.answer(new Response('b'));
  asked[2]!.answer(new Response('d'));
  expect(await (await second).text()).toBe('b');
  expect(await (await fourth).text()).toBe('d');
});

test('a slow projection does not hold back patches, and a held picture is not fetched again', async () => {
  const projection = fetchPicture('/p1', 'projections', keep);
  const waiting = fetchPicture('/p2', 'projections', keep);
  const patch = fetchPicture('/e', 'patches', keep);
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/p1', '/e']);
  asked[1]!.answer(new Response('e'));
  await patch;
  expect(await (await fetchPicture('/e', 'patches', keep)).text()).toBe('e');
  expect(asked).toHaveLength(2);
  asked[0]!.answer(new Response('p1'));
  await projection;
  await settle();
  asked[2]!.answer(new Response('p2'));
  await waiting;
});

test('two that want the same picture ask once; it is called off when both have left', async () => {
  const one = new AbortController();
  const first = fetchPicture('/h', 'image', one.signal);
  const second = fetchPicture('/h', 'image', keep);
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/h']);
  one.abort();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  asked[0]!.answer(new Response('h'));
  expect(await (await second).text()).toBe('h');
  const busy = [fetchPicture('/i', 'image', keep), fetchPicture('/j', 'image', keep)];
  const both = [new AbortController(), new AbortController()];
  const waiting = both.map(({ signal }) => fetchPicture('/k', 'image', signal));
  for (const [at, { abort }] of both.map((each) => ({ abort: () => each.abort() })).entries()) {
    abort();
    await expect(waiting[at]).rejects.toMatchObject({ name: 'AbortError' });
  }
  asked[1]!.answer(new Response('i'));
  asked[2]!.answer(new Response('j'));
  await Promise.all(busy);
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/h', '/i', '/j']);
});

test('a refusal is thrown as the core wrote it, and frees its lane', async () => {
  const refused = fetchPicture('/f', 'detail', keep);
  await settle();
  asked[0]!.answer(new Response(JSON.stringify({ code: 'NOT_FOUND', message: 'No hit.', data: {} }), { status: 404 }));
  await expect(refused).rejects.toEqual({ code: 'NOT_FOUND', message: 'No hit.', data: {} });
  const next = fetchPicture('/g', 'detail', keep);
  await settle();
  asked[1]!.answer(new Response('g'));
  expect(await (await next).text()).toBe('g');
});
