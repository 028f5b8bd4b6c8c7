/**
 * Whether parts of an index belong together (method.md section 2: rows are equal only where model, preprocessing, engine and batch are). Says in a sentence what differs, and in which part.
 */
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';

/** What must be equal in all parts. */
export interface PartRecord {
  /** How messages name the part. */
  readonly name: string;
  readonly modelHash: string;
  readonly preprocessing: Preprocessing;
  readonly layers: readonly Layer[];
  readonly top: number;
  readonly engine: string;
  readonly device: string;
  readonly batchSize: number;
  readonly computationVersion: number;
  readonly matrix: string;
  /** Images of the whole listing. */
  readonly wholeImages: number;
  /** Hash of it; null where an index covers all, and its own images say what the listing is. */
  readonly listing: string | null;
}

/** What differs between the parts, null where nothing does. The first part that has the more common value is named beside the first that has not. */
export function whatDiffers(parts: readonly PartRecord[]): { readonly field: string; readonly message: string } | null {
  for (const [field, { title, value }] of Object.entries(fields)) {
    const byValue = Map.groupBy(parts.filter((part) => value(part) !== null), (part) => JSON.stringify(value(part)));
    if (byValue.size <= 1) continue;
    const [common, other] = [...byValue.values()].sort((a, b) => b.length - a.length);
    const say = (group: readonly PartRecord[]) => `${shown(value(group[0]!))} in ${names(group)}`;
    return { field, message: `The parts do not belong together: the ${title} is ${say(common!)}, but ${say(other!)}.` };
  }
  return null;
}

interface Field {
  readonly title: string;
  /** Null fits everything. */
  value(part: PartRecord): unknown;
}

const fields = {
  model: { title: 'model', value: ({ modelHash }) => modelHash },
  preprocessing: { title: 'preprocessing', value: ({ preprocessing }) => preprocessing },
  layers: { title: 'list of layers', value: ({ layers }) => layers.map(({ number, name, channels, height, width }) => `${number} ${name} ${channels} x ${height} x ${width}`) },
  top: { title: 'number of hits per channel', value: ({ top }) => top },
  engine: { title: 'engine', value: ({ engine, device }) => `${engine} on ${device}` },
  batchSize: { title: 'batch size', value: ({ batchSize }) => batchSize },
  computationVersion: { title: 'version of the computation', value: ({ computationVersion }) => computationVersion },
  matrix: { title: 'score matrix', value: ({ matrix }) => matrix },
  images: { title: 'number of images in the folder', value: ({ wholeImages }) => wholeImages },
  listing: { title: 'list of images in the folder', value: ({ listing }) => listing },
} satisfies Record<string, Field>;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}

function names(parts: readonly PartRecord[]): string {
  const [first, second, ...rest] = parts.map((part) => part.name).sort();
  if (second === undefined) return first!;
  return rest.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${rest.length} more`;
}
