/** What maps are drawn from: binary columns without a header, little-endian, one entry per row; sheets of thumbnails; and exported files. */
import { Hono, type Context } from 'hono';
import * as z from 'zod';
import { channelNumber, imageNumber, indexId, layerNumber } from '../../src-shared/contract/common.ts';
import { mapColours, mapId, mostThumbnails, thumbnailSizes } from '../../src-shared/contract/map.ts';
import type { Services } from '../services/services.ts';
import { answered, forEver, notKept, number, picture, read } from './mediaAnswers.ts';

const place = z.object({ map: mapId });
const colour = z.object({ by: z.enum(mapColours), layer: number(layerNumber).optional(), channel: number(channelNumber).optional() });
const sheet = z.object({
  size: number(z.int().min(8).max(thumbnailSizes.at(-1)!)),
  columns: number(z.int().min(1).max(mostThumbnails)),
  images: z
    .string()
    .transform((text) => text.split('.').map(Number))
    .pipe(z.array(imageNumber).min(1).max(mostThumbnails)),
});

export function mapRoutes({ maps, mapColours: colours, mapExports, thumbnails }: Pick<Services, 'maps' | 'mapColours' | 'mapExports' | 'thumbnails'>): Hono {
  const routes = new Hono();
  routes.get('/map/:map/coordinates', (context) =>
    answered(context, async () => {
      const { positions, revision, isFinal } = await maps.coordinates(read(place, context.req.param()).map);
      context.header('x-revision', String(revision));
      return column(context, positions, isFinal && context.req.query('v') === String(revision) ? forEver : notStored);
    }),
  );
  // What rows mean, and who stands where, may change with the index and until the map is finished.
  routes.get('/map/:map/rows', (context) => answered(context, async () => column(context, await maps.rows(read(place, context.req.param()).map), notKept)));
  routes.get('/map/:map/grid', (context) => answered(context, async () => column(context, (await maps.grid(read(place, context.req.param()).map)).cells, notKept)));
  routes.get('/map/:map/colours', (context) =>
    answered(context, async () => column(context, (await colours.column({ ...read(place, context.req.param()), ...read(colour, context.req.query()) }, context.req.raw.signal)).values, notKept)),
  );
  routes.get('/map/:map/link/:other', (context) =>
    answered(context, async () => {
      const { map, other } = read(place.extend({ other: mapId }), context.req.param());
      return column(context, await maps.link(map, other), notKept);
    }),
  );
  routes.get('/thumbnails/:index', (context) =>
    picture(context, context.req.query('v') === undefined ? notKept : forEver, (signal) => thumbnails.sheet({ ...read(z.object({ index: indexId }), context.req.param()), ...read(sheet, context.req.query()) }, signal)),
  );
  routes.get('/map-file/:id', (context) =>
    answered(context, async () => {
      const { bytes, mediaType, fileName } = mapExports.made(read(z.object({ id: z.string().max(64) }), context.req.param()).id);
      return context.body(new Uint8Array(bytes), 200, { 'content-type': mediaType, 'cache-control': notKept, 'content-disposition': `attachment; filename="${fileName}"` });
    }),
  );
  return routes;
}

const notStored = 'no-store';

function column(context: Context, values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, cacheControl: string): Response {
  return context.body(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 200, { 'content-type': 'application/octet-stream', 'cache-control': cacheControl });
}
