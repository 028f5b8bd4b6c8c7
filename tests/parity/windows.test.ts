/**
 * On real networks, every unit's projection is the same on its window as on the whole image, to 1e-5 of its largest value (method.md section 4): corners, edges and the
 * centre, all methods. A rounding error may flip a switch or a mask where two values nearly tie (section 3): pictures that differ are compared again with equal decisions,
 * and the decisions that differed are counted. The ordinary run takes a few layers of each network; `npm run windows` takes all of them.
 */
import { expect, it } from 'vitest';
import { layersOf } from '../../src-main/geometry/layers.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { compileWhole, compileWindow, planProjection, type CompiledProjection, type Projecting } from '../../src-main/inference/worker/compileProjection.ts';
import type { CompiledLooking } from '../../src-main/inference/worker/labCalls.ts';
import type { UnitOfImage } from '../../src-main/inference/worker/protocol.ts';
import type { CompiledFeatures, CompiledRanking, WorkerState } from '../../src-main/inference/worker/state.ts';
import { runWhole } from '../../src-main/inference/worker/wholeUnits.ts';
import { runWindows } from '../../src-main/inference/worker/windowUnits.ts';
import { uncut } from '../../src-main/projection/measure.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { methods } from '../../src-shared/domain/projection.ts';
import { seededRandom } from '../support/graphs.ts';
import { filledLightNetwork, lightNetworks } from '../support/lightNetworks.ts';
import { dataPath, describeWithData } from '../support/testData.ts';
import { processorTolerance } from './compare.ts';
import { compareDecided, countDecisions } from './windowDecisions.ts';

const isLong = process.env['SWITCHBACK_WINDOWS'] === 'all';
const never = new AbortController().signal;
const tolerance = 1e-5;
/** The ordinary run leaves out networks whose weights alone take long to make, and layers whose windows are large. */
const ordinaryLightNetworks: readonly string[] = ['inception_v1', 'inception_v2', 'densenet121', 'shufflenet', 'squeezenet'];
const ordinaryLayers = 3;
const largestOrdinaryWindow = 120;

const networks = [
  ...['squeezenet1.1', 'alexnet-conv1-pool5'].map((title) => ({ title, file: `models/${title}.onnx`, open: async () => (await openModel(dataPath(`models/${title}.onnx`))).model })),
  ...lightNetworks.filter((title) => isLong || ordinaryLightNetworks.includes(title)).map((title) => ({ title, file: `onnx-light/light_${title}.onnx`, open: () => filledLightNetwork(title, 20131311) })),
];

