/** One unit of any picture back to pixels, and its strongest place: what the lab's tools share. */
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, ProjectionRecord, Scale, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { displayLimits, drawProjection, levelsOf, type Picture } from '../projection/display.ts';
import { measure } from '../projection/measure.ts';
import type { LabSubject, SeenPicture } from './labSubject.ts';

export interface LabUnit {
  readonly layer: Layer;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

export interface LabProjection {
  readonly record: ProjectionRecord & { readonly activation: number };
  /** Of the support, `[C, rows, columns]`; empty without one. */
  readonly values: Float32Array;
}

export async function projectUnit(inference: InferenceClient, subject: LabSubject, picture: SeenPicture, { layer, channel, y, x }: LabUnit, { method, seed, control }: { readonly method: Method; readonly seed: Seed; readonly control: Control }, signal?: AbortSignal): Promise<LabProjection> {
  const { network } = subject;
  const { crop } = network.preprocessing;
  const [unit] = await inference.call('project', { ...network, layer: layer.name, method, seed, control, pictures: [picture.pixels], units: [{ picture: 0, channel, y, x }] }, signal);
  const box = clipBox(unitWindow(layer.receptiveField, y, x), ...crop);
  const { numbers, values } = measure(unit!.values, unit!.box, crop, box);
  return { record: { layer: layer.name, channel, image: picture.name, y, x, method, seed, control, box, ...numbers, rectified: unit!.rectified, notes: unit!.notes, activation: unit!.activation }, values };
}

/** `patch`: the receptive field, with what reaches out of the picture as a border; cut at the picture where it is much larger. */
export function drawUnit(subject: LabSubject, layer: Layer, { record, values }: LabProjection, scale: Scale, area: 'patch' | 'input'): Picture {
  const { crop: [height, width], order } = subject.network.preprocessing;
  const [limit] = displayLimits([record], scale);
  const levels = record.support ? levelsOf(values, record.support, limit!) : { box: null, levels: new Uint8Array(0) };
  const field = unitWindow(layer.receptiveField, record.y, record.x);
  const isLarge = field[2] - field[0] > 2 * height || field[3] - field[1] > 2 * width;
  return drawProjection(levels, height, width, area === 'input' ? [0, 0, height, width] : isLarge ? record.box : field, order);
}

/** `[C, H, W]` of a layer. */
export function mapsOf(inference: InferenceClient, { network }: LabSubject, picture: Pick<SeenPicture, 'pixels'>, layer: Layer, signal?: AbortSignal): Promise<Float32Array> {
  return inference.call('maps', { ...network, pixels: picture.pixels, layer: layer.name }, signal);
}

export interface ChannelSummary {
  readonly channel: number;
  readonly max: number;
  readonly min: number;
  readonly mean: number;
  /** Of the first maximum. */
  readonly y: number;
  readonly x: number;
}

export function summarize(maps: Float32Array, { channels, height, width }: Layer): readonly ChannelSummary[] {
  const area = height * width;
  return Array.from({ length: channels }, (_, channel) => {
    let [place, min, sum] = [0, Infinity, 0];
    const map = maps.subarray(channel * area, (channel + 1) * area);
    for (let at = 0; at < area; at++) {
      if (map[at]! > map[place]!) place = at;
      if (map[at]! < min) min = map[at]!;
      sum += map[at]!;
    }
    return { channel, max: map[place]!, min, mean: sum / area, y: Math.floor(place / width), x: place % width };
  });
}

export function checkChannelOf({ name, channels }: Layer, channel: number): void {
  if (channel < channels) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(name)} has channels 0 to ${channels - 1}; there is no channel ${channel}.`, { layer: name, channel });
}
