/** Every op kind on seeded random numbers and less tidy sizes: all engines agree with the reference to 1e-5 of the largest value, switches exactly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpKind } from '../../src-main/graph/ops/attributes.ts';
import { specs } from '../../src-main/graph/ops/specs.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { relativeDifference } from '../support/graphs.ts';
import { allEngines, runOnce } from '../parity/allEngines.ts';
import { elsewhere, feedsOf, opCases } from './opCases.ts';

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe('all engines agree with the reference', () => {
  it('on every op kind', () => {
    expect(Object.keys(specs).filter((kind) => !opCases.some(([known]) => known === kind) && !elsewhere.includes(kind as OpKind))).toEqual([]);
  });

  it.each(opCases)('%s %s', async (_kind, _title, graph) => {
    const feeds = feedsOf(graph);
    const [reference, ...others] = engines as [Engine, ...Engine[]];
    const expected = await runOnce(reference, graph, feeds);
    for (const engine of others) {
      const actual = await runOnce(engine, graph, feeds);
      for (const name of graph.outputs) {
        const tolerance = expected.get(name)!.data instanceof Float32Array ? 1e-5 : 0;
        expect(relativeDifference(actual.get(name)!, expected.get(name)!), `${engine.description}: ${name}`).toBeLessThanOrEqual(tolerance);
        expect(actual.get(name)!.data.constructor, `${engine.description}: ${name}`).toBe(expected.get(name)!.data.constructor);
      }
    }
  });
});
