/**
 * The one error type that crosses a process boundary. A message says what happened, where, which value, and what to do about it
 * (design.md section 5). Only `code`, `message` and `data` travel; `cause` stays in the process that caught it.
 */

export const errorCodes = [
  'BAD_REQUEST', // an argument that no state of the workspace could make valid
  'NOT_FOUND', // a file, layer, channel, hit or index that is not there
  'UNREADABLE_FILE', // a file that is not what it should be (broken, truncated, wrong format)
  'UNSUPPORTED', // a valid file or request that Switchback cannot handle
  'WORKSPACE', // no workspace open, held by another process, newer than this program
  'CONFLICT', // the request contradicts a running job or a stored record
  'UNAVAILABLE', // an engine, device or process is not there
  'OUT_OF_MEMORY', // a device or process could not get the memory that a computation needs
  'CANCELLED', // the person asked to stop
  'INTERNAL', // a bug
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Facts about an error as plain JSON, for programs and for the "copy details" button. */
export type ErrorData = Readonly<Record<string, string | number | boolean | null>>;

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.data = data;
  }
}

/** What travels between processes instead of an Error object. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData;
}

/** A message may quote a file, and a file may hold a name of a megabyte. */
const longestMessageCharacters = 4000;

/** Turns anything thrown into what may cross a process; a stack never does. */
export function toPlainError(thrown: unknown): PlainError {
  const plain = plainOf(thrown);
  return plain.message.length <= longestMessageCharacters ? plain : { ...plain, message: `${plain.message.slice(0, longestMessageCharacters)}…` };
}

function plainOf(thrown: unknown): PlainError {
  if (thrown instanceof AppError) return { code: thrown.code, message: thrown.message, data: thrown.data };
  if (isAbort(thrown)) return { code: 'CANCELLED', message: 'Cancelled.', data: {} };
  return { code: 'INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown), data: {} };
}

export function fromPlainError(plain: PlainError): AppError {
  return new AppError(plain.code, plain.message, plain.data);
}

/** True for what an AbortSignal throws, whichever library threw it. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || (thrown instanceof AppError && thrown.code === 'CANCELLED'));
}
