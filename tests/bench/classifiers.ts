/**
 * Feature analysis of cifar10_full on the 200 pictures of cifar10-test, by our classifiers and by scikit-learn (the system's python3 with python3-sklearn; classifiers.py): the same features, folds and parts that choose
 * C. Fails where a layer's accuracy differs by more than 1.5 points, or does not rise with depth.
 *
 *     node tests/bench/classifiers.ts [mean|max]
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { experimentSpec } from '../../src-shared/contract/experiments.ts';
import { dealOut } from '../../src-main/classifiers/folds.ts';
import { seededNumbers } from '../../src-main/rewrite/training/seededNumbers.ts';
import { classedImages } from '../../src-main/services/experimentClassedImages.ts';
import { featureChoice, readFeatures } from '../../src-main/services/experimentFeatureRows.ts';
import { foldsOf } from '../../src-main/services/experimentFeatures.ts';
import { penaltyParts } from '../../src-main/services/experimentLearningWords.ts';
import { layersMeant, openNetwork } from '../../src-main/services/experimentSubject.ts';
import { openServices } from '../support/openServices.ts';
import { dataPath } from '../support/testData.ts';

const pool = (process.argv[2] ?? 'mean') as 'mean' | 'max';
const most = 0.015;

const folder = await mkdtemp(join(tmpdir(), 'switchback-classifiers-'));
const services = await openServices(join(folder, 'home'), join(folder, 'workspace'));
try {
  const { index, jobId } = await services.indexing.start({
    modelPath: dataPath('models/caffe/cifar10-v1/cifar10_full_iter_60000.caffemodel'),
    imagesPath: dataPath('photos/cifar10-test'),
    preprocessing: { order: 'rgb', crop: [32, 32], resize: { kind: 'exact' }, scale: 1, mean: [125.3, 123, 113.9], std: [1, 1, 1] },
    top: 9,
    engine: 'onnxruntime',
    device: 'cpu',
    batch: 20,
  });
  const { queue, store } = services.workspaces.required();
  await queue.ended(jobId!);
  const { spec } = await services.experiments.complete(experimentSpec.parse({ kind: 'features', index, pool }));
  if (spec.kind !== 'features') throw new Error('another kind came back');
  const signal = new AbortController().signal;
  const means = { store, inference: services.inference };
  const network = await openNetwork(means, index, signal);
  const data = await classedImages(store, network.index);
  if (data.targets.kind !== 'single') throw new Error('one class to an image was expected');
  const labels = data.targets.labels;
  const wanted = (await layersMeant(network.subject, spec.layers!)).map((layer) => ({ layer, choice: featureChoice(layer, pool, data.images.length) }));
  const features = await readFeatures({ ...means, index: network.index, network: network.subject.network, images: data.images, signal }, wanted, () => undefined);

  const run = await services.experiments.start({ spec, afresh: true });
  const ended = await queue.ended(run.jobId);
  if (ended.state !== 'done') throw new Error(`the experiment ended as ${ended.state}: ${ended.error?.message}`);
  const { numbers } = await services.experiments.get(run.id);
  if (numbers?.kind !== 'features') throw new Error('the experiment has no numbers');

  const asked = {
    labels: [...labels],
    penalties: spec.penalties,
    losses: spec.classifiers,
    layers: wanted.map(({ layer: { name } }) => ({ name, features: Array.from(features.get(name)!.values) })),
    folds: foldsOf(data, spec).map(({ training, test }, fold) => ({ training: [...training], test: [...test], part: [...dealOut(Int32Array.from(training, (row) => labels[row]!), penaltyParts, seededNumbers(spec.seed + fold, 'penalties'))] })),
  };
  const script = fileURLToPath(new URL('classifiers.py', import.meta.url));
  const theirs = JSON.parse(execFileSync('/usr/bin/python3', [script], { input: JSON.stringify(asked), encoding: 'utf8', maxBuffer: 2 ** 26 })) as { readonly layer: string; readonly loss: string; readonly scores: readonly number[]; readonly penalties: readonly number[] }[];

  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  let worst = 0;
  for (const { layer, title, classifier, dimension, accuracy, penalties } of numbers.rows) {
    const other = theirs.find((each) => each.layer === layer && each.loss === classifier)!;
    worst = Math.max(worst, Math.abs(accuracy - mean(other.scores)));
    console.log(`${title} (${dimension}) ${classifier}: ${(100 * accuracy).toFixed(1)} %, scikit-learn ${(100 * mean(other.scores)).toFixed(1)} %; C ${penalties.join(' ')} and ${other.penalties.join(' ')}`);
  }
  const rises = spec.classifiers.every((kind) => numbers.rows.filter(({ classifier }) => classifier === kind).every(({ accuracy }, at, rows) => at === 0 || accuracy > rows[at - 1]!.accuracy));
  console.log(`largest difference ${(100 * worst).toFixed(2)} points; accuracy ${rises ? 'rises' : 'does not rise'} with depth`);
  process.exitCode = worst <= most && rises ? 0 : 1;
} finally {
  await services.close();
  await rm(folder, { recursive: true, force: true });
}
