/** Where the ticks of a small chart stand and what they are called, and the path of a line in it. Pure. */

/** Round numbers (1, 2, 2.5 or 5 times a power of ten apart) within the span, at most `most` of them. */
export function roundTicks([least, largest]: readonly [number, number], most: number): readonly number[] {
  const span = largest - least;
  if (!(span > 0)) return [least];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough * (1 - 1e-9))!;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(largest / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** From 0, or below it where values are, to a little above the largest; [0, 1] where there is no value. */
export function valueSpan(lines: readonly (readonly (number | null)[])[]): readonly [number, number] {
  const values = lines.flat().filter((value): value is number => value !== null && Number.isFinite(value));
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  return most > least ? [least, most + 0.04 * (most - least)] : [0, 1];
}

/** An SVG path; a missing value interrupts the line, and one alone between two gaps is a dot. */
export function linePath(x: readonly number[], values: readonly (number | null)[], place: (x: number, y: number) => readonly [number, number]): string {
  const words: string[] = [];
  let drawing = false;
  values.forEach((value, at) => {
    if (value === null || x[at] === undefined) return void (drawing = false);
    const [left, top] = place(x[at], value).map((each) => each.toFixed(2));
    const alone = !drawing && (values[at + 1] ?? null) === null;
    words.push(alone ? `M${left} ${top}h0.01` : `${drawing ? 'L' : 'M'}${left} ${top}`);
    drawing = true;
  });
  return words.join('');
}

/** Names without the words that all of them begin with ("squeezenet0_conv3" among its like: "conv3"); the cut is made only after a mark that parts words. */
export function shortNames(names: readonly string[]): readonly string[] {
  const [first = ''] = names;
  const common = [...first].findIndex((letter, at) => names.some((name) => name[at] !== letter));
  const cut = names.length < 2 ? 0 : first.slice(0, common < 0 ? 0 : common).search(/[^\p{L}\p{N}][\p{L}]*$/u) + 1;
  return names.map((name) => name.slice(cut));
}

/** At most so many places of a list, evenly, the first and the last among them. */
export function spreadPlaces(length: number, most: number): readonly number[] {
  if (length <= most) return Array.from({ length }, (_, at) => at);
  return Array.from({ length: most }, (_, at) => Math.round((at * (length - 1)) / (most - 1)));
}
