/** Channels as a person types them, "0-15, 40": to numbers and back. */

/** Ascending and without repeats; null where the words are no such list or name a channel that the layer does not have. */
export function channelChoice(words: string, channels: number): readonly number[] | null {
  const chosen = new Set<number>();
  for (const part of words.split(',')) {
    const range = /^\s*(\d{1,7})\s*(?:[-–]\s*(\d{1,7})\s*)?$/.exec(part);
    if (!range) return null;
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first || last >= channels) return null;
    for (let channel = first; channel <= last; channel++) chosen.add(channel);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** The shortest words for an ascending list. */
export function channelWords(channels: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < channels.length; ) {
    let end = start;
    while (channels[end + 1] === channels[end]! + 1) end++;
    parts.push(end === start ? `${channels[start]}` : `${channels[start]}-${channels[end]}`);
    start = end + 1;
  }
  return parts.join(', ');
}
