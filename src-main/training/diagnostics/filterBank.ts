/** The filters of one convolution as the measures read them. */

/** `data`: float32 `[filters, inputs, height, width]`, row-major. */
export interface FilterBank {
  readonly filters: number;
  /** Input channels that one filter reads, so those of its group. */
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** The weights of a convolution as a file has them: Conv `[M, C/group, kh, kw]`, ConvTranspose `[C, M/group, kh, kw]`. */
export interface ConvolutionWeights {
  readonly kind: string;
  readonly shape: readonly number[];
  readonly group: number;
  readonly data: Float32Array;
}

export function bankOf({ kind, shape, group, data }: ConvolutionWeights): FilterBank {
  const [first = 0, second = 0, height = 1, width = 1] = shape;
  if (kind !== 'ConvTranspose') return { filters: first, inputs: second, height, width, data };
  const [inputs, filters, size] = [first / group, second * group, height * width];
  const turned = new Float32Array(data.length);
  for (let filter = 0; filter < filters; filter++) {
    const start = Math.floor(filter / second) * inputs;
    for (let input = 0; input < inputs; input++) {
      const from = ((start + input) * second + (filter % second)) * size;
      turned.set(data.subarray(from, from + size), (filter * inputs + input) * size);
    }
  }
  return { filters, inputs, height, width, data: turned };
}

/** At most `count` filters from the given one on. */
export function slicesOf(bank: FilterBank, from: number, count: number): FilterBank {
  const size = bank.inputs * bank.height * bank.width;
  const filters = Math.min(count, bank.filters - from);
  return { ...bank, filters, data: bank.data.subarray(from * size, (from + filters) * size) };
}

/** Root mean square of each filter over all its weights. */
export function rmsOf({ filters, inputs, height, width, data }: FilterBank): readonly number[] {
  const size = inputs * height * width;
  return Array.from({ length: filters }, (_, filter) => {
    let squares = 0;
    for (let at = filter * size; at < (filter + 1) * size; at++) squares += data[at]! ** 2;
    return Math.sqrt(squares / size);
  });
}

/** Largest |weight| of each filter. */
export function largestOf({ filters, inputs, height, width, data }: FilterBank): readonly number[] {
  const size = inputs * height * width;
  return Array.from({ length: filters }, (_, filter) => {
    let largest = 0;
    for (let at = filter * size; at < (filter + 1) * size; at++) largest = Math.max(largest, Math.abs(data[at]!));
    return largest;
  });
}
