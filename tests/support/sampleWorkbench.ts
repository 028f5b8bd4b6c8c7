/** A served workbench with the drawn sample in it: few pictures of each class, the network that comes with Switchback indexed on them, its training, and a series of two of its checkpoints. */
import { join } from 'node:path';
import { copySampleNetwork } from '../../src-main/services/sampleNetwork.ts';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import { serveWorkbench, type ServedWorkbench } from './servedWorkbench.ts';
import { repositoryRoot } from './testData.ts';

export const sampleNetworkFolder = join(repositoryRoot, 'resources', 'sample');
const perClass = 4;
const epochs = [1, 100];
/** Of the series: projecting all would take most of the time. */
const layers = ['relu1', 'relu2', 'relu3'];

export interface SampleWorkbench {
  readonly workbench: ServedWorkbench;
  readonly workspace: string;
  /** Of the trained network. */
  readonly index: string;
  /** Of its first checkpoint. */
  readonly earlier: string;
  readonly series: string;
  readonly run: string;
  /** Of the trained network's images, by principal components, so that it is the same everywhere. */
  readonly map: string;
  /** Figure 5 in little: two pictures, three places of each. */
  readonly experiment: string;
  readonly modelPath: string;
  readonly picturesPath: string;
}

export async function serveSample(home: string): Promise<SampleWorkbench> {
  const picturesPath = join(home, 'pictures');
  await drawSampleFolder(picturesPath, { perClass }, new AbortController().signal);
  const checkpoints = join(home, 'Sample', 'training', 'sample');
  const modelPath = await copySampleNetwork(sampleNetworkFolder, checkpoints, picturesPath);
  const workbench = await serveWorkbench(home, '--workspace', join(home, 'Sample'));
  const { client } = workbench;
  const way = { imagesPath: picturesPath, engine: 'onnxruntime', device: 'cpu', batch: 8 } as const;
  const { preprocessing } = await client.models.inspect({ path: modelPath });
  const { index } = await client.indexing.start({ ...way, modelPath, preprocessing });
  for await (const _ of await client.indexing.watch({ index }));
  const { series } = await client.evolution.start({ ...way, source: { kind: 'folder', path: checkpoints }, epochs, layers });
  let earlier: string | null = null;
  for await (const record of await client.evolution.watch({ series })) earlier = record.checkpoints[0]!.index;
  const { map } = await client.map.start({ subject: { kind: 'images', index, layer: 'relu3' }, method: { kind: 'pca' } });
  for await (const _ of await client.map.watch({ map }));
  const { id: experiment } = await client.experiments.start({ spec: { kind: 'invariance', index, images: [0, 20], shift: { from: -8, to: 8, step: 8 }, scale: null, rotation: { from: 0, to: 180, step: 90 } } });
  for await (const _ of await client.experiments.watch({ id: experiment }));
  const [run] = await client.training.runs();
  return { workbench, workspace: (await client.workspaces.current())!.id, index, earlier: earlier!, series, run: run!.id, map, experiment, modelPath, picturesPath };
}
