/**
 * What every importer offers: tell by content whether a file is its own, and convert it. The list of formats is in open.ts.
 */
import type { Model } from '../graph/graph.ts';
import type { OpKind } from '../graph/ops/attributes.ts';

/** Whether a file is of a format; `reason` says why not, for the message when nothing matches. */
export type Match = { readonly kind: 'yes' } | { readonly kind: 'no'; readonly reason: string };

export interface OpenOptions {
  /** `[height, width]` of the network input, for files that leave them open. */
  readonly inputSize?: readonly [height: number, width: number];
  /** For the import report only: a description whose weights are missing is read with zeros in their place, and a warning says so. */
  readonly withoutWeights?: boolean;
}

/** One operator of the file as the file calls it, how often it stands there, and the op kinds it became (none: it was computed at import). */
export interface OperatorCount {
  readonly op: string;
  readonly count: number;
  readonly kinds: readonly OpKind[];
}

export interface ImportReport {
  readonly operators: readonly OperatorCount[];
  /** What a person should know about how the file was read; whole sentences. */
  readonly warnings: readonly string[];
}

/**
 * The files beside the opened one, for formats that keep a network in several. Nothing outside the model's own folder can be reached. What is
 * `read` belongs to the model: it enters the model's hash and size; what is only peeked at does not.
 */
export interface Siblings {
  /** Names of the files in the model's folder, sorted; without the opened file. */
  list(): readonly string[];
  /** A file by its name, or by a relative path below the model's folder. Throws AppError NOT_FOUND, UNREADABLE_FILE or UNSUPPORTED (over 2 GiB). */
  read(name: string): Uint8Array;
  /** At most the first `maximumBytes` of a file; throws as `read`. */
  peek(name: string, maximumBytes: number): Uint8Array;
}

export interface ConvertedModel {
  readonly model: Model;
  readonly report: ImportReport;
}

export interface ModelFormat {
  readonly name: Model['format'];
  match(bytes: Uint8Array): Match;
  /** `fileName` is for messages. Throws AppError UNREADABLE_FILE, UNSUPPORTED, BAD_REQUEST, or NOT_FOUND where a file beside it is missing. */
  convert(bytes: Uint8Array, fileName: string, options: OpenOptions, siblings: Siblings): ConvertedModel | Promise<ConvertedModel>;
}