for (const { title, file, open } of networks) {
  describeWithData(`windows of ${title}`, [file], () => {
    it('are as good as the whole image', { timeout: isLong ? 7_200_000 : 120_000 }, async () => {
      const model = await open();
      const engine = await createOnnxruntimeEngine({ device: 'cpu' });
      const state: WorkerState = { engines: { engineAt: () => Promise.resolve(engine) }, model: () => Promise.resolve(model), rankings: new Map<string, CompiledRanking>(), projections: new Map<string, CompiledProjection>(), lookings: new Map<string, CompiledLooking>(), features: new Map<string, CompiledFeatures>() };
      const [, , height, width] = model.graph.inputs[0]!.shape as [unknown, unknown, number, number];
      const random = seededRandom(7);
      const preprocessing = { order: 'rgb', crop: [height, width], resize: { kind: 'none' }, scale: 1 / 255, mean: [0.45], std: [0.25] } as const;
      const given = { preprocessing, pictures: [smoothPicture(random, height, width)] };
      const all = layersOf(model.graph, model.imageInput).filter((layer) => layer.height * layer.width > 1);
      let [compared, decisions, flipped] = [0, 0, 0];
      const different: string[] = [];
      for (const layer of isLong ? all : someOf(all)) {
        for (const method of isLong ? methods : (['deconvnet', 'gradient'] as const)) {
          const projecting: Projecting = { model: { path: '', hash: '' }, layer: layer.name, method, seed: 'one', control: 'none', preprocessing, placement: { engine: 'onnxruntime', device: 'cpu' }, belowActivation: false };
          const plan = await planProjection(state, projecting);
          if (plan.work.window === undefined) continue;
          const units = unitsOf(layer, random);
          const window = await compileWindow(state, projecting);
          const whole = await compileWhole(state, projecting);
          const found = await runWindows(window, plan, given, units, () => 1, never);
          const expected = await runWhole(whole, plan, given, units, () => 1, never);
          const differentBefore = different.length;
          for (const session of [window.session, whole.forward, whole.backward]) await session.close();
          for (const [at, { channel, y, x }] of units.entries()) {
            const { values, map } = expected[at]!;
            const part = uncut(found[at]!.values, found[at]!.box, 3, height, width);
            const absmax = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            const worst = values.reduce((most, value, index) => Math.max(most, Math.abs(value - part[index]!)), 0);
            const where = `${layer.name} by ${method}, channel ${channel} at ${y}, ${x}: ${worst} of ${absmax}`;
            const activation = map[y * layer.width + x]!;
            expect(Math.abs(found[at]!.activation - activation), where).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(activation)));
            compared++;
            if (!(worst <= tolerance * absmax)) different.push(where);
          }
          const subject = { network: model.graph, imageInput: model.imageInput, layer: layer.name, method, preprocessing, picture: given.pictures[0]! };
          decisions += countDecisions(subject, units.length);
          // The ordinary run hands decisions over in any case: few differ, or they were cut wrongly.
          if (isLong && different.length === differentBefore) continue;
          const decided = await compareDecided(engine, subject, units);
          expect(Math.max(...decided.differences), `${layer.name} by ${method}, with equal decisions`).toBeLessThanOrEqual(tolerance);
          expect(decided.widestGap, `${layer.name} by ${method}: how near the decisions were`).toBeLessThanOrEqual(tolerance);
          flipped += decided.flipped;
        }
      }
      await engine.close();
      console.log(`${title}: ${compared} projections compared, ${different.length} differ by ${flipped} of ${decisions} decisions\n${different.join('\n')}`);
      expect(compared).toBeGreaterThan(0);
      expect(flipped / decisions, different.join('; ')).toBeLessThanOrEqual(processorTolerance.decisions);
    });
  });
}

/** The first, the middle and the last of the layers whose windows are small enough to be quick. */
function someOf(layers: readonly Layer[]): readonly Layer[] {
  const small = layers.filter(({ receptiveField: { size } }) => Math.max(...size.map(Number)) <= largestOrdinaryWindow);
  return [...new Set(Array.from({ length: ordinaryLayers }, (_, at) => small[Math.round((at * (small.length - 1)) / (ordinaryLayers - 1))]!))];
}

/** Two corners, two edges and the centre, each of some channel. */
function unitsOf({ channels, height, width }: Layer, random: () => number): readonly UnitOfImage[] {
  const [bottom, right, middle, centre] = [height - 1, width - 1, Math.floor(height / 2), Math.floor(width / 2)];
  return [[0, 0], [bottom, right], [0, centre], [middle, right], [middle, centre]].map(([y, x]) => ({ picture: 0, channel: Math.floor(random() * channels), y: y!, x: x! }));
}

/** Soft waves under fine noise: nothing in it repeats, so that no two values tie by design. */
function smoothPicture(random: () => number, height: number, width: number): Uint8Array {
  const waves = Array.from({ length: 3 }, () => ({ down: 0.02 + 0.1 * random(), across: 0.02 + 0.1 * random(), phase: 6 * random() }));
  return Uint8Array.from({ length: height * width * 3 }, (_, at) => {
    const { down, across, phase } = waves[at % 3]!;
    const [y, x] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    return 128 + 70 * Math.sin(down * y + across * x + phase) + 100 * (random() - 0.5);
  });
}
