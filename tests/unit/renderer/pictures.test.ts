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

test('slow projections do not hold back patches, nor patches projections, and a held picture is not fetched again', async () => {
  const projections = ['/p1', '/p2', '/p3'].map((url) => fetchPicture(url, 'projections', keep));
  const patches = ['/e', '/e2'].map((url) => fetchPicture(url, 'patches', keep));
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/p1', '/p2', '/e']);
  asked[2]!.answer(new Response('e'));
  await patches[0];
  expect(await (await fetchPicture('/e', 'patches', keep)).text()).toBe('e');
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/p1', '/p2', '/e', '/e2']);
  asked[0]!.answer(new Response('p1'));
  await settle();
  expect(asked.map((each) => each.url)).toEqual(['/p1', '/p2', '/e', '/e2', '/p3']);
  for (const at of [1, 3, 4]) asked[at]!.answer(new Response(''));
  await Promise.all([...projections, ...patches]);
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

test('what is left and wanted again at once, or is arriving already, is not asked for twice', async () => {
  const gone = new AbortController();
  const left = fetchPicture('/again', 'image', gone.signal);
  await settle();
  gone.abort();
  const again = fetchPicture('/again', 'image', keep);
  await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  await settle();
  asked[0]!.answer(new Response('again'));
  expect(await (await again).text()).toBe('again');
  const late = new AbortController();
  const arriving = fetchPicture('/late', 'image', late.signal);
  await settle();
  let body!: ReadableStreamDefaultController<Uint8Array>;
  asked[1]!.answer(new Response(new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) })));
  await settle();
  late.abort();
  await expect(arriving).rejects.toMatchObject({ name: 'AbortError' });
  await settle();
  const wanted = fetchPicture('/late', 'image', keep);
  body.enqueue(new TextEncoder().encode('late'));
  body.close();
  expect(await (await wanted).text()).toBe('late');
  expect(asked.map((each) => each.url)).toEqual(['/again', '/late']);
});
