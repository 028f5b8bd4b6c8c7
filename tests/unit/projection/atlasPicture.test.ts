/** The kept form of a projection: under every scale the same picture as from the exact values, to one grey level; small; and the same after packing. */
import { describe, expect, it } from 'vitest';
import type { Box } from '../../../src-shared/domain/geometry.ts';
import { scales } from '../../../src-shared/domain/projection.ts';
import { atlasLevels, packAtlasPicture, toAtlasPicture, unpackAtlasPicture } from '../../../src-main/projection/atlasPicture.ts';
import { displayLimits, levelsOf } from '../../../src-main/projection/display.ts';
import { measure } from '../../../src-main/projection/measure.ts';
import { normalFloats, seededRandom } from '../../support/graphs.ts';

const edge = 96;
const box: Box = [0, 0, edge, edge];

/** Values as trained networks give them: most are small, few are large (cubes of normal numbers), some are zero. */
function heavyTailed(seed: number, worth: number): Float32Array {
  const random = seededRandom(seed);
  return normalFloats(random, 3 * edge * edge).map((value) => (random() < 0.2 ? 0 : value ** 3 * worth));
}

/** Nine projections of very different strength, as they might stand beside each other. */
const nine = [0.08, 0.04, 3e-3, 0.02, 12, 1e-6, 0.3, 5, 80].map((worth, at) => ({ worth, ...measure(heavyTailed(at + 1, worth), box, [edge, edge], box) }));

describe('the kept form', () => {
  for (const scale of scales) {
    it(`draws the scale ${scale} to one grey level`, async () => {
      const limits = displayLimits(nine.map(({ numbers }) => numbers), scale);
      for (const [at, { numbers, values, worth }] of nine.entries()) {
        const kept = await unpackAtlasPicture(await packAtlasPicture(toAtlasPicture(values, numbers.quantile)));
        const drawn = atlasLevels(kept, numbers.support, limits[at]!).levels;
        const exact = levelsOf(values, numbers.support!, limits[at]!).levels;
        let worst = 0;
        exact.forEach((level, place) => (worst = Math.max(worst, Math.abs(level - drawn[place]!))));
        expect([worth, worst <= 1, exact.some((level) => level !== 128) || scale !== 'minmax']).toEqual([worth, true, true]);
      }
    });
  }

  it('takes about a byte for each value, packed less, and 32 bits only where the scale raw needs them', async () => {
    const forms = nine.map(({ numbers, values }) => toAtlasPicture(values, numbers.quantile));
    expect(forms.map((form) => form.kind)).toEqual(['steps', 'steps', 'steps', 'steps', 'exact', 'steps', 'steps', 'exact', 'exact']);
    for (const [at, form] of forms.entries()) {
      const bytes = (await packAtlasPicture(form)).byteLength;
      if (form.kind === 'steps') expect(bytes, String(at)).toBeLessThan(nine[at]!.values.length * 0.9);
    }
  });

  it('lists what lies beyond the default scale unchanged, in order', async () => {
    const values = Float32Array.from({ length: 1000 }, (_, at) => (at % 2 ? -1 : 1) * (at + 1) / 4096);
    const kept = await unpackAtlasPicture(await packAtlasPicture(toAtlasPicture(values, 995 / 4096)));
    expect(kept.kind === 'steps' && [...kept.listed]).toEqual([996, 997, 998, 999, 1000].map((value) => (value % 2 ? 1 : -1) * value / 4096));
    expect(kept.kind === 'steps' && [kept.codes[0], kept.codes[994], kept.codes[993], kept.codes[995]]).toEqual([0, 126, -126, 127]);
  });

  it('keeps what has no default scale, or one too small for steps, exactly', async () => {
    for (const [quantile, values] of [[0, Float32Array.of(0, 3, -2)], [1e-40, Float32Array.of(1e-40, 0)]] as const) {
      const kept = await unpackAtlasPicture(await packAtlasPicture(toAtlasPicture(values, quantile)));
      expect(kept).toEqual({ kind: 'exact', values });
    }
  });

  it('is nothing for a projection of zeros', async () => {
    const kept = await unpackAtlasPicture(await packAtlasPicture(toAtlasPicture(new Float32Array(0), 0)));
    expect(atlasLevels(kept, null, 1)).toEqual({ box: null, levels: new Uint8Array(0) });
  });

  it('refuses bytes of a form that it does not know', async () => {
    await expect(unpackAtlasPicture(new Uint8Array(12).fill(9))).rejects.toThrow('unpackAtlasPicture: form 9 is not known.');
  });
});
