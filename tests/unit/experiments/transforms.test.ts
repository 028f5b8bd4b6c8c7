/** Pictures that are shifted, scaled and rotated, and what a network makes of a shift by its stride. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { featureDistance, movePicture, valuesOf } from '../../../src-main/experiments/transforms.ts';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { writeOnnx } from '../../../src-main/importers/onnx/write.ts';
import { mapsOf } from '../../../src-main/services/labUnits.ts';
import { randomTensor, seededRandom, windowOf } from '../../support/graphs.ts';
import { callsHere, openLabSubject } from '../../support/labNetwork.ts';

const grey = (...levels: readonly number[]) => Uint8Array.from(levels.flatMap((level) => [level, level, level]));
const levelsIn = (pixels: Uint8Array) => Array.from({ length: pixels.length / 3 }, (_, at) => pixels[at * 3]);
const fill = [9, 9, 9] as const;
const square = { pixels: grey(10, 20, 30, 40, 50, 60, 70, 80, 90), height: 3, width: 3 };

describe('moving a picture', () => {
  it.each([
    ['shift', 0],
    ['scale', 1],
    ['rotation', 0],
    ['rotation', 360],
    ['rotation', -720],
  ] as const)('gives the very pixels for %s %d', (kind, value) => {
    expect(movePicture(square, { kind, value }, fill)).toBe(square.pixels);
  });

  it('shifts down by whole and half pixels, and fills from above', () => {
    expect(levelsIn(movePicture(square, { kind: 'shift', value: 1 }, fill))).toEqual([9, 9, 9, 10, 20, 30, 40, 50, 60]);
    expect(levelsIn(movePicture(square, { kind: 'shift', value: -2 }, fill))).toEqual([70, 80, 90, 9, 9, 9, 9, 9, 9]);
    // Halfway between the colour and the first row, then between rows.
    expect(levelsIn(movePicture(square, { kind: 'shift', value: 0.5 }, fill)).slice(0, 6)).toEqual([10, 15, 20, 25, 35, 45]);
  });

  it('rotates counterclockwise: a quarter turn brings the right column to the top, exactly', () => {
    expect(levelsIn(movePicture(square, { kind: 'rotation', value: 90 }, fill))).toEqual([30, 60, 90, 20, 50, 80, 10, 40, 70]);
    expect(levelsIn(movePicture(square, { kind: 'rotation', value: 180 }, fill))).toEqual([90, 80, 70, 60, 50, 40, 30, 20, 10]);
    expect(levelsIn(movePicture(square, { kind: 'rotation', value: 450 }, fill))).toEqual([30, 60, 90, 20, 50, 80, 10, 40, 70]);
  });

  it('scales around the centre', () => {
    expect(levelsIn(movePicture(square, { kind: 'scale', value: 2 }, fill))).toEqual([30, 35, 40, 45, 50, 55, 60, 65, 70]);
    expect(levelsIn(movePicture(square, { kind: 'scale', value: 0.5 }, fill))).toEqual([9, 9, 9, 9, 50, 9, 9, 9, 9]);
  });
});

it('values of a range are without the noise of adding steps', () => {
  expect(valuesOf({ from: 1, to: 1.8, step: 0.1 })).toEqual([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8]);
  expect(valuesOf({ from: -4, to: 5, step: 4 })).toEqual([-4, 0, 4]);
  expect(valuesOf({ from: 2, to: 1, step: 1 })).toEqual([]);
});

it('distances are Euclidean, and relative to the plain features where those are not all zero', () => {
  expect(featureDistance(Float32Array.of(3, 4), Float32Array.of(3, 1))).toEqual({ distance: 3, relative: 0.6 });
  expect(featureDistance(Float32Array.of(3, 4), Float32Array.of(3, 4))).toEqual({ distance: 0, relative: 0 });
  expect(featureDistance(Float32Array.of(0, 0), Float32Array.of(0, 2))).toEqual({ distance: 2, relative: null });
});

describe('a network without padding', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-stride-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the shifted map for a picture shifted by its stride', async () => {
    const random = seededRandom(4);
    const builder = createGraphBuilder('unpadded');
    builder.input('image', 'float32', ['batch', 3, 41, 41]);
    const weights = (name: string, shape: readonly number[]) => builder.tensor(randomTensor(random, name, shape, 0.3));
    builder.add('Conv', ['image', weights('w1', [4, 3, 5, 5]), weights('b1', [4])], { ...windowOf([5, 5], { strides: [2, 2] }), group: 1 }, { outputs: ['c1'] });
    builder.add('Relu', ['c1'], {}, { outputs: ['r1'] });
    builder.add('MaxPool', ['r1'], windowOf([3, 3], { strides: [2, 2] }), { outputs: ['p1'] });
    builder.add('Conv', ['p1', weights('w2', [5, 4, 3, 3]), weights('b2', [5])], { ...windowOf([3, 3], {}), group: 1 }, { outputs: ['c2'] });
    builder.add('Relu', ['c2'], {}, { outputs: ['r2'] });
    writeFileSync(join(folder, 'net.onnx'), writeOnnx(builder.finish(['r2'])));
    const inference = callsHere();
    const subject = await openLabSubject(inference, join(folder, 'net.onnx'), { engine: 'onnxruntime', device: 'cpu' });
    const layer = await subject.layer('r2');
    const [rows, stride] = [layer.height, layer.receptiveField.stride[0]];
    expect([rows, stride]).toEqual([7, 4]);
    const pixels = Uint8Array.from({ length: 41 * 41 * 3 }, () => Math.floor(256 * random()));
    const plain = await mapsOf(inference, subject, { pixels }, layer);
    for (const steps of [1, 2, -3]) {
      const moved = await mapsOf(inference, subject, { pixels: movePicture({ pixels, height: 41, width: 41 }, { kind: 'shift', value: steps * stride }, fill) }, layer);
      let [worst, compared] = [0, 0];
      for (let channel = 0; channel < layer.channels; channel++) {
        for (let row = 0; row < rows; row++) {
          const from = row - steps;
          if (from < 0 || from >= rows) continue;
          for (let column = 0; column < layer.width; column++) {
            worst = Math.max(worst, Math.abs(moved[(channel * rows + row) * layer.width + column]! - plain[(channel * rows + from) * layer.width + column]!));
            compared++;
          }
        }
      }
      expect(compared).toBe(5 * (7 - Math.abs(steps)) * 7);
      expect(worst).toBeLessThanOrEqual(1e-5);
    }
  });
});
