/**
 * What a person means by "conv5 17", "conv5", "17" or "#17". A layer is matched by its title first, then by its ONNX name; a number
 * alone is a channel of the layer on screen.
 */

export interface JumpLayer {
  readonly number: number;
  readonly title: string;
  readonly name: string;
  readonly channels: number;
}

export interface JumpTarget {
  readonly layer: number;
  readonly title: string;
  /** null: the layer as a whole. */
  readonly channel: number | null;
}

export type Jump =
  | { readonly kind: 'found'; readonly targets: readonly JumpTarget[] }
  | { readonly kind: 'noLayer'; readonly word: string }
  | { readonly kind: 'noChannel'; readonly title: string; readonly channel: number; readonly channels: number };

const mostTargets = 8;

/** @returns the best targets first; or which part of the words leads nowhere. Empty words name every layer. */
export function jumpTarget(words: string, layers: readonly JumpLayer[], shownLayer: number | null): Jump {
  const query = words.trim();
  const shown = layers.find((layer) => layer.number === shownLayer);
  const alone = /^#?(\d{1,8})$/.exec(query);
  if (alone && shown) return channelsOf([shown], Number(alone[1]));

  const whole = matchingLayers(query, layers);
  if (whole.length > 0) return { kind: 'found', targets: whole.slice(0, mostTargets).map((layer) => ({ layer: layer.number, title: layer.title, channel: null })) };

  const pair = /^(.+?)[\s:#,/]+(\d{1,8})$/.exec(query);
  const matched = pair ? matchingLayers(pair[1]!, layers) : [];
  return pair && matched.length > 0 ? channelsOf(matched, Number(pair[2])) : { kind: 'noLayer', word: pair?.[1] ?? query };
}

function channelsOf(layers: readonly JumpLayer[], channel: number): Jump {
  const holding = layers.filter((layer) => channel < layer.channels);
  const best = layers[0]!;
  // The layer that matches best decides: "conv1 70" is not conv10's channel 70 where conv1 has 64.
  if (channel >= best.channels) return { kind: 'noChannel', title: best.title, channel, channels: best.channels };
  return { kind: 'found', targets: holding.slice(0, mostTargets).map((layer) => ({ layer: layer.number, title: layer.title, channel })) };
}

function matchingLayers(word: string, layers: readonly JumpLayer[]): readonly JumpLayer[] {
  const wanted = word.toLowerCase();
  return layers
    .map((layer) => ({ layer, closeness: closeness(wanted, layer) }))
    .filter((match) => match.closeness < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.closeness - b.closeness || a.layer.number - b.layer.number)
    .map((match) => match.layer);
}

function closeness(wanted: string, layer: JumpLayer): number {
  const [title, name] = [layer.title.toLowerCase(), layer.name.toLowerCase()];
  if (title === wanted) return 0;
  if (name === wanted) return 1;
  if (title.startsWith(wanted)) return 2;
  if (title.includes(wanted)) return 3;
  return name.includes(wanted) ? 4 : Number.POSITIVE_INFINITY;
}
