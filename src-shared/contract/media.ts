/**
 * Addresses of pictures. Typed here so that renderer and core cannot disagree; no address ever holds a path.
 * All answer image/png, `Cache-Control: immutable` where a version is part of the address (`version` of a channel, `numbering` of its index), and 422 with a
 * JSON PlainError when they fail.
 */
import type { Control, Method, Scale, Seed } from '../domain/projection.ts';

/** How projections are computed and shown; `control`: none if absent. */
interface Show {
  readonly method: Method;
  readonly seed: Seed;
  readonly control?: Control;
  readonly scale: Scale;
}

/** The edges of a sheet's tiles that the interface asks for: a grid of many channels, and one channel alone. Other sizes are drawn as well. */
export const sheetTileSizes = [64, 128] as const;

/** The channel's patches (top nine) as ONE square picture, 3 x 3 tiles with a 1 px gap; empty tiles are transparent. `size`: edge of one tile in pixels (32..256). `unique`: duplicates hidden. */
export function patchSheetUrl(at: { index: string; layer: number; channel: number; version: string; size: number; unique?: boolean }): string {
  return `/media/patches/${at.index}/${at.layer}/${at.channel}?v=${at.version}&size=${at.size}${at.unique ? '&unique=1' : ''}`;
}

/** The nine projections of the same hits as ONE picture of the same layout. */
export function projectionSheetUrl(at: { index: string; layer: number; channel: number; version: string; size: number; unique?: boolean } & Show): string {
  return `/media/projections/${at.index}/${at.layer}/${at.channel}?v=${at.version}&size=${at.size}&${show(at)}${at.unique ? '&unique=1' : ''}`;
}

/** One unit's patch: the full receptive field (at most 512 px), parts outside the image drawn as border. `size`: longer edge in pixels. */
export function patchUrl(at: { index: string; numbering: number; layer: number; image: number; y: number; x: number; size: number }): string {
  return `/media/patch/${at.index}/${at.layer}/${at.image}/${at.y}/${at.x}?v=${at.numbering}&size=${at.size}`;
}

/** One unit's projection: `area` is `patch` (the receptive field, aligned with patchUrl) or `input` (the whole network input). */
export function projectionUrl(at: { index: string; numbering: number; layer: number; channel: number; image: number; y: number; x: number; size: number; area: 'patch' | 'input' } & Show): string {
  return `/media/projection/${at.index}/${at.layer}/${at.channel}/${at.image}/${at.y}/${at.x}?v=${at.numbering}&size=${at.size}&${show(at)}&area=${at.area}`;
}

/** The image as the network sees it (resized and cropped, true colours), `crop[0] x crop[1]` pixels. */
export function inputImageUrl(at: { index: string; numbering: number; image: number }): string {
  return `/media/image/${at.index}/${at.image}?v=${at.numbering}`;
}

function show({ method, seed, control = 'none', scale }: Show): string {
  return `method=${method}&seed=${seed}${control === 'none' ? '' : `&control=${control}`}&scale=${scale}`;
}
