/**
 * What an ONNX file says about its pictures: the metadata keys that the ONNX project defines for image models (docs/MetadataProps.md): the order of colours and
 * the range of values. Networks trained here take pixels as they are and say so, and in a key of Switchback's own how their pictures were brought to size; other
 * files mostly say nothing.
 */
import type { ChannelOrder, Resize } from '../../../src-shared/domain/preprocessing.ts';
import type { Graph, StatedPreparation } from '../../graph/graph.ts';
import { writeMessage } from '../protobuf/writeMessage.ts';
import { withHalfWeights } from './halfWeights.ts';
import { onnxSchema, type OnnxModel } from './messages.ts';
import { onnxModel } from './write.ts';

const formatKey = 'Image.BitmapPixelFormat';
const rangeKey = 'Image.NominalPixelRange';
/** `shorterSide 110`, `exact` or `none`. */
const resizeKey = 'Switchback.Resize';

const formats = { rgb: 'Rgb8', bgr: 'Bgr8', grey: 'Gray8' } as const satisfies Record<ChannelOrder, string>;

/** x' = (x * scale - mean) / std. */
const ranges: Readonly<Record<string, { readonly scale: number; readonly mean: number }>> = {
  NominalRange_0_255: { scale: 1, mean: 0 },
  Normalized_0_1: { scale: 1 / 255, mean: 0 },
  Normalized_1_1: { scale: 2 / 255, mean: 1 },
};

export interface NetworkDescription {
  /** Order of the colours that the network takes, 0..255. */
  readonly order: ChannelOrder;
  /** What its pictures went through before the centre was cut out. */
  readonly resize: Resize;
  /** The file's doc string. */
  readonly text: string;
  /** Of its filters and matrices. */
  readonly precision: 'float32' | 'float16';
}

/** A network that takes pixels from 0 to 255, as a file. Throws AppError UNSUPPORTED where one ONNX file cannot hold the weights. */
export function writePixelNetwork(graph: Graph, { order, resize, text, precision }: NetworkDescription): Uint8Array {
  const model = onnxModel(graph, 'network');
  const properties = [{ key: formatKey, value: formats[order] }, { key: rangeKey, value: 'NominalRange_0_255' }, { key: 'Image.ColorSpaceGamma', value: 'SRGB' }, { key: resizeKey, value: resize.kind === 'shorterSide' ? `${resize.kind} ${resize.pixels}` : resize.kind }];
  return writeMessage(onnxSchema, 'Model', { ...(precision === 'float16' ? withHalfWeights(model) : model), docString: text, metadataProps: properties });
}

/** What the metadata says of the pictures, undefined where that is not both order and range. */
export function statedPreparation({ metadataProps }: Pick<OnnxModel, 'metadataProps'>): StatedPreparation | undefined {
  const valueOf = (key: string) => metadataProps.find((property) => property.key === key)?.value;
  const order = (['rgb', 'bgr', 'grey'] as const).find((each) => formats[each] === valueOf(formatKey));
  const range = ranges[valueOf(rangeKey) ?? ''];
  if (!order || !range) return undefined;
  const channels = order === 'grey' ? 1 : 3;
  const resize = statedResize(valueOf(resizeKey));
  return {
    order,
    scale: range.scale,
    mean: new Array<number>(channels).fill(range.mean),
    std: new Array<number>(channels).fill(1),
    ...(resize ? { resize } : {}),
    source: `The file says it: ${formatKey} ${valueOf(formatKey)}, ${rangeKey} ${valueOf(rangeKey)}${resize ? `, ${resizeKey} ${valueOf(resizeKey)}` : ''}.`,
  };
}

/** Edges beyond this are no picture's. */
const largestEdge = 8192;

function statedResize(text: string | undefined): Resize | undefined {
  if (text === 'exact' || text === 'none') return { kind: text };
  const pixels = Number(/^shorterSide (\d{1,4})$/.exec(text ?? '')?.[1]);
  return pixels >= 1 && pixels <= largestEdge ? { kind: 'shorterSide', pixels } : undefined;
}
