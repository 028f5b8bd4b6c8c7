/** The checkerboard by projections is measured by what can be projected: images go, and some layers have no way down. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-shared/errors.ts';
import { projectedPhases } from '../../../src-main/services/diagnosticActivity.ts';
import type { UnitsOfLayer } from '../../../src-main/services/projectionUnits.ts';
import type { ProjectionService } from '../../../src-main/services/projections.ts';
import type { WorkspaceService } from '../../../src-main/services/workspaces.ts';
import type { StoredIndex } from '../../../src-main/store/indexes.ts';

const index = { id: 'index', layers: [{ number: 2, name: 'second', title: 'conv2' }] } as unknown as StoredIndex;
const hits = [0, 1].map((channel) => ({ channel, image: channel, rank: 1, y: 0, x: 0 }));
const workspaces = { required: () => ({ store: { hits: { ofLayer: async () => hits } } }) } as unknown as WorkspaceService;

function phases(images: readonly number[], pictures: (of: UnitsOfLayer) => Promise<unknown>) {
  const readable = async ({ units }: UnitsOfLayer) => ({ units: units.filter((unit) => images.includes(unit.imageNumber)), lost: [] });
  return projectedPhases({ workspaces, projections: { readable, pictures } as unknown as ProjectionService }, index, 'second', [2, 2], undefined);
}

/** 2 x 2 pixels, the upper left one bright. */
const picture = { record: { support: [0, 0, 2, 2], quantile: 1 }, picture: { kind: 'exact', values: Float32Array.of(1, 0, 0, 0) } };

describe('phases of projections', () => {
  it('pass over images that are gone', async () => {
    const asked: (readonly number[])[] = [];
    const found = await phases([1], async ({ units }) => {
      asked.push(units.map(({ channel }) => channel));
      return units.map(() => picture);
    });
    expect([asked, found?.layer, found?.channels, [...found!.phases].map(Math.round)]).toEqual([[[1]], 'conv2', [1], [4, 0, 0, 0]]);
  });

  it('are not there where no image is left, or the layer cannot be projected', async () => {
    expect(await phases([], async () => [])).toBeNull();
    expect(await phases([0, 1], () => Promise.reject(new AppError('UNSUPPORTED', 'no way down')))).toBeNull();
  });

  it('pass other failures on', async () => {
    await expect(phases([0, 1], () => Promise.reject(new AppError('UNAVAILABLE', 'the process ended')))).rejects.toThrow('the process ended');
  });
});
