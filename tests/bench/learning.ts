/**
 * Ablation and generalisation on the whole sample (1,620 pictures of 18 classes) and its network, as a person would start them: the tables and the seconds. Both together should take less than ten minutes on two cores.
 *
 *     node tests/bench/learning.ts [epochs of each variant] [epochs from scratch]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSpec } from '../../src-shared/contract/experiments.ts';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import { openServices } from '../support/openServices.ts';
import { repositoryRoot } from '../support/testData.ts';

const [variantEpochs = 6, scratchEpochs = 20] = process.argv.slice(2).map(Number);
/** As the sample's network was trained (resources/sample/recipe.md), but for its epochs. */
const recipe = { batch: 32, learningRate: 0.005, patience: 12, weightDecay: 0.001, dropout: 0.3, initialisation: 'he', inputDeviation: 12, filterRms: null } as const;

const folder = await mkdtemp(join(tmpdir(), 'switchback-learning-'));
const services = await openServices(join(folder, 'home'), join(folder, 'workspace'));
try {
  const pictures = join(folder, 'pictures');
  await drawSampleFolder(pictures, { seed: 1, perClass: 90 }, new AbortController().signal);
  const modelPath = join(repositoryRoot, 'resources/sample/epoch-100.onnx');
  const { preprocessing } = await services.models.inspect(modelPath);
  const { queue } = services.workspaces.required();
  const { index, jobId } = await services.indexing.start({ modelPath, imagesPath: pictures, preprocessing, top: 9, engine: 'onnxruntime', device: 'cpu', batch: 32 });
  await queue.ended(jobId!);

  await study({ kind: 'generalise', index, scratch: { recipe: { ...recipe, epochs: scratchEpochs } } });
  await study({ kind: 'ablation', architecture: { kind: 'zfnet', width: 0.25, units: 256, input: 96 }, recipe: { ...recipe, epochs: variantEpochs }, imagesPath: pictures, variants: [] });

  async function study(wishes: object): Promise<void> {
    const startMs = performance.now();
    const { id, jobId: job } = await services.experiments.start({ spec: experimentSpec.parse(wishes), afresh: true });
    const { state, error } = await queue.ended(job);
    if (state !== 'done') throw new Error(`it ended as ${state}: ${error?.message}`);
    console.log((await services.experiments.export(id, 'csv')).text);
    console.log(`${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);
  }
} finally {
  await services.close();
  await rm(folder, { recursive: true, force: true });
}
