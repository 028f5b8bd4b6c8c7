/** How media routes answer: pictures with their time to live, failures as JSON, addresses that are checked before anything is done. */
import type { Context } from 'hono';
import * as z from 'zod';
import { AppError, toPlainError } from '../../src-shared/errors.ts';

export const forEver = 'private, max-age=31536000, immutable';
export const notKept = 'private, no-cache';

/** A number in an address. */
export const number = <T extends z.ZodType>(schema: T) => z.coerce.number().pipe(schema as never) as unknown as T;

export function picture(context: Context, cacheControl: string, make: (signal: AbortSignal) => Promise<Uint8Array>): Promise<Response> {
  return answered(context, async () => {
    const png = await make(context.req.raw.signal);
    return context.body(new Uint8Array(png), 200, { 'content-type': 'image/png', 'cache-control': cacheControl });
  });
}

export async function answered(context: Context, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    const plain = toPlainError(error);
    return context.json(plain, plain.code === 'NOT_FOUND' ? 404 : 422, { 'cache-control': 'no-store' });
  }
}

export function read<T extends z.ZodType>(schema: T, values: unknown): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new AppError('BAD_REQUEST', `The picture address is wrong at ${JSON.stringify(issue.path.join('.'))}: ${issue.message}.`);
}
