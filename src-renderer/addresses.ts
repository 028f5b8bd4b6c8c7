/**
 * Every place of the workbench as an address, `/w/:workspace/i/:index/l/:layer/c/:channel?hit=&method=&seed=&scale=`, and back.
 * Pure, so that a copied link and the router cannot disagree. Defaults are left out of the query unless a whole link is asked for.
 */
import { methods, scales, seeds, type Method, type Scale, type Seed } from '../src-shared/domain/projection.ts';

export interface View {
  /** Rank of the chosen hit, from 1. */
  readonly hit: number;
  readonly method: Method;
  readonly seed: Seed;
  readonly scale: Scale;
}

export interface Place extends View {
  readonly workspace: string;
  readonly index: string;
  /** Layer number from 1, null before a layer is chosen. */
  readonly layer: number | null;
  /** Channel number from 0, null while no channel is open. */
  readonly channel: number | null;
}

export const defaultView: View = { hit: 1, method: 'deconvnet', seed: 'one', scale: 'quantile' };

type Words = Readonly<Record<string, unknown>>;

/** Path and query of a place. `complete` writes every part of the view, for links that leave this session. */
export function addressOf(place: Place, complete = false): string {
  const path = [`/w/${encodeURIComponent(place.workspace)}`, `/i/${encodeURIComponent(place.index)}`];
  if (place.layer !== null) path.push(`/l/${place.layer}`);
  if (place.layer !== null && place.channel !== null) path.push(`/c/${place.channel}`);
  const query = new URLSearchParams();
  if (place.channel !== null && (complete || place.hit !== defaultView.hit)) query.set('hit', String(place.hit));
  for (const word of ['method', 'seed', 'scale'] as const) {
    if (complete || place[word] !== defaultView[word]) query.set(word, place[word]);
  }
  const written = query.toString();
  return path.join('') + (written ? `?${written}` : '');
}

/** Reads a route's params and query; what is absent or makes no sense becomes its default. */
export function placeOf(params: Words, query: Words): Place {
  return {
    workspace: text(params.workspace),
    index: text(params.index),
    layer: count(params.layer, 1),
    channel: count(params.channel, 0),
    hit: count(query.hit, 1) ?? defaultView.hit,
    method: oneOf(methods, query.method, defaultView.method),
    seed: oneOf(seeds, query.seed, defaultView.seed),
    scale: oneOf(scales, query.scale, defaultView.scale),
  };
}

function text(word: unknown): string {
  return typeof word === 'string' ? word : '';
}

function count(word: unknown, least: number): number | null {
  if (typeof word !== 'string' || !/^\d{1,9}$/.test(word)) return null;
  const number = Number(word);
  return number >= least ? number : null;
}

function oneOf<T extends string>(allowed: readonly T[], word: unknown, otherwise: T): T {
  return (allowed as readonly unknown[]).includes(word) ? (word as T) : otherwise;
}
