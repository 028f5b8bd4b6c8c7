/** The first step down of a window's walk as a matrix product: the same numbers, one op for the whole batch; steps on larger maps stay as they are. */
import { expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { pointsAsProducts } from '../../../src-main/rewrite/window/pointsAsProducts.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

const transposed = { ...windowOf([2, 1]), group: 1, outputPadding: [0, 0] } as const;

it('turns the point into a product and leaves the rest', async () => {
  const b = createGraphBuilder('down');
  b.input('seed', 'float32', ['batch', 2, 1, 1]);
  const first = b.add('ConvTranspose', ['seed', b.tensor(floatTensor('w', [2, 2, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8]))], transposed)[0]!;
  b.add('ConvTranspose', [first, b.tensor(floatTensor('v', [2, 1, 2, 1], [1, 10, 100, 1000]))], transposed, { outputs: ['projection'] });
  const graph = b.finish(['projection']);

  const changed = pointsAsProducts(graph);
  expect(changed.nodes.map((node) => node.kind)).toEqual(['Reshape', 'Gemm', 'Reshape', 'ConvTranspose']);
  expect(changed.inputs).toEqual(graph.inputs);
  for (const each of [graph, changed]) {
    const session = await createReferenceEngine().compile(each);
    const found = await session.run(new Map([['seed', { shape: [2, 2, 1, 1], data: Float32Array.of(1, 0, 0, 1) }]]), ['projection']);
    // Unit 0 makes [1, 2] and [3, 4], unit 1 [5, 6] and [7, 8]; then they are spread by [1, 10] and [100, 1000] and added up.
    expect([...found.get('projection')!.data].map(Number)).toEqual([301, 3412, 4020, 705, 7856, 8060]);
  }
});
