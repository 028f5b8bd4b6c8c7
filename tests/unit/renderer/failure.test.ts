/** Errors on their way to the screen. */
import { ORPCError } from '@orpc/client';
import { expect, test } from 'vitest';
import { contactOf } from '../../../src-renderer/api/contact.ts';
import { failureText, toFailure, wasCalledOff } from '../../../src-renderer/api/failure.ts';

test('the core’s own sentence and facts are kept', () => {
  const thrown = new ORPCError('APP', { status: 422, message: 'No index abc.', data: { code: 'NOT_FOUND', data: { index: 'abc' } } });
  expect(toFailure(thrown)).toEqual({ code: 'NOT_FOUND', message: 'No index abc.', data: { index: 'abc' } });
  expect(failureText(toFailure(thrown))).toBe('NOT_FOUND: No index abc.\nindex: abc');
});

test('an error without an application code is a bug or an absent core', () => {
  expect(toFailure(new ORPCError('INTERNAL_SERVER_ERROR', { status: 500, message: 'boom' }))).toEqual({ code: 'INTERNAL', message: 'boom', data: { status: 500 } });
  expect(toFailure(new TypeError('Failed to fetch'))).toMatchObject({ code: 'UNAVAILABLE', data: { offline: true } });
  expect(toFailure({ code: 'UNSUPPORTED', message: 'No.', data: {} })).toEqual({ code: 'UNSUPPORTED', message: 'No.', data: {} });
});

test('a called-off request is no failure', () => {
  expect(wasCalledOff(new DOMException('off', 'AbortError'))).toBe(true);
  expect(wasCalledOff(new Error('off'))).toBe(false);
});

test('a proxy that speaks for a core that is gone counts as silence', () => {
  expect([200, 422, 500, 401, 403, 502, 503, 504].map(contactOf)).toEqual(['answered', 'answered', 'answered', 'refused', 'refused', 'silent', 'silent', 'silent']);
});
