/**
 * Every place of the workbench as an address, `/w/:workspace/i/:index/l/:layer/c/:channel?hit=&method=&seed=&scale=`, and back.
 * Pure, so that a copied link and the router cannot disagree. Defaults are left out of the query unless a whole link is asked for.
 */
import { experimentKinds, type ExperimentKind } from '../src-shared/domain/experiments.ts';
import { mapColours, type MapColour } from '../src-shared/contract/mapMedia.ts';
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

/** The paper's experiments in a workspace, or the result of one. */
export function experimentsAddress(workspace: string, result?: string): string {
  return `/w/${encodeURIComponent(workspace)}/experiments${result === undefined ? '' : `/${encodeURIComponent(result)}`}`;
}

/** What an experiment begins with: an index, or the settings of a result; of class evidence also the class and the layer (number from 1). */
export interface ExperimentStart {
  readonly index?: string;
  readonly from?: string;
  readonly class?: string;
  readonly layer?: number;
}

/** The form of an experiment. */
export function experimentAddress(workspace: string, kind: ExperimentKind, start: ExperimentStart = {}): string {
  return `${experimentsAddress(workspace)}/new/${kind}${written({ ...start })}`;
}

/** Reads that form's address; kind null where nobody knows it. */
export function experimentOf(params: Words, query: Words): { readonly kind: ExperimentKind | null; readonly start: ExperimentStart } {
  const id = (word: unknown): string | undefined => (typeof word === 'string' && /^[a-z0-9]{6,24}$/.test(word) ? word : undefined);
  const [index, from, layer] = [id(query.index), id(query.from), count(query.layer, 1)];
  return {
    kind: oneOf<ExperimentKind | 'unknown'>(experimentKinds, params.kind, 'unknown') === 'unknown' ? null : (params.kind as ExperimentKind),
    start: { ...(index ? { index } : {}), ...(from ? { from } : {}), ...(text(query.class) ? { class: text(query.class).slice(0, 400) } : {}), ...(layer === null ? {} : { layer }) },
  };
}

/** The paper, walked through with the network and images of an index; without one, of the workspace's newest. */
export function paperAddress(workspace: string, index?: string): string {
  return `/w/${encodeURIComponent(workspace)}/paper${written({ index })}`;
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

/** The maps of a workspace, and the form for another, begun with an index and a layer of it. */
export function mapsAddress(workspace: string, start: { readonly index?: string; readonly layer?: string } = {}): string {
  return `/w/${encodeURIComponent(workspace)}/map${written({ ...start })}`;
}

export const mapViews = ['points', 'mosaic'] as const;
export type MapViewing = (typeof mapViews)[number];

/** One map, and how it is looked at; what is chosen on it is no part of the address. */
export interface MapPlace {
  readonly workspace: string;
  readonly map: string;
  readonly colour: MapColour;
  /** Of the colour `channel`: layer (number from 1) and channel. */
  readonly layer: number | null;
  readonly channel: number | null;
  /** Classes that are set apart from the others, by number. */
  readonly classes: readonly number[];
  readonly view: MapViewing;
  /** Another map of the same images beside it. */
  readonly beside: string | null;
  /** Middle of what is seen, 0-1, and how much closer than the whole map; null: the whole map. */
  readonly at: { readonly x: number; readonly y: number; readonly zoom: number } | null;
}

export function mapAddress(workspace: string, map: string, looking: Partial<Omit<MapPlace, 'workspace' | 'map'>> = {}): string {
  const { colour = 'class', layer = null, channel = null, classes = [], view = 'points', beside = null, at = null } = looking;
  const isChannel = colour === 'channel';
  return `${mapsAddress(workspace)}/${encodeURIComponent(map)}${written({
    colour: colour === 'class' ? undefined : colour,
    layer: isChannel ? (layer ?? undefined) : undefined,
    channel: isChannel ? (channel ?? undefined) : undefined,
    classes: classes.length > 0 ? classes.join('.') : undefined,
    view: view === 'points' ? undefined : view,
    beside: beside ?? undefined,
    at: at ? [at.x.toFixed(4), at.y.toFixed(4), at.zoom.toFixed(2)].join('_') : undefined,
  })}`;
}

/** Reads a map's address; what is absent or makes no sense is as usual. */
export function mapPlaceOf(params: Words, query: Words): MapPlace {
  const id = (word: unknown): string | null => (typeof word === 'string' && /^[a-z0-9]{6,24}$/.test(word) ? word : null);
  const [, x, y, zoom] = /^([01]\.\d{1,6})_([01]\.\d{1,6})_(\d{1,5}(?:\.\d{1,3})?)$/.exec(text(query.at)) ?? [];
  return {
    workspace: text(params.workspace),
    map: text(params.map),
    colour: oneOf(mapColours, query.colour, 'class'),
    layer: count(query.layer, 1),
    channel: count(query.channel, 0),
    classes: /^\d{1,9}(\.\d{1,9}){0,99}$/.test(text(query.classes)) ? text(query.classes).split('.').map(Number) : [],
    view: oneOf(mapViews, query.view, 'points'),
    beside: id(query.beside),
    at: x !== undefined && y !== undefined && zoom !== undefined && Number(zoom) > 0 ? { x: Number(x), y: Number(y), zoom: Number(zoom) } : null,
  };
}

/** The nearest images of a picture: an index, a picture as the lab names it (`image-12`, `given-HASH`), and the layer (its name) whose features are compared. */
export interface NeighboursPlace {
  readonly workspace: string;
  readonly index: string | null;
  readonly picture: string | null;
  readonly layer: string | null;
  readonly pooling: 'mean' | 'max' | 'flat';
  readonly metric: 'l2' | 'cosine';
}

export function neighboursAddress(workspace: string, at: Partial<Omit<NeighboursPlace, 'workspace'>> = {}): string {
  const { index, picture, layer, pooling, metric } = at;
  return `/w/${encodeURIComponent(workspace)}/neighbours${written({ index: index ?? undefined, picture: picture ?? undefined, layer: layer ?? undefined, pooling: pooling === 'mean' ? undefined : pooling, metric: metric === 'l2' ? undefined : metric })}`;
}

export function neighboursPlaceOf(params: Words, query: Words): NeighboursPlace {
  const matching = (word: unknown, pattern: RegExp): string | null => (typeof word === 'string' && pattern.test(word) ? word : null);
  return {
    workspace: text(params.workspace),
    index: matching(query.index, /^[a-z0-9]{6,24}$/),
    picture: matching(query.picture, /^(image-\d{1,10}|given-[0-9a-f]{32})$/),
    layer: matching(query.layer, /^.{1,1000}$/),
    pooling: oneOf(['mean', 'max', 'flat'] as const, query.pooling, 'mean'),
    metric: oneOf(['l2', 'cosine'] as const, query.metric, 'l2'),
  };
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
