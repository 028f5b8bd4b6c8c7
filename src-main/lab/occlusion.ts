/**
 * Occlusion (Zeiler & Fergus 2013, section 4.2 and Figure 7): a square is moved over the picture, and per position are noted the probability of the class (7d), the most probable class
 * (7e) and the total of one feature map (7b). The value belongs to the position; overlaps are not summed. Positions come coarse first, so that a whole map is there at once and sharpens.
 */
import type { Box } from '../../src-shared/domain/geometry.ts';
import { placeOfLargest, probabilitiesOf, type LabNetworkQuestions } from './question.ts';

export interface OcclusionOrder {
  /** `[H, W, 3]` 8-bit RGB of `height` x `width`. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly stride: number;
  readonly colour: readonly [number, number, number];
  readonly class: number;
  readonly layer: string;
  readonly channel: number;
}

/** Per position `[row][column]`, null where it is not known yet. */
export interface OcclusionMaps {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly probability: (number | null)[][];
  readonly label: (number | null)[][];
  readonly total: (number | null)[][];
}

type Place = readonly [row: number, column: number];

/** Grid steps of the passes: every fourth position in both directions, every second, all. */
const coarsest = 4;
/** Positions of one question: few enough to be stopped, and to show how far it is. */
const together = 32;

/** Centres from 0 to the far border, which is always one of them. */
export function occlusionCentres(edge: number, stride: number): readonly number[] {
  const centres = Array.from({ length: Math.floor(edge / stride) + 1 }, (_, at) => at * stride);
  return centres.at(-1) === edge ? centres : [...centres, edge];
}

/** The square around a centre, clipped to the picture. */
export function occlusionBox(y: number, x: number, size: number, height: number, width: number): Box {
  const [top, left] = [y - Math.floor(size / 2), x - Math.floor(size / 2)];
  return [Math.max(0, top), Math.max(0, left), Math.min(height, top + size), Math.min(width, left + size)];
}

/** @param onPart is called after each question with the maps so far, of which `done` positions of `total` are known */
export async function sweepOcclusion(network: LabNetworkQuestions, order: OcclusionOrder, onPart: (maps: OcclusionMaps, done: number, total: number) => void, signal: AbortSignal): Promise<OcclusionMaps> {
  const { pixels, height, width, size, stride, colour, layer, channel } = order;
  const [rows, columns] = [occlusionCentres(height, stride), occlusionCentres(width, stride)];
  const unknown = () => rows.map(() => columns.map((): number | null => null));
  const maps = { rows, columns, probability: unknown(), label: unknown(), total: unknown() };
  const parts = coarseFirst(rows.length, columns.length).flatMap((pass) => questionsOf(pass));
  const total = rows.length * columns.length;
  const ask = (part: readonly Place[] | undefined) => {
    if (!part) return null;
    const boxes = part.map(([row, column]) => occlusionBox(rows[row]!, columns[column]!, size, height, width));
    const asked = network.look({ kind: 'squares', pixels, boxes, colour }, layer, signal);
    // Awaited below, unless the question before it fails.
    asked.catch(() => undefined);
    return asked;
  };
  let done = 0;
  let ahead = ask(parts[0]);
  for (const [at, part] of parts.entries()) {
    const asked = ahead!;
    // The network never waits for what is done here with the answer before.
    ahead = ask(parts[at + 1]);
    const { logits, totals } = await asked;
    part.forEach(([row, column], place) => {
      const scores = rowOf(logits!, place, part.length);
      maps.probability[row]![column] = probabilitiesOf(scores)[order.class]!;
      maps.label[row]![column] = placeOfLargest(scores);
      maps.total[row]![column] = rowOf(totals!, place, part.length)[channel]!;
    });
    done += part.length;
    onPart(maps, done, total);
  }
  return maps;
}

function rowOf(values: Float32Array, at: number, rows: number): Float32Array {
  const size = values.length / rows;
  return values.subarray(at * size, (at + 1) * size);
}

function questionsOf(pass: readonly Place[]): readonly (readonly Place[])[] {
  return Array.from({ length: Math.ceil(pass.length / together) }, (_, at) => pass.slice(at * together, (at + 1) * together));
}

/** Every position once: first those on the coarsest grid, then those that each finer grid adds. */
function coarseFirst(rows: number, columns: number): readonly (readonly Place[])[] {
  const passes: Place[][] = [];
  for (let step = coarsest; step >= 1; step /= 2) {
    const pass: Place[] = [];
    for (let row = 0; row < rows; row += step) {
      for (let column = 0; column < columns; column += step) {
        if (step === coarsest || row % (2 * step) !== 0 || column % (2 * step) !== 0) pass.push([row, column]);
      }
    }
    passes.push(pass);
  }
  return passes;
}
