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

/** The trainings of a workspace, or one of them. */
export function trainAddress(workspace: string, run?: string): string {
  return `/w/${encodeURIComponent(workspace)}/train${run === undefined ? '' : `/${encodeURIComponent(run)}`}`;
}

/** The series of a workspace, or one of them at a layer (number from 1) and an epoch; `folder` opens the form for a new one with that folder. */
export function evolutionAddress(workspace: string, at: { readonly series?: string; readonly layer?: number; readonly epoch?: number; readonly folder?: string; readonly images?: string } = {}): string {
  const { series, ...query } = at;
  return `/w/${encodeURIComponent(workspace)}/evolution${series === undefined ? '' : `/${encodeURIComponent(series)}`}${written(query)}`;
}

/** The diagnostics of a model, beside those of another where `against` names one: each a path, or an index as `indexWord` writes it. */
export function diagnosticsAddress(workspace: string, models: { readonly model?: string; readonly against?: string } = {}): string {
  return `/w/${encodeURIComponent(workspace)}/diagnostics${written(models)}`;
}

const indexPrefix = 'index:';

/** The model of an index as an address names it, where a path could stand as well. */
export function indexWord(index: string): string {
  return indexPrefix + index;
}

/** The index that such a word names; null for a path. */
export function indexOfWord(word: string): string | null {
  return word.startsWith(indexPrefix) ? word.slice(indexPrefix.length) : null;
}

/** One side of a comparison: a layer of an index, and the channel that is chosen there. */
export interface ComparedPlace {
  readonly index: string;
  /** Number from 1. */
  readonly layer: number;
  readonly channel: number | null;
}

/** Two layers side by side; without both sides, the form that asks for them. */
export function compareAddress(workspace: string, left: ComparedPlace | null, right: ComparedPlace | null): string {
  return `/w/${encodeURIComponent(workspace)}/compare${written({ left: left ? comparedWords(left) : undefined, right: right ? comparedWords(right) : undefined })}`;
}

/** `index/layer` or `index/layer/channel`; null where it is neither. */
export function comparedPlace(words: unknown): ComparedPlace | null {
  const [, index, layer, channel] = (typeof words === 'string' && /^([a-z0-9]{6,24})\/([1-9]\d{0,5})(?:\/(\d{1,8}))?$/.exec(words)) || [];
  return index === undefined || layer === undefined ? null : { index, layer: Number(layer), channel: channel === undefined ? null : Number(channel) };
}

function comparedWords({ index, layer, channel }: ComparedPlace): string {
  return [index, layer, ...(channel === null ? [] : [channel])].join('/');
}

/** Where one image of an index is shown; `layer` is the one whose channels stand beside it. */
export function imageAddress(workspace: string, index: string, image: number, layer?: number): string {
  return `/w/${encodeURIComponent(workspace)}/i/${encodeURIComponent(index)}/image/${image}${written({ layer })}`;
}

/** Where the filters of a layer are shown. */
export function weightsAddress(workspace: string, index: string, layer: number): string {
  return `${addressOf({ ...defaultView, workspace, index, layer, channel: null })}/weights`;
}

/** The tools of the image lab, in the order of their tabs; the camera is opened from beside the picture. */
export const labTools = ['activations', 'saliency', 'segment', 'methods', 'occlusion', 'ascend', 'adversarial'] as const;
export type LabTool = (typeof labTools)[number] | 'camera';

/** What the lab shows. Null: not chosen, so that the view takes what is usual. */
export interface LabPlace {
  readonly workspace: string;
  /** An index, whose network is asked. */
  readonly model: string | null;
  /** `image-N` of that index, or `given-HASH`. */
  readonly image: string | null;
  readonly tool: LabTool;
  /** The unit that is asked about. The layer is a name, as the lab knows layers that no index has. */
  readonly layer: string | null;
  readonly channel: number | null;
  readonly y: number | null;
  readonly x: number | null;
  readonly method: Method;
  readonly seed: Seed;
  readonly scale: Scale;
  /** A kept study. */
  readonly result: string | null;
}

export function labAddress(workspace: string, at: Partial<Omit<LabPlace, 'workspace'>> = {}): string {
  const { method, seed, scale, tool, ...rest } = at;
  const chosen = Object.entries(rest).filter((entry): entry is [string, string | number] => entry[1] !== null && entry[1] !== undefined);
  const unlike = <T>(value: T | undefined, usual: T): T | undefined => (value === usual ? undefined : value);
  return `/w/${encodeURIComponent(workspace)}/lab${written({ ...Object.fromEntries(chosen), tool: unlike(tool, 'activations'), method: unlike(method, defaultView.method), seed: unlike(seed, defaultView.seed), scale: unlike(scale, defaultView.scale) })}`;
}

/** Reads the lab's address; what is absent or makes no sense is not chosen. */
export function labPlaceOf(params: Words, query: Words): LabPlace {
  const matching = (word: unknown, pattern: RegExp): string | null => (typeof word === 'string' && pattern.test(word) ? word : null);
  return {
    workspace: text(params.workspace),
    model: matching(query.model, /^[a-z0-9]{6,24}$/),
    image: matching(query.image, /^(image-\d{1,10}|given-[0-9a-f]{32})$/),
    tool: oneOf<LabTool>([...labTools, 'camera'], query.tool, 'activations'),
    layer: matching(query.layer, /^.{1,1000}$/),
    channel: count(query.channel, 0),
    y: count(query.y, 0),
    x: count(query.x, 0),
    method: oneOf(methods, query.method, defaultView.method),
    seed: oneOf(seeds, query.seed, defaultView.seed),
    scale: oneOf(scales, query.scale, defaultView.scale),
    result: matching(query.result, /^[a-z0-9]{6,24}$/),
  };
}

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

function written(query: Readonly<Record<string, string | number | undefined>>): string {
  const parts = new URLSearchParams(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
  return parts.size > 0 ? `?${parts}` : '';
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
