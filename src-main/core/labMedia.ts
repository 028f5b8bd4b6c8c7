/** Pictures of the image lab, and the way in for pictures that a person gives: a camera frame, a dropped or pasted file. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import { channelNumber, control, indexId, jobId, method, scale, seed } from '../../src-shared/contract/common.ts';
import { activationOrders, activationScales, labPicture, largestUploadBytes } from '../../src-shared/contract/lab.ts';
import { AppError, toPlainError } from '../../src-shared/errors.ts';
import type { LabService } from '../services/lab.ts';
import { mediaTypeOf } from '../services/labRuns.ts';
import { answered, forEver, notKept, number, picture, read } from './mediaAnswers.ts';

const place = z.object({ index: indexId, picture: labPicture });
const layer = z.string().min(1).max(4096);
const position = number(z.int().min(0));
const sheet = z.object({ layer, scale: z.enum(activationScales), order: z.enum(activationOrders), size: number(z.int().min(4).max(512)), columns: number(z.int().min(1).max(256)) });
const map = z.object({ layer, channel: number(channelNumber), scale: z.enum(activationScales) });
const unit = z.object({ layer, channel: number(channelNumber), y: position, x: position, method, seed, control: control.default('none'), scale, area: z.enum(['patch', 'input']) });
const upload = z.object({ name: z.string().min(1).max(255).default('picture'), kept: z.enum(['0', '1']).default('1') });

export function labRoutes(lab: LabService): Hono {
  const routes = new Hono();
  const tooLarge = new AppError('BAD_REQUEST', `A picture may have at most ${largestUploadBytes / 2 ** 20} MB.`, { limit: largestUploadBytes });
  routes.post('/upload', bodyLimit({ maxSize: largestUploadBytes, onError: (context) => context.json(toPlainError(tooLarge), 422) }), (context) =>
    answered(context, async () => {
      const { name, kept } = read(upload, context.req.query());
      const bytes = new Uint8Array(await context.req.arrayBuffer());
      return context.json(await lab.upload(bytes, name, kept === '1', context.req.raw.signal), 200, { 'cache-control': 'no-store' });
    }),
  );
  // What a picture is called stays the same where it was given, but not where it is one of an index, which a rescan numbers anew.
  routes.get('/input/:index/:picture', (context) => picture(context, notKept, (signal) => lab.inputPicture(read(place, context.req.param()), signal)));
  routes.get('/activations/:index/:picture', (context) => picture(context, notKept, (signal) => lab.activationSheet({ ...read(place, context.req.param()), ...read(sheet, context.req.query()) }, signal)));
  routes.get('/map/:index/:picture', (context) => picture(context, notKept, (signal) => lab.activationMap({ ...read(place, context.req.param()), ...read(map, context.req.query()) }, signal)));
  routes.get('/projection/:index/:picture', (context) => picture(context, notKept, (signal) => lab.unitPicture({ ...read(place, context.req.param()), ...read(unit, context.req.query()) }, signal)));
  routes.get('/result/:id/:name', (context) =>
    answered(context, async () => {
      const { id, name } = read(z.object({ id: jobId, name: z.string().regex(/^[A-Za-z0-9-]{1,64}\.(png|npy)$/) }), context.req.param());
      const bytes = await lab.part(id, name);
      if (!name.endsWith('.png')) context.header('content-disposition', `attachment; filename="${name}"`);
      return context.body(new Uint8Array(bytes), 200, { 'content-type': mediaTypeOf(name), 'cache-control': context.req.query('v') === undefined ? notKept : forEver });
    }),
  );
  return routes;
}
