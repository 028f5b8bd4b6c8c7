/** Pictures by number, never by path. Addresses that carry a version never change and may be cached for ever. */
import { Hono, type Context } from 'hono';
import * as z from 'zod';
import { channelNumber, control, imageNumber, indexId, layerNumber, method, scale, seed } from '../../src-shared/contract/common.ts';
import type { Services } from '../services/services.ts';
import { labRoutes } from './labMedia.ts';
import { mapRoutes } from './mapMedia.ts';
import { answered, forEver, notKept, number, picture, read } from './mediaAnswers.ts';

const size = z.coerce.number().pipe(z.int().min(16).max(1024));
const display = z.object({ size, method, seed, control: control.default('none'), scale });
const unique = z.literal('1').optional().transform((flag) => flag !== undefined);
const channelPlace = z.object({ index: indexId, layer: number(layerNumber), channel: number(channelNumber) });
const unitPlace = z.object({ index: indexId, layer: number(layerNumber), image: number(imageNumber), y: number(z.int().min(0)), x: number(z.int().min(0)) });

export function mediaRoutes(services: Services): Hono {
  const routes = new Hono();
  const { pictures } = services;
  routes.get('/patches/:index/:layer/:channel', (context) =>
    picture(context, keeping(context), (signal) => {
      const place = read(channelPlace, context.req.param());
      return pictures.patchSheet({ ...place, ...read(z.object({ size, unique }), context.req.query()) }, signal);
    }),
  );
  routes.get('/projections/:index/:layer/:channel', (context) =>
    picture(context, keeping(context), (signal) => {
      const place = read(channelPlace, context.req.param());
      return pictures.projectionSheet({ ...place, ...read(display.extend({ unique }), context.req.query()) }, signal);
    }),
  );
  routes.get('/patch/:index/:layer/:image/:y/:x', (context) =>
    picture(context, keeping(context), (signal) => pictures.patch({ ...read(unitPlace, context.req.param()), ...read(z.object({ size }), context.req.query()) }, signal)),
  );
  routes.get('/projection/:index/:layer/:channel/:image/:y/:x', (context) =>
    picture(context, keeping(context), (signal) => {
      const place = read(unitPlace.extend({ channel: number(channelNumber) }), context.req.param());
      return pictures.projection({ ...place, ...read(display.extend({ area: z.enum(['patch', 'input']) }), context.req.query()) }, signal);
    }),
  );
  routes.get('/image/:index/:image', (context) =>
    picture(context, keeping(context), (signal) => pictures.inputImage(read(z.object({ index: indexId, image: number(imageNumber) }), context.req.param()), signal)),
  );
  routes.get('/figure/:id', (context) => answered(context, async () => {
    const { bytes, mediaType, fileName } = services.figures.made(read(z.object({ id: z.string().max(64) }), context.req.param()).id);
    return context.body(new Uint8Array(bytes), 200, { 'content-type': mediaType, 'cache-control': notKept, 'content-disposition': `attachment; filename="${fileName}"` });
  }));
  // Addresses of diagnostics follow from the picture's content.
  routes.get('/diagnostic/:id', (context) => picture(context, forEver, () => Promise.resolve(services.diagnostics.picture(read(z.object({ id: z.string().max(64) }), context.req.param()).id))));
  routes.route('/lab', labRoutes(services.lab));
  routes.route('/', mapRoutes(services));
  routes.get('/preview/:id', (context) => picture(context, notKept, () => Promise.resolve(services.models.previewPicture(read(z.object({ id: z.string().max(64) }), context.req.param()).id))));
  return routes;
}

/** Without a version an address may mean another picture after the next rescan; and a list without duplicates fills up as positions become known, which no version tells. */
function keeping(context: Context): string {
  const { v: version, unique } = context.req.query();
  return version === undefined || unique === '1' ? notKept : forEver;
}
