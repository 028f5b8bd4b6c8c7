/** The sweep: where its squares lie, in which order they are asked about, and what becomes of the answers. */
import { describe, expect, it } from 'vitest';
import { occlusionBox, occlusionCentres, sweepOcclusion, type OcclusionOrder } from '../../../src-main/lab/occlusion.ts';
import type { LabNetworkQuestions, LabPictures } from '../../../src-main/lab/question.ts';

describe('squares of an occlusion sweep', () => {
  it('stand on a grid that reaches both borders', () => {
    expect(occlusionCentres(64, 16)).toEqual([0, 16, 32, 48, 64]);
    expect(occlusionCentres(60, 16)).toEqual([0, 16, 32, 48, 60]);
    expect(occlusionCentres(10, 20)).toEqual([0, 10]);
  });
  it('are clipped to the picture', () => {
    expect(occlusionBox(0, 32, 48, 64, 64)).toEqual([0, 8, 24, 56]);
    expect(occlusionBox(64, 64, 48, 64, 64)).toEqual([40, 40, 64, 64]);
    expect(occlusionBox(5, 5, 3, 64, 64)).toEqual([4, 4, 7, 7]);
  });
});

describe('the sweep', () => {
  const order: OcclusionOrder = { pixels: new Uint8Array(0), height: 80, width: 48, size: 16, stride: 16, colour: [1, 2, 3], class: 1, layer: 'map', channel: 2 };
  const signal = new AbortController().signal;
  const parts: number[] = [];
  const asked: string[] = [];
  /** Scores that say where the square begins. */
  const network = {
    async look(pictures: LabPictures, totalsOf: string | null) {
      if (pictures.kind !== 'squares') throw new Error(pictures.kind);
      expect([totalsOf, pictures.colour]).toEqual(['map', [1, 2, 3]]);
      asked.push(...pictures.boxes.map(String));
      return { logits: Float32Array.from(pictures.boxes.flatMap(([y0]) => [0, y0 > 20 ? 1 : -1])), totals: Float32Array.from(pictures.boxes.flatMap(([, x0]) => [0, 0, x0])) };
    },
  } as unknown as LabNetworkQuestions;

  it('asks for a coarse grid first, then for each other position once', async () => {
    const maps = await sweepOcclusion(network, order, (_, done, total) => parts.push(done, total), signal);
    expect([maps.rows, maps.columns]).toEqual([[0, 16, 32, 48, 64, 80], [0, 16, 32, 48]]);
    expect(asked.slice(0, 2)).toEqual(['0,0,8,8', '56,0,72,8']);
    expect(new Set(asked).size).toBe(24);
    expect(asked.length).toBe(24);
    expect(parts).toEqual([2, 24, 6, 24, 24, 24]);
    expect(maps.label.map((row) => row[0])).toEqual([0, 0, 1, 1, 1, 1]);
    expect(maps.probability[0]![0]).toBeCloseTo(1 / (1 + Math.E), 6);
    expect(maps.total[3]).toEqual([0, 8, 24, 40]);
  });

  it('ends with the reason it was stopped for', async () => {
    const stopped = { look: async () => Promise.reject(new Error('stopped')) } as unknown as LabNetworkQuestions;
    await expect(sweepOcclusion(stopped, order, () => undefined, signal)).rejects.toThrow('stopped');
  });
});
