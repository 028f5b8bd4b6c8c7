/**
 * Checking, changing and describing how pictures become network input (method.md section 6). Pure: shared by the command line, the services and the tests.
 */
import { AppError } from '../../src-shared/errors.ts';
import { channelOrders, defaultResize, type ChannelOrder, type Preprocessing, type Resize } from '../../src-shared/domain/preprocessing.ts';

/** What a person may set by hand, as text from flags or as values; absent parts come from the model's record. */
export interface PreprocessingChanges {
  readonly order?: string;
  /** Edge of a square crop, or `[height, width]`. */
  readonly crop?: number | readonly [number, number];
  /** `N`, `none` or `exact`. */
  readonly resize?: string | number;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

const largestEdge = 8192;

/** Channels of the network input: 1 for grey, else 3. */
export function channelsOf(order: ChannelOrder): 1 | 3 {
  return order === 'grey' ? 1 : 3;
}

/**
 * Applies what a person changed to the model's record. A new crop brings its default resize unless one is given; a new order carries mean and std along
 * (they are in the order the network receives) unless they are given.
 * @throws AppError BAD_REQUEST naming the value and what it may be
 */
export function changePreprocessing(base: Preprocessing, changes: PreprocessingChanges): Preprocessing {
  const order = changes.order === undefined ? base.order : parseOrder(changes.order);
  const crop: readonly [number, number] = changes.crop === undefined ? base.crop : typeof changes.crop === 'number' ? [changes.crop, changes.crop] : changes.crop;
  const resize = changes.resize !== undefined ? parseResize(changes.resize) : changes.crop !== undefined ? defaultResize(crop) : base.resize;
  const checked = checkPreprocessing({
    order,
    crop,
    resize,
    scale: changes.scale ?? base.scale,
    mean: changes.mean ?? reorder(base.mean, base.order, order),
    std: changes.std ?? reorder(base.std, base.order, order),
  });
  return checked;
}

/**
 * Returns the record with one mean and std per channel (a single value counts for all).
 * @throws AppError BAD_REQUEST naming the value and what it may be
 */
export function checkPreprocessing(value: Preprocessing): Preprocessing {
  const { order, crop, resize, scale } = value;
  if (!channelOrders.includes(order)) throw bad(`Channel order ${String(order)} is unknown: use ${channelOrders.join(', ')}.`);
  for (const edge of crop) checkEdge('The crop', edge);
  if (resize.kind === 'shorterSide') checkEdge('The resize', resize.pixels);
  if (!Number.isFinite(scale) || scale === 0) throw bad(`The scale is ${scale}: use a number other than 0, for example 1 or ${1 / 255}.`);
  const mean = perChannel('mean', value.mean, channelsOf(order));
  const std = perChannel('std', value.std, channelsOf(order));
  const zero = std.indexOf(0);
  if (zero !== -1) throw bad(`The std of channel ${zero} is 0, which would divide by zero: use 1 to leave the channel as it is.`);
  return { order, crop, resize, scale, mean, std };
}

/** One line for a person, e.g. `RGB 224 x 224, shorter side to 256, (x * 0.00392157 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]`. */
export function describePreprocessing(value: Preprocessing): string {
  const { order, crop, resize, scale, mean, std } = value;
  const size = resize.kind === 'shorterSide' ? `shorter side to ${resize.pixels}` : resize.kind === 'exact' ? 'squashed to the input' : 'not resized';
  const list = (values: readonly number[]): string => `[${values.map(short).join(', ')}]`;
  return `${order === 'grey' ? 'grey' : order.toUpperCase()} ${crop[0]} x ${crop[1]}, ${size}, (x * ${short(scale)} - ${list(mean)}) / ${list(std)}`;
}

function parseOrder(text: string): ChannelOrder {
  const order = channelOrders.find((known) => known === text.toLowerCase());
  if (order === undefined) throw bad(`Channel order "${text}" is unknown: use ${channelOrders.join(', ')}.`);
  return order;
}

function parseResize(value: string | number): Resize {
  if (value === 'none' || value === 'exact') return { kind: value };
  const pixels = Number(value);
  if (String(value).trim() === '' || Number.isNaN(pixels)) throw bad(`Resize "${value}" is unknown: use a number of pixels for the shorter side, none, or exact.`);
  checkEdge('The resize', pixels);
  return { kind: 'shorterSide', pixels };
}

function checkEdge(what: string, edge: number): void {
  if (!Number.isInteger(edge) || edge < 1 || edge > largestEdge) throw bad(`${what} is ${edge} pixels: use a whole number from 1 to ${largestEdge}.`);
}

function perChannel(what: string, values: readonly number[], channels: number): readonly number[] {
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw bad(`The ${what} holds ${wrong}: use numbers.`);
  if (values.length === channels) return values;
  if (values.length === 1) return Array.from({ length: channels }, () => values[0] as number);
  throw bad(`The ${what} has ${values.length} values for ${channels} channel${channels === 1 ? '' : 's'}: give one value, or one per channel.`);
}

function reorder(values: readonly number[], from: ChannelOrder, to: ChannelOrder): readonly number[] {
  if (from === to || values.length === 1) return values;
  if (to === 'grey') {
    const [red = 0, green = 0, blue = 0] = from === 'bgr' ? [...values].reverse() : values;
    return [0.299 * red + 0.587 * green + 0.114 * blue];
  }
  return [...values].reverse();
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function bad(message: string): AppError {
  return new AppError('BAD_REQUEST', message);
}
