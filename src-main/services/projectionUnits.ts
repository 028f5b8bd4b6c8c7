/** Units of an index, and how they are projected. */
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';

export interface UnitRequest {
  readonly channel: number;
  readonly imageNumber: number;
  readonly y: number;
  readonly x: number;
}

/** How units are projected; `control`: none if absent. */
export interface Way {
  readonly method: Method;
  readonly seed: Seed;
  readonly control?: Control;
}

export interface LayerOfIndex {
  readonly store: Store;
  readonly index: StoredIndex;
  /** Number. */
  readonly layer: number;
}

/** Units of one layer of an index. */
export interface UnitsOfLayer<U extends UnitRequest = UnitRequest> extends LayerOfIndex {
  readonly units: readonly U[];
}

/** @throws AppError NOT_FOUND for a channel that the layer does not have */
export function checkChannel(layer: Layer, channel: number): void {
  if (channel < layer.channels) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has ${layer.channels} channels, counted from 0; there is no channel ${channel}.`, { layer: layer.name, channel });
}

/** @throws AppError NOT_FOUND for a unit that the layer does not have */
export function checkUnit(layer: Layer, unit: Pick<UnitRequest, 'channel' | 'y' | 'x'>): void {
  if (unit.channel < layer.channels && unit.y < layer.height && unit.x < layer.width) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has ${layer.channels} channels of ${layer.height} x ${layer.width}, counted from 0; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer: layer.name, channel: unit.channel });
}
