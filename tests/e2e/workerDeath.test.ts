/**
 * Devices that die, hang, run out of memory or compute wrong numbers, in real processes (support/fakeDeviceWorker.ts): the work ends on another device or
 * with a message that says what was tried, and the rows are those of an undisturbed run.
 */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src-main/dataset/picture.ts';
import type { BatchScores, LayerScores, Placement } from '../../src-main/inference/worker/protocol.ts';
import { createInferenceClient, type InferenceClient, type InferenceClientOptions } from '../../src-main/inference/worker/client.ts';
import { createDeviceScoring, type WayChange, type WayOfComputing } from '../../src-main/services/deviceScoring.ts';
import { createServices } from '../../src-main/services/services.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import type { FakeDevices, Misbehaviour } from '../support/fakeDeviceWorker.ts';
import { seededRandom } from '../support/graphs.ts';
import { eventually } from '../support/processes.ts';
import { smallModelLayers, smallModelPreprocessing as preprocessing, writeSmallModel } from '../support/smallModel.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

const entry = join(repositoryRoot, 'tests/support/fakeDeviceWorker.ts');
const card: Placement = { engine: 'onnxruntime', device: 'webgpu' };
const otherCard: Placement = { engine: 'onnxruntime', device: 'cuda' };
const processor: Placement = { engine: 'onnxruntime', device: 'cpu' };
const batch = 4;
const imageBytes = 16 * 16 * 3;
const limits = { floorMs: 2500, factor: 2, firstMs: 4000, cancelledMs: 500 };

const home = temporaryFolder('worker-death');
const codeCache = join(home, 'cache', 'code');
const modelPath = join(home, 'small.onnx');
let modelHash = '';
const clients: InferenceClient[] = [];

