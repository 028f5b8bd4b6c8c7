/**
 * The top list of every channel of a layer, pure and incremental (method.md section 2): score descending, ties by image number (images are numbered
 * in path order, so that is the tie rule by relative path). NaN never ranks. In a layer that is non-negative by construction a hit needs a score above 0.
 */

/** One layer's lists as columns: `channels * top` entries, channel by channel, best first; `image` is -1 where there is no hit. */
export interface TopLists {
  readonly channels: number;
  readonly top: number;
  readonly nonNegative: boolean;
  readonly image: Int32Array;
  readonly score: Float32Array;
  /** Row * width + column. */
  readonly position: Int32Array;
}

export function createTopLists(channels: number, top: number, nonNegative: boolean): TopLists {
  return {
    channels,
    top,
    nonNegative,
    image: new Int32Array(channels * top).fill(-1),
    score: new Float32Array(channels * top),
    position: new Int32Array(channels * top),
  };
}

/** One batch of one layer: rows of `channels` scores and positions. Row i belongs to image `images[i]`; -1 marks padding or a skipped image. */
export interface ScoreRows {
  readonly images: readonly number[];
  readonly score: Float32Array;
  readonly position: ArrayLike<number | bigint>;
}

/** Takes a batch in; returns the channels whose list changed. An image that is already listed is ignored, so that taking a row twice changes nothing. */
export function offer(lists: TopLists, { images, score: scores, position }: ScoreRows): readonly number[] {
  const { channels, top } = lists;
  const changed: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const last = (channel + 1) * top - 1;
    let isChanged = false;
    for (let row = 0; row < images.length; row++) {
      const image = images[row]!;
      const at = row * channels + channel;
      const score = scores[at]!;
      if (image < 0 || Number.isNaN(score) || (lists.nonNegative && !(score > 0))) continue;
      // So it is with most: they are not even handed on.
      if (lists.image[last]! >= 0 && !before(score, image, lists.score[last]!, lists.image[last]!)) continue;
      if (insert(lists, channel, image, score, Number(position[at]))) isChanged = true;
    }
    if (isChanged) changed.push(channel);
  }
  return changed;
}

/** For a hit that is before the last one listed, or a list that is not full; false where the image is listed already. */
function insert({ top, image, score, position }: TopLists, channel: number, newImage: number, newScore: number, newPosition: number): boolean {
  const start = channel * top;
  const last = start + top - 1;
  for (let at = start; at <= last && image[at]! >= 0; at++) if (image[at] === newImage) return false;
  let at = last;
  while (at > start && (image[at - 1]! < 0 || before(newScore, newImage, score[at - 1]!, image[at - 1]!))) {
    image[at] = image[at - 1]!;
    score[at] = score[at - 1]!;
    position[at] = position[at - 1]!;
    at--;
  }
  image[at] = newImage;
  score[at] = newScore;
  position[at] = newPosition;
  return true;
}

function before(score: number, image: number, otherScore: number, otherImage: number): boolean {
  return score > otherScore || (score === otherScore && image < otherImage);
}

export interface ListedHit {
  readonly image: number;
  readonly score: number;
  readonly position: number;
}

/** A channel's hits, best first. */
export function hitsOf({ top, image, score, position }: TopLists, channel: number): readonly ListedHit[] {
  const hits: ListedHit[] = [];
  for (let at = channel * top; at < (channel + 1) * top && image[at]! >= 0; at++) hits.push({ image: image[at]!, score: score[at]!, position: position[at]! });
  return hits;
}

/** Puts stored hits back, for a job that goes on. */
export function restore(lists: TopLists, channel: number, hits: readonly ListedHit[]): void {
  hits.slice(0, lists.top).forEach((hit, rank) => {
    const at = channel * lists.top + rank;
    lists.image[at] = hit.image;
    lists.score[at] = hit.score;
    lists.position[at] = hit.position;
  });
}
