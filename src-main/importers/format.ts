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

export interface ModelFormat {
  readonly name: Model['format'];
  match(bytes: Uint8Array): Match;
  /** `fileName` is for messages. Throws AppError UNREADABLE_FILE, UNSUPPORTED or BAD_REQUEST. */
  convert(bytes: Uint8Array, fileName: string, options: OpenOptions): { readonly model: Model; readonly report: ImportReport };
}