function clientWith(fakes: FakeDevices, options: Partial<InferenceClientOptions> = {}): InferenceClient {
  process.env['SWITCHBACK_FAKE_DEVICES'] = JSON.stringify(fakes);
  const client = createInferenceClient({ entry, limits, codeCache, ...options });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  writeSmallModel(modelPath);
  const client = clientWith({});
  ({ modelHash } = await client.call('inspect', { path: modelPath }));
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

const random = seededRandom(3);
const pictures = Uint8Array.from({ length: 12 * batch * imageBytes }, () => 256 * random());

interface Run {
  readonly rows: readonly (readonly LayerScores[])[];
  readonly notes: readonly string[];
  readonly changes: readonly WayChange[];
  readonly ended: WayOfComputing;
}

/** Five batches of four pictures, two of them given at once as an index does. */
async function run(client: InferenceClient, start: Placement, next: readonly Placement[]): Promise<Run> {
  const notes: string[] = [];
  const changes: WayChange[] = [];
  const scoring = createDeviceScoring({
    inference: client,
    index: { ...start, batchSize: batch, modelPath, modelHash, layers: smallModelLayers, preprocessing },
    devices: () => Promise.resolve(next),
    note: (text) => notes.push(text),
    changed: (change) => void changes.push(change),
  });
  const rows: (readonly LayerScores[])[] = [];
  const inFlight: Promise<BatchScores>[] = [];
  for (let at = 0; at < 5 * batch; at += batch) {
    const scores = scoring.score(pictures.subarray(at * imageBytes, (at + batch) * imageBytes), at, new AbortController().signal);
    scores.catch(() => undefined);
    inFlight.push(scores);
    if (inFlight.length === 2) rows.push((await inFlight.shift()!).layers);
  }
  for (const scores of inFlight) rows.push((await scores).layers);
  return { rows, notes, changes, ended: scoring.placement() };
}

async function runWith(card: Misbehaviour, next: readonly Placement[] = [processor], others: FakeDevices = {}): Promise<Run> {
  return run(clientWith({ 'onnxruntime on webgpu': card, ...others }), { engine: 'onnxruntime', device: 'webgpu' }, next);
}

describe('an index on a device that fails', () => {
  let undisturbed: Run;

  beforeAll(async () => {
    undisturbed = await runWith({ kind: 'well' });
    expect(undisturbed.rows.map((batchRows) => batchRows.map(({ score }) => score.length))).toEqual(Array.from({ length: 5 }, () => [4 * 4, 4 * 6]));
    expect(undisturbed.rows.flat().some(({ score }) => score.some((value) => value > 0.1))).toBe(true);
    expect([undisturbed.notes, undisturbed.changes, undisturbed.ended]).toEqual([[], [], { ...card, batchSize: batch }]);
  });

  it('goes on by itself where its process dies now and then', async () => {
    const { rows, notes, changes, ended } = await runWith({ kind: 'dies', run: 4 });
    expect(rows).toEqual(undisturbed.rows);
    expect([notes, changes, ended]).toEqual([['the inference process ended and was started again (1 of 2)'], [], { ...card, batchSize: batch }]);
  });

  it('moves to the next device where its process dies at once, three times', async () => {
    const { rows, notes, changes, ended } = await runWith({ kind: 'dies', run: 1 });
    expect(rows).toEqual(undisturbed.rows);
    const reason = 'onnxruntime on webgpu was given up: The inference process ended unexpectedly (signal SIGKILL). onnxruntime on cpu goes on.';
    expect(notes).toEqual(['the inference process ended and was started again (1 of 2)', 'the inference process ended and was started again (2 of 2)', reason]);
    expect(changes).toEqual([{ fromImage: 0, ...processor, batchSize: batch, description: 'onnxruntime 1.30.0 cpu', reason }]);
    expect(ended).toEqual({ ...processor, batchSize: batch });
  });

  it.each(['blocked', 'waiting'] as const)('starts a process again that hangs (%s)', async (how) => {
    const { rows, notes, changes } = await runWith({ kind: 'hangs', how, run: 4 });
    expect(rows).toEqual(undisturbed.rows);
    expect([notes, changes]).toEqual([['the inference process of onnxruntime on webgpu hung and was started again (1 of 2)'], []]);
  });

  it('halves the batch where memory runs out, and goes on in parts of it', async () => {
    const { rows, notes, changes, ended } = await runWith({ kind: 'full', above: 2 });
    const reason = 'onnxruntime on webgpu ran out of memory with 4 images at once; it goes on with 2.';
    expect([notes, changes]).toEqual([[reason], [{ fromImage: 0, ...card, batchSize: 2, description: 'onnxruntime on webgpu', reason }]]);
    expect(ended).toEqual({ ...card, batchSize: 2 });
    expect(largestDifference(rows, undisturbed.rows)).toBeLessThan(1e-5);
    expect(rows.flat().map(({ position }) => position)).toEqual(undisturbed.rows.flat().map(({ position }) => position));
  });

  it('moves on where there is no memory for a single image', async () => {
    const { rows, notes, ended } = await runWith({ kind: 'full', above: 0 });
    expect(rows).toEqual(undisturbed.rows);
    expect(notes.slice(0, 3)).toEqual([
      'onnxruntime on webgpu ran out of memory with 4 images at once; it goes on with 2.',
      'onnxruntime on webgpu ran out of memory with 2 images at once; it goes on with 1.',
      'onnxruntime on webgpu has no memory for a single image; it is tried again (1 of 2)',
    ]);
    expect(notes[3]).toMatch(/^onnxruntime on webgpu was given up: Failed to allocate memory .* onnxruntime on cpu goes on\.$/);
    expect(ended).toEqual({ ...processor, batchSize: batch });
  });

  it('never moves to a device that computes wrong numbers, or is not there', async () => {
    const { rows, changes } = await runWith({ kind: 'dies', run: 1 }, [card, otherCard, { engine: 'tensorflow', device: 'cuda' }, processor], {
      'onnxruntime on cuda': { kind: 'wrong' },
      'tensorflow on cuda': { kind: 'absent' },
    });
    expect(rows).toEqual(undisturbed.rows);
    expect(changes.map(({ engine, device, fromImage }) => [engine, device, fromImage])).toEqual([['onnxruntime', 'cpu', 0]]);
  });

  it('fails with what was tried where no device is left', async () => {
    const others: FakeDevices = { 'onnxruntime on cuda': { kind: 'absent' } };
    await expect(runWith({ kind: 'dies', run: 1 }, [otherCard], others)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message:
        'No device is left to compute with; what is done is kept. onnxruntime on webgpu: The inference process ended unexpectedly (signal SIGKILL). onnxruntime on cuda: There is no such card in this machine.',
      data: { tried: 'onnxruntime on webgpu, onnxruntime on cuda' },
    });
  });

  it('is told apart from a model file that changed, which no device would cure', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'well' } });
    const call = client.call('score', { model: { path: modelPath, hash: 'other' }, layers: smallModelLayers, preprocessing, placement: card, batch, pixels: pictures.slice(0, batch * imageBytes) });
    await expect(call).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('the pool of processes', () => {
  const scoreOn = (client: InferenceClient, placement: Placement, signal?: AbortSignal) =>
    client.call('score', { model: { path: modelPath, hash: modelHash }, layers: smallModelLayers, preprocessing, placement, batch, pixels: pictures.slice(0, batch * imageBytes) }, signal);

  it('refuses a device that computes wrong numbers, with the numbers', async () => {
    const row = await clientWith({ 'onnxruntime on webgpu': { kind: 'wrong' } }).call('probe', { placement: card, benchmark: false });
    expect(row).toMatchObject({ ...card, available: false, selfTest: { passed: false } });
    expect(row.selfTest!.worst).toBeCloseTo(0.1, 2);
  });

  it('says that a driver ended its process, and keeps the others', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'dies', run: 1 } });
    await scoreOn(client, processor);
    const before = client.processes().get('onnxruntime on cpu');
    await expect(client.call('probe', { placement: card, benchmark: false })).rejects.toMatchObject({ code: 'UNAVAILABLE', data: { how: 'signal SIGKILL' } });
    await scoreOn(client, processor);
    expect(client.processes().get('onnxruntime on cpu')).toBe(before);
  });

  it('answers on one device while another hangs', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'hangs', how: 'blocked', run: 1 } });
    const hanging = scoreOn(client, card).catch((error: unknown) => error);
    await expect(scoreOn(client, processor)).resolves.toMatchObject({ layers: { length: 2 } });
    expect(await hanging).toMatchObject({ code: 'UNAVAILABLE', data: { how: 'hung' } });
    expect(client.processes().has('onnxruntime on webgpu')).toBe(false);
  });

  it('does not wait for a cancelled call that does not end', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'hangs', how: 'blocked', run: 2 } });
    await scoreOn(client, card);
    const controller = new AbortController();
    const hanging = scoreOn(client, card, controller.signal);
    await wait(200);
    const cancelledMs = performance.now();
    controller.abort();
    await expect(hanging).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(performance.now() - cancelledMs).toBeLessThan(100);
    await expect(scoreOn(client, card)).resolves.toMatchObject({ layers: { length: 2 } });
  });

  it('carries calls that had not begun to the next process', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'dies', run: 2 } });
    const [first, second, third] = await Promise.allSettled([scoreOn(client, card), scoreOn(client, card), scoreOn(client, card)]);
    expect([first!.status, second!.status, third!.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('ends a process that had nothing to do for long, and starts it again', async () => {
    const client = clientWith({}, { idleMs: 300 });
    await scoreOn(client, processor);
    const before = client.processes().get('onnxruntime on cpu')!;
    await eventually(() => Promise.resolve(isAlive(before) ? undefined : true), 'end of the idle process', 10_000);
    expect(client.processes().size).toBe(0);
    await expect(scoreOn(client, processor)).resolves.toMatchObject({ layers: { length: 2 } });
  });

  it('meets a fresh process after a restart', async () => {
    const client = clientWith({});
    const running = scoreOn(client, processor);
    await wait(0);
    const before = await eventually(() => Promise.resolve(client.processes().get('onnxruntime on cpu')), 'process');
    client.restart(processor);
    await expect(running).resolves.toMatchObject({ layers: { length: 2 } });
    await scoreOn(client, processor);
    expect(client.processes().get('onnxruntime on cpu')).not.toBe(before);
    await eventually(() => Promise.resolve(isAlive(before) ? undefined : true), 'end of the old process', 10_000);
  });

  it('takes no more calls when it closes, and ends what hangs', async () => {
    const client = clientWith({ 'onnxruntime on webgpu': { kind: 'hangs', how: 'blocked', run: 1 } });
    const hanging = scoreOn(client, card).catch((error: unknown) => error);
    const pid = await eventually(() => Promise.resolve(client.processes().get('onnxruntime on webgpu')), 'process');
    await client.close();
    expect(isAlive(pid)).toBe(false);
    expect(await hanging).toMatchObject({ code: 'CANCELLED', message: 'Switchback is closing.' });
    await expect(scoreOn(client, processor)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('an index job whose device fails', () => {
  const images = join(home, 'images');
  let undisturbed: Awaited<ReturnType<typeof indexed>>;

  beforeAll(async () => {
    mkdirSync(images);
    for (let at = 0; at < 12 * batch; at++) writeFileSync(join(images, `${String(at).padStart(2, '0')}.png`), await encodePng(pictures.slice(at * imageBytes, (at + 1) * imageBytes), 16, 16, 3));
    undisturbed = await indexed('undisturbed', { kind: 'well' });
    expect(undisturbed.hits.flat().reduce((sum, { hits }) => sum + hits.length, 0)).toBeGreaterThan(50);
    expect(undisturbed.record).toMatchObject({ state: 'complete', device: 'webgpu', placementChanges: [] });
  });

  /** A cache of its own: what was found of a device is kept there. */
  async function indexed(workspace: string, card: Misbehaviour) {
    process.env['SWITCHBACK_FAKE_DEVICES'] = JSON.stringify({ 'onnxruntime on webgpu': card } satisfies FakeDevices);
    const services = createServices({ workerEntry: entry, version: 'test', folders: { config: join(home, 'config'), data: join(home, 'data'), cache: join(home, `${workspace} cache`) } });
    try {
      await services.workspaces.create({ path: join(home, workspace) });
      const { index } = await services.indexing.start({ modelPath, imagesPath: images, preprocessing, top: 9, engine: 'onnxruntime', device: 'webgpu', batch });
      for await (const { running } of services.indexing.watch(index)) if (!running) break;
      const record = await services.indexing.get(index);
      return { record, job: (await services.jobs.list())[0]!, hits: [await services.indexing.hits(index, 1), await services.indexing.hits(index, 2)] };
    } finally {
      await services.close();
    }
  }

  it('ends with the same rows, and its record says from which image on which device computed them', async () => {
    // Its self-test is over before the fourth run, the index is not: three strikes come in the middle.
    const { record, hits } = await indexed('moved', { kind: 'dies', run: 4 });
    expect(hits).toEqual(undisturbed.hits);
    const [change, ...more] = record.placementChanges;
    expect([record.state, record.device, change?.engine, change?.device, change?.batchSize, more]).toEqual(['complete', 'webgpu', 'onnxruntime', 'cpu', batch, []]);
    expect([change!.fromImage % batch, change!.fromImage >= 3 * batch, change!.fromImage < 12 * batch]).toEqual([0, true, true]);
    expect(change!.reason).toBe('onnxruntime on webgpu was given up: The inference process ended unexpectedly (signal SIGKILL). onnxruntime on cpu goes on.');
  });

  it('ends in smaller batches where memory runs out', async () => {
    const { record, hits } = await indexed('halved', { kind: 'full', above: 3 });
    expect(record).toMatchObject({ state: 'complete', batchSize: batch, placementChanges: [{ fromImage: 0, ...card, batchSize: 2 }] });
    expect(hits.flat().map(({ hits: found }) => found.map(({ image }) => image))).toEqual(undisturbed.hits.flat().map(({ hits: found }) => found.map(({ image }) => image)));
  });

  it('is refused on a device that computes wrong numbers', async () => {
    await expect(indexed('refused', { kind: 'wrong' })).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('failed its self-test') as string });
  });
});

describeWhere('a core that is killed', process.platform === 'linux' ? null : 'processes are read from /proc, which only Linux has', () => {
  it('leaves no inference process behind, not even one that hangs', async () => {
    process.env['SWITCHBACK_FAKE_DEVICES'] = JSON.stringify({ 'onnxruntime on webgpu': { kind: 'hangs', how: 'blocked', run: 1 } } satisfies FakeDevices);
    const program = join(home, 'core.ts');
    writeFileSync(
      program,
      `import { createInferenceClient } from ${JSON.stringify(join(repositoryRoot, 'src-main/inference/worker/client.ts'))};
       const client = createInferenceClient({ entry: ${JSON.stringify(entry)} });
       client.call('probe', { placement: ${JSON.stringify(card)}, benchmark: false });
       setInterval(() => { for (const pid of client.processes().values()) process.send({ pid }); }, 50);`,
    );
    const core = fork(program, [], { execArgv: [] });
    const { pid } = await new Promise<{ pid: number }>((resolve) => core.once('message', (message) => resolve(message as { pid: number })));
    await wait(1500);
    expect(isAlive(pid)).toBe(true);
    core.kill('SIGKILL');
    await eventually(() => Promise.resolve(isAlive(pid) ? undefined : true), 'end of the inference process', 10_000);
  });
});

function largestDifference(actual: Run['rows'], expected: Run['rows']): number {
  return Math.max(...actual.flatMap((row, at) => row.flatMap(({ score }, layer) => [...score].map((value, index) => Math.abs(value - expected[at]![layer]!.score[index]!)))));
}

/** A zombie that nobody has waited for does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
