/** `switchback demo`: the whole main job on the sample, without a window: draw its pictures, index them with its network, project, and write Figure 2 of every layer. */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { AppError } from '../../src-shared/errors.ts';
import type { IndexedLayer } from '../services/indexing.ts';
import { createSampleService, type SampleProgress } from '../services/sampleWorkspace.ts';
import type { Services } from '../services/services.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { waitForJob } from './waitForJob.ts';
import { writeWhole } from './wholeFile.ts';

interface DemoFlags {
  readonly out: string;
  readonly perClass?: number;
  readonly json?: boolean;
}

/** Channels on the figure of a layer, as the paper shows a choice of each. */
const channelsOnFigure = 12;

export function demoCommand(session: Session): Command {
  return new Command('demo')
    .description('index and project the sample, and write what the channels of every layer look for as pictures')
    .requiredOption('--out <folder>', 'for pictures, workspace and figures; what is there already is kept')
    .option('--per-class <n>', 'pictures of each class (90)', wholeNumber(1, 999))
    .option('--json', 'one JSON object')
    .action(async ({ out, perClass, json }: DemoFlags) => {
      const root = resolve(out);
      const tell = (text: string) => void (json || session.line(text));
      const startMs = performance.now();
      const seconds = () => Math.round((performance.now() - startMs) / 100) / 10;
      const services = session.services();
      const place = { network: session.place.sampleFolder, pictures: join(root, 'pictures'), workspace: join(root, 'workspace'), ...(perClass ? { perClass } : {}) };
      const sample = createSampleService(place, services.workspaces, services.indexing, services.inference);

      const { index, jobId, pictures } = await opened(session, sample.open(session.signal));
      tell(`${pictures} pictures in ${place.pictures} (${seconds()} s)`);
      if (jobId) await waitForJob(session, services, jobId);
      const [{ indexed }, layers] = [await services.indexing.get(index), await services.indexing.layers(index)];
      tell(`${indexed} images indexed with ${layers.reduce((sum, layer) => sum + layer.channels, 0)} channels of ${layers.length} layers, workspace ${place.workspace} (${seconds()} s)`);

      await mkdir(join(root, 'figures'), { recursive: true });
      const figures: string[] = [];
      for (const layer of layers) {
        session.progress(`projecting ${layer.title}`);
        const figure = await drawn(session, services, index, layer, join(root, 'figures'), jobId === null);
        if (figure) figures.push(figure);
      }
      tell(`${figures.length} figures in ${join(root, 'figures')} (${seconds()} s)`);
      if (json) session.json({ images: indexed, layers: layers.length, figures: figures.length, seconds: seconds(), workspace: place.workspace, index, files: figures });
    });
}

async function opened(session: Session, progress: AsyncIterable<SampleProgress>): Promise<{ readonly index: string; readonly jobId: string | null; readonly pictures: number }> {
  let pictures = 0;
  for await (const step of progress) {
    if (step.kind === 'drawing') session.progress(`${(pictures = step.done)} of ${step.of} pictures drawn`);
    else if (step.kind === 'ready') return { ...step, pictures };
  }
  throw new AppError('INTERNAL', 'The sample was not opened.');
}

/** The file of a layer's figure; undefined where no image excites any of its channels. `isKept`: the index is as it was when a figure that is there was drawn. */
async function drawn(session: Session, services: Services, index: string, layer: IndexedLayer, folder: string, isKept: boolean): Promise<string | undefined> {
  const file = join(folder, `${String(layer.number).padStart(2, '0')}-${layer.title.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.png`);
  if (isKept && (await stat(file).catch(() => null))) return file;
  const alive = (await services.indexing.channels(index, layer.number)).filter(({ hits }) => hits > 0).map(({ channel }) => channel);
  if (alive.length === 0) return undefined;
  const { bytes } = await services.figures.draw({ index, layer: layer.number, channels: spread(alive, channelsOnFigure), method: 'deconvnet', seed: 'one', control: 'none', scale: 'quantile', format: 'png' }, session.signal);
  await writeWhole(file, bytes);
  return file;
}

/** So many of them, evenly; all where there are fewer. */
function spread(channels: readonly number[], count: number): number[] {
  if (channels.length <= count) return [...channels];
  return Array.from({ length: count }, (_, at) => channels[Math.floor((at * channels.length) / count)]!);
}
