/**
 * A parsed prototxt as a list of layers in one form, whichever of Caffe's three syntaxes it is written in: `layer` with type names in quotes (V2),
 * `layers` with enum types (V1), or `layers { layer { ... } }` with the parameters among the layer's own fields (V0). Layers of the training phase are
 * left out. Source: src/caffe/proto/caffe.proto and the rules of NetStateRule written there.
 */
import { integerOf, messageOf, messagesOf, textOf, textsOf, wordOf, emptyMessage, integersOf } from './textFields.ts';
import { parseText, type TextMessage } from './textFormat.ts';
import { TextError } from './textTokens.ts';
import { canonicalType } from './layerTypes.ts';

export interface CaffeLayer {
  readonly name: string;
  /** Type name of the newest syntax, e.g. `InnerProduct`. */
  readonly type: string;
  readonly bottoms: readonly string[];
  readonly tops: readonly string[];
  /** The layer's own parameters, e.g. `convolution_param`; empty where there are none. */
  parameters(field: string): TextMessage;
  /** Line of the prototxt on which it begins. */
  readonly line: number;
}

/** An input that the network declares outside its layers; no shape where the file gives none. */
export interface CaffeInput {
  readonly name: string;
  readonly shape: readonly number[] | undefined;
}

export interface CaffeNetwork {
  readonly name: string;
  readonly inputs: readonly CaffeInput[];
  /** Layers of the TEST phase in file order. */
  readonly layers: readonly CaffeLayer[];
  readonly syntax: 'V0' | 'V1' | 'V2';
}

/** More layers than any network has; each costs an object or two. */
const maximumLayers = 100_000;

/** Throws TextError with the line where the text is no network. */
export function parseNetwork(text: string): CaffeNetwork {
  const file = parseText(text);
  const newer = messagesOf(file, 'layer');
  const older = messagesOf(file, 'layers');
  if (newer.length > 0 && older.length > 0) throw new TextError(older[0]!.line, 'the file mixes "layer" and "layers"; a network is written with one of them');
  const messages = newer.length > 0 ? newer : older;
  if (messages.length > maximumLayers) throw new TextError(messages[maximumLayers]!.line, `the network has ${messages.length} layers; ${maximumLayers} are the limit`);
  const nested = older.some((message) => message.fields.has('layer'));
  return {
    name: textOf(file, 'name') ?? '',
    inputs: inputsOf(file),
    layers: messages.filter(belongsToTest).map((message) => layerOf(message, newer.length > 0)),
    syntax: newer.length > 0 ? 'V2' : nested ? 'V0' : 'V1',
  };
}

function inputsOf(file: TextMessage): CaffeInput[] {
  const shapes = messagesOf(file, 'input_shape').map((shape) => integersOf(shape, 'dim'));
  const dimensions = integersOf(file, 'input_dim');
  return textsOf(file, 'input').map((name, index) => {
    const four = dimensions.slice(4 * index, 4 * index + 4);
    return { name, shape: shapes[index] ?? (four.length === 4 ? four : undefined) };
  });
}

function layerOf(message: TextMessage, isNewest: boolean): CaffeLayer {
  const flat = isNewest ? undefined : messageOf(message, 'layer');
  const own = flat ?? message;
  const tops = textsOf(message, 'top');
  const type = isNewest || flat ? (textOf(own, 'type') ?? '') : wordOf(own, 'type', '');
  const renamed = flat && withNewNames(flat);
  return {
    name: textOf(own, 'name') ?? tops[0] ?? '',
    type: canonicalType(type, isNewest ? 'V2' : flat ? 'V0' : 'V1'),
    bottoms: textsOf(message, 'bottom'),
    tops,
    parameters: (field) => renamed ?? messageOf(message, field) ?? emptyMessage,
    line: message.line,
  };
}

/** A few parameters changed their names when they moved into messages of their own. */
function withNewNames(flat: TextMessage): TextMessage {
  const names: Readonly<Record<string, string>> = { kernelsize: 'kernel_size', biasterm: 'bias_term', cropsize: 'crop_size', meanfile: 'mean_file' };
  return { ...flat, fields: new Map([...flat.fields].map(([name, values]) => [names[name] ?? name, values])) };
}

/** Included where no rule says otherwise; with `include` rules one must hold, with `exclude` rules none. */
function belongsToTest(message: TextMessage): boolean {
  const include = messagesOf(message, 'include');
  if (include.length > 0) return include.some(holdsInTest);
  return !messagesOf(message, 'exclude').some(holdsInTest);
}

/** The state of a network that is only looked at: phase TEST, level 0, no stages. */
function holdsInTest(rule: TextMessage): boolean {
  return (
    wordOf(rule, 'phase', 'TEST', ['TRAIN', 'TEST']) === 'TEST' &&
    integerOf(rule, 'min_level', 0, { minimum: -(2 ** 31) }) <= 0 &&
    integerOf(rule, 'max_level', 0, { minimum: -(2 ** 31) }) >= 0 &&
    textsOf(rule, 'stage').length === 0
  );
}
