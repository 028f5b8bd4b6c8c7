/**
 * Random numbers that follow from a seed and a purpose, whatever else was drawn before: so that a resumed training, or one step of it, draws the same.
 */

/** Numbers in [0, 1) (sfc32 of 32-bit state words), the same for the same seed and purpose on every system. */
export function seededNumbers(seed: number, purpose: string | number): () => number {
  let [a, b, c] = [hashOf(String(purpose), seed), hashOf(`${purpose} `, ~seed), seed >>> 0];
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  // The first numbers still look alike for seeds that do.
  for (let warm = 0; warm < 12; warm++) next();
  return next;
}

/** Normal numbers of mean 0 and deviation 1 (Box-Muller, one of each pair). */
export function seededNormals(seed: number, purpose: string): () => number {
  const random = seededNumbers(seed, purpose);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** 0..count-1 in an order of chance (Fisher and Yates). */
export function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** FNV-1a over the text, from a start that the seed moves. */
function hashOf(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
