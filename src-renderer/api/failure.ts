/** Turns whatever a call, a stream or a picture request threw into the PlainError that ErrorBlock shows and copies. */
import { ORPCError } from '@orpc/client';
import { errorCodes, type ErrorCode, type ErrorData, type PlainError } from '../../src-shared/errors.ts';

/** True when the person, or a newer request, called it off. */
export function wasCalledOff(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}

/** @returns the core's own sentence where it sent one; otherwise one that says that the core did not answer, or what went wrong here. */
export function toFailure(thrown: unknown): PlainError {
  if (thrown instanceof ORPCError) return ofCall(thrown);
  if (isPlainError(thrown)) return { code: thrown.code, message: thrown.message, data: thrown.data };
  if (thrown instanceof TypeError) {
    return { code: 'UNAVAILABLE', message: 'Switchback’s core did not answer. It is asked again by itself; if that takes long, start Switchback again.', data: { offline: true, cause: thrown.message } };
  }
  return { code: 'INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown), data: {} };
}

/** What a person pastes into a report: code, sentence, facts. */
export function failureText(failure: PlainError): string {
  const facts = Object.entries(failure.data).map(([name, value]) => `${name}: ${String(value)}`);
  return [`${failure.code}: ${failure.message}`, ...facts].join('\n');
}

function ofCall(thrown: ORPCError<string, unknown>): PlainError {
  const carried = thrown.data as { code?: unknown; data?: unknown } | null | undefined;
  if (thrown.code === 'APP' && isCode(carried?.code)) {
    return { code: carried.code, message: thrown.message, data: (carried.data ?? {}) as ErrorData };
  }
  const code: ErrorCode = thrown.status === 400 ? 'BAD_REQUEST' : thrown.status === 404 ? 'NOT_FOUND' : thrown.status >= 502 && thrown.status <= 504 ? 'UNAVAILABLE' : 'INTERNAL';
  return { code, message: thrown.message, data: { status: thrown.status } };
}

function isPlainError(value: unknown): value is PlainError {
  return typeof value === 'object' && value !== null && isCode((value as PlainError).code) && typeof (value as PlainError).message === 'string' && typeof (value as PlainError).data === 'object';
}

function isCode(code: unknown): code is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(code);
}
