/** Pictures by number, never by path. Addresses that carry a version never change and may be cached for ever. */
import { Hono, type Context } from 'hono';
import * as z from 'zod';
import { channelNumber, control, imageNumber, indexId, layerNumber, method, scale, seed } from '../../src-shared/contract/common.ts';
import { AppError, toPlainError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';

const size = z.coerce.number().pipe(z.int().min(16).max(1024));
const number = <T extends z.ZodType>(schema: T) => z.coerce.number().pipe(schema as never) as unknown as T;
const display = z.object({ size, method, seed, control: control.default('none'), scale });
const unique = z.literal('1').optional().transform((flag) => flag !== undefined);
const channelPlace = z.object({ index: indexId, layer: number(layerNumber), channel: number(channelNumber) });
const unitPlace = z.object({ index: indexId, layer: number(layerNumber), image: number(imageNumber), y: number(z.int().min(0)), x: number(z.int().min(0)) });
const forEver = 'private, max-age=31536000, immutable';
const notKept = 'private, no-cache';

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
  routes.get('/preview/:id', (context) => picture(context, notKept, () => Promise.resolve(services.models.previewPicture(read(z.object({ id: z.string().max(64) }), context.req.param()).id))));
  return routes;
}

/** Without a version an address may mean another picture after the next rescan; and a list without duplicates fills up as positions become known, which no version tells. */
function keeping(context: Context): string {
  const { v: version, unique } = context.req.query();
  return version === undefined || unique === '1' ? notKept : forEver;
}

function picture(context: Context, cacheControl: string, make: (signal: AbortSignal) => Promise<Uint8Array>): Promise<Response> {
  return answered(context, async () => {
    const png = await make(context.req.raw.signal);
    return context.body(new Uint8Array(png), 200, { 'content-type': 'image/png', 'cache-control': cacheControl });
  });
}

async function answered(context: Context, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    const plain = toPlainError(error);
    return context.json(plain, plain.code === 'NOT_FOUND' ? 404 : 422, { 'cache-control': 'no-store' });
  }
}

function read<T extends z.ZodType>(schema: T, values: unknown): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new AppError('BAD_REQUEST', `The picture address is wrong at ${JSON.stringify(issue.path.join('.'))}: ${issue.message}.`);
}
