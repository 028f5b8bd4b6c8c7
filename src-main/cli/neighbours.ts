/** `switchback neighbours`: the images of an index that are nearest to a picture, by a layer's features and by pixels. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { metrics, poolings } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Pooling } from '../services/featureRows.ts';
import { pictureOfFile } from '../services/labSubject.ts';
import type { NeighbourRequest, Neighbours } from '../services/neighbours.ts';
import { chosenIndex } from './chosenIndex.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';
import { waitForJob } from './waitForJob.ts';

interface NeighbourFlags {
  readonly workspace: string;
  readonly image: string;
  readonly layer?: string;
  readonly pool: Pooling;
  readonly metric: NeighbourRequest['metric'];
  readonly k: number;
  readonly index?: string;
  readonly json?: boolean;
}

export function neighboursCommand(session: Session): Command {
  return new Command('neighbours')
    .description('the nearest images of an index to a picture: by features, which are computed where they are missing, and by pixels')
    .requiredOption('--workspace <folder>')
    .requiredOption('--image <file>', 'a file, or the path of an image within the index')
    .option('--layer <name>', 'by name or title; the last before the class scores if absent')
    .addOption(new Option('--pool <pooling>').choices([...poolings]).default('mean'))
    .addOption(new Option('--metric <metric>').choices([...metrics]).default('l2'))
    .option('-k, --k <n>', 'how many', wholeNumber(1, 1000), 12)
    .option('--index <id>', 'the newest if absent')
    .option('--json', 'one JSON object')
    .action(async (flags: NeighbourFlags) => {
      const services = await session.workspace(flags.workspace, { mode: 'write' });
      const index = await chosenIndex(services, flags.index);
      const layer = flags.layer ?? (await lastHidden());
      const { features, jobId } = await services.features.compute({ index, layer, pooling: flags.pool }, session.signal);
      if (jobId) await waitForJob(session, services, jobId);
      const record = (await services.features.list(index)).find(({ id }) => id === features)!;
      const request: NeighbourRequest = { index, layer: record.layer, pooling: flags.pool, metric: flags.metric, k: flags.k };
      const found = await nearest(request);
      if (flags.json) return session.json({ layer: record.layer, pooling: flags.pool, metric: flags.metric, ...found });
      session.line(`${found.name} among ${found.images} images`);
      tell(`By features: ${found.featureSpace}`, found.features);
      tell(`By pixels: ${found.pixelSpace}`, found.pixels);

      async function nearest(asked: NeighbourRequest): Promise<Neighbours> {
        const { store } = services.workspaces.required();
        const own = await store.images.findByPath(index as IndexId, flags.image);
        if (own) return services.neighbours.nearest({ ...asked, picture: `image-${own.number}` }, session.signal);
        const { preprocessing } = await store.indexes.get(index as IndexId);
        return services.neighbours.nearestTo(asked, await pictureOfFile(resolve(flags.image), preprocessing, session.signal), session.signal);
      }

      async function lastHidden(): Promise<string> {
        const { layers } = await services.lab.layers(index, session.signal);
        return (layers.at(-2) ?? layers.at(-1)!).name;
      }
    });

  function tell(heading: string, neighbours: Neighbours['features']): void {
    session.line(heading);
    session.line(table(['rank', 'image', 'class', 'distance'], neighbours.map(({ image, className, distance }, at) => [String(at + 1), image, className ?? '-', distance.toPrecision(5)])));
  }
}
