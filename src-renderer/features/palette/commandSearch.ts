/**
 * Which commands a few typed letters mean. Every word must be found; a command whose words begin with what was typed comes before one that merely
 * holds it, and among equals the given order stays.
 */

export interface Command {
  readonly id: string;
  /** What kind of thing it is, as a person reads it: "Layer", "Index", "Setting". */
  readonly group: string;
  readonly label: string;
  /** More words that find it, e.g. a layer's ONNX name. */
  readonly keywords?: string;
  /** More about it, shown behind the label. */
  readonly detail?: string;
  /** A key that does the same. */
  readonly key?: string;
  readonly run: () => void;
  /** It only changes the words, so that the palette stays. */
  readonly stays?: boolean;
}

export function searchCommands(typed: string, commands: readonly Command[], most: number): readonly Command[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return commands.slice(0, most);
  return commands
    .map((command) => ({ command, distance: distance(words, command) }))
    .filter(({ distance: far }) => far < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ command }) => command);
}

/** Sum over the typed words: 0 where the label begins with it, 1 where one of its words does, 2 within the label, 3 elsewhere. */
function distance(words: readonly string[], { label, group, keywords = '' }: Command): number {
  const name = label.toLowerCase();
  const rest = `${group} ${keywords}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    if (name.startsWith(word)) continue;
    if (name.split(/[\s:./_-]+/).some((part) => part.startsWith(word))) sum += 1;
    else if (name.includes(word)) sum += 2;
    else if (rest.includes(word)) sum += 3;
    else return Number.POSITIVE_INFINITY;
  }
  return sum;
}
