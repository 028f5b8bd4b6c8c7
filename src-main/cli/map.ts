/** `switchback map`: lays the images of an index (or the channels of a layer) out in two dimensions, and writes coordinates, mosaic, figure and TensorBoard's files into a folder. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { metrics, poolings } from '../../src-shared/contract/map.ts';
import { mapColours, type MapColour } from '../../src-shared/contract/mapMedia.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Pooling } from '../services/featureRows.ts';
import type { ColourChoice } from '../services/mapColours.ts';
import { answerOf } from '../services/mapExports.ts';
import type { MapSpec } from '../services/mapJob.ts';
import type { Services } from '../services/services.ts';
import { chosenIndex, chosenLayer } from './chosenIndex.ts';
import { decimal, wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { waitForJob } from './waitForJob.ts';

interface MapFlags {
  readonly workspace: string;
  readonly layer: string;
  readonly method: MapSpec['method']['kind'];
  readonly pool: Pooling;
  readonly metric: MapSpec['metric'];
  readonly seed: number;
  readonly perplexity: number;
  readonly iterations: number;
  readonly neighbours: number;
  readonly minDistance: number;
  readonly epochs?: number;
  readonly channels?: boolean;
  readonly colour: MapColour;
  readonly colourLayer?: string;
  readonly colourChannel?: number;
  readonly tile?: number;
  readonly index?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function mapCommand(session: Session): Command {
  return new Command('map')
    .description('lay the images of an index out by their features: PCA, t-SNE or UMAP; or the channels of a layer by how their scores go together')
    .requiredOption('--workspace <folder>')
    .requiredOption('--layer <name>', 'by name or title')
    .addOption(new Option('--method <method>').choices(['pca', 'tsne', 'umap']).default('umap'))
    .addOption(new Option('--pool <pooling>', 'how maps of a layer become one number per channel; flat: they do not').choices([...poolings]).default('mean'))
    .addOption(new Option('--metric <metric>', 'distance of features').choices([...metrics]).default('l2'))
    .option('--seed <n>', 'of everything that is left to chance', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--perplexity <n>', 'of t-SNE: about how many neighbours count', decimal, 30)
    .option('--iterations <n>', 'of t-SNE', wholeNumber(50, 10_000), 1000)
    .option('--neighbours <n>', 'of UMAP', wholeNumber(2, 200), 15)
    .option('--min-distance <share>', 'of UMAP: how close points may come, 0 to 1', decimal, 0.1)
    .option('--epochs <n>', 'of UMAP; 500, and 200 above 10,000 images, if absent', wholeNumber(10, 5000))
    .option('--channels', 'channels of the layer instead of images')
    .addOption(new Option('--colour <by>', 'of the figure').choices([...mapColours]).default('class'))
    .option('--colour-layer <name>', 'with --colour channel')
    .option('--colour-channel <n>', 'with --colour channel', wholeNumber(0, 10_000_000))
    .option('--tile <pixels>', 'edge of a picture in the mosaic; 32, and 96 for channels, if absent', wholeNumber(4, 256))
    .option('--index <id>', 'the newest if absent')
    .option('--out <folder>', 'coordinates.csv and .npy, mosaic.png, map.svg and .png, map.json, and the files of TensorBoard’s projector')
    .option('--json', 'one JSON object')
    .action(async (flags: MapFlags) => {
      const services = await session.workspace(flags.workspace, { mode: 'write' });
      const index = await chosenIndex(services, flags.index);
      const colour = await colourOf(services, index, flags);
      const { map, jobId } = await services.maps.start(await specOf(services, index, flags), session.signal);
      if (jobId) await waitForJob(session, services, jobId, 'steps');
      const record = await services.maps.get(map);
      const files = flags.out === undefined ? [] : await services.mapExports.writeTo({ map, folder: flags.out, ...(flags.tile ? { tile: flags.tile } : {}), colour }, session.signal);
      if (flags.json) return session.json({ ...answerOf(record), out: flags.out === undefined ? null : resolve(flags.out), files });
      session.line(`map ${map}: ${record.caption}`);
      if (flags.out !== undefined) session.line(`${flags.out}: ${files.join(', ')}`);
    });
}

async function specOf(services: Services, index: string, flags: MapFlags): Promise<MapSpec> {
  const subject: MapSpec['subject'] = flags.channels ? { kind: 'channels', index, layer: (await chosenLayer(services, index, flags.layer)).number } : { kind: 'images', index, layer: flags.layer, pooling: flags.pool };
  return { subject, method: methodOf(flags, (await services.indexing.get(index)).indexed), metric: flags.metric, seed: flags.seed };
}

function methodOf({ method, perplexity, iterations, neighbours, minDistance, epochs }: MapFlags, images: number): MapSpec['method'] {
  switch (method) {
    case 'pca':
      return { kind: 'pca' };
    case 'tsne':
      if (perplexity < 5 || perplexity > 100) throw new AppError('BAD_REQUEST', '--perplexity must be from 5 to 100.');
      return { kind: 'tsne', perplexity, iterations };
    case 'umap':
      if (minDistance < 0 || minDistance > 1) throw new AppError('BAD_REQUEST', '--min-distance must be from 0 to 1.');
      return { kind: 'umap', neighbours, minDistance, epochs: epochs ?? (images <= 10_000 ? 500 : 200) };
  }
}

async function colourOf(services: Services, index: string, { colour: by, layer, colourLayer, colourChannel, channels }: MapFlags): Promise<Omit<ColourChoice, 'map'>> {
  if (by !== 'channel' || channels) return { by };
  if (colourChannel === undefined) throw new AppError('BAD_REQUEST', '--colour channel needs --colour-channel, and --colour-layer where it is of another layer.');
  return { by, layer: (await chosenLayer(services, index, colourLayer ?? layer)).number, channel: colourChannel };
}
