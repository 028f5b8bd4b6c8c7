/**
 * Experiments on a real network: error rates of squeezenet1.1 against a count of its own, made here with nothing but the engine and the decoded pictures. With SWITCHBACK_EXPERIMENTS (`npm run experiments`) on all 334
 * photographs (the band of the reference: an independent program with bicubic resizing has 32.0 %, top-5 13.5 %, ten crops 30.5 %), and the figures are printed; tests/bench/errorRates.py,
 * the network in NumPy, says the same.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, it } from 'vitest';
import { experimentSpec } from '../../src-shared/contract/experiments.ts';
import { decodeImage, decodeWhole } from '../../src-main/dataset/decode.ts';
import { tenCrops } from '../../src-main/experiments/errorRates.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';
import { linkPhotographs, photographs, squeezenet } from '../support/photographs.ts';
import { dataPath, describeWithData, repositoryRoot } from '../support/testData.ts';

const isLong = process.env['SWITCHBACK_EXPERIMENTS'] !== undefined;
const count = isLong ? 334 : 40;
const labels = 'photos/imagenet-samples-labels.tsv';
const home = temporaryFolder('experiments-corpus');
afterAll(() => rmSync(home, { recursive: true, force: true }));

describeWithData('error rates of squeezenet1.1 on photographs', [squeezenet, photographs, labels], () => {
  const geometry = { crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 } } as const;
  const classOf = new Map(readFileSync(dataPath(labels), 'utf8').split('\n').slice(1).map((line) => [line.split('\t')[0]!, Number(line.split('\t')[1])]));

  it('are those of the bare engine', async () => {
    const names = linkPhotographs(join(home, 'photographs'), count);
    const services = await openServices(home, join(home, 'work'));
    try {
      const { preprocessing } = await services.models.inspect(dataPath(squeezenet));
      const { index, jobId } = await services.indexing.start({ modelPath: dataPath(squeezenet), imagesPath: join(home, 'photographs'), labelsPath: dataPath(labels), preprocessing, top: 1, matrix: 'none', engine: 'onnxruntime', device: 'cpu', batch: 8 });
      const { queue } = services.workspaces.required();
      await queue.ended(jobId!);
      const started = await services.experiments.start({ spec: experimentSpec.parse({ kind: 'error', index, views: isLong ? ['centre', 'ten'] : ['centre'] }), afresh: false });
      expect((await queue.ended(started.jobId)).error).toBeNull();
      const { numbers } = await services.experiments.get(started.id);
      const rates = numbers?.kind === 'error' ? numbers.rows[0]!.rates : [];
      expect(rates[0]).toMatchObject(await countHere(names));
      if (!isLong) return;
      expect(await countWithoutUs(names)).toMatchObject(await countHere(names));
      console.log(JSON.stringify(rates));
      expect(rates[0]!.top1).toBeGreaterThan(0.29);
      expect(rates[0]!.top1).toBeLessThan(0.35);
      expect(rates[1]!.top1).toBeLessThanOrEqual(rates[0]!.top1);
      expect(rates[1]!.top5).toBeLessThanOrEqual(rates[0]!.top5);
    } finally {
      await services.close();
    }
  }, isLong ? 1_200_000 : 120_000);

  it('see the pixels that everything else sees: the centre of the whole picture is the picture', async () => {
    for (const name of linkPhotographs(join(home, 'more'), isLong ? 334 : 25)) {
      const file = dataPath(`${photographs}/${name}`);
      const centre = tenCrops(await decodeWhole(file, geometry)).subarray(0, 224 * 224 * 3);
      const { pixels } = await decodeImage(file, geometry);
      expect(centre.findIndex((level, at) => level !== pixels[at]), name).toBe(-1);
    }
  }, 300_000);

  /** The network in NumPy, on the same pixels. */
  async function countWithoutUs(names: readonly string[]): Promise<unknown> {
    const file = join(home, 'crops.bin');
    for (const name of names) appendFileSync(file, (await decodeImage(dataPath(`${photographs}/${name}`), geometry)).pixels);
    const { stdout } = await promisify(execFile)('python3', [join(repositoryRoot, 'tests/bench/errorRates.py'), dataPath(squeezenet), dataPath(photographs), dataPath(labels), '--pixels', file]);
    return (JSON.parse(stdout) as { readonly centre: unknown }).centre;
  }

  async function countHere(names: readonly string[]): Promise<{ top1Wrong: number; top5Wrong: number }> {
    const session = await InferenceSession.create(dataPath(squeezenet));
    const wrong = { top1Wrong: 0, top5Wrong: 0 };
    const [mean, deviation] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
    for (const name of names) {
      const { pixels } = await decodeImage(dataPath(`${photographs}/${name}`), geometry);
      const values = Float32Array.from({ length: 3 * 224 * 224 }, (_, at) => {
        const [channel, place] = [Math.floor(at / (224 * 224)), at % (224 * 224)];
        return (pixels[place * 3 + channel]! / 255 - mean[channel]!) / deviation[channel]!;
      });
      const scores = (await session.run({ [session.inputNames[0]!]: new Tensor('float32', values, [1, 3, 224, 224]) }))[session.outputNames[0]!]!.data as Float32Array;
      const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      if (order[0] !== classOf.get(name)) wrong.top1Wrong++;
      if (!order.slice(0, 5).includes(classOf.get(name)!)) wrong.top5Wrong++;
    }
    await session.release();
    return wrong;
  }
});
