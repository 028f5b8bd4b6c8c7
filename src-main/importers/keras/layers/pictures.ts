/** Keras' layers that work on pictures without weights: pools, padding, cropping, resizing. */
import { asPicture, pictureOf } from '../axes.ts';
import { isList, type Json } from '../fields.ts';
import type { Feature } from '../network.ts';
import { cut, maximumOverPicture, meanOver, pictureSize } from '../operations.ts';
import { resize, type Resampling } from '../resize.ts';
import { windowOn } from '../windows.ts';
import { dataFormatOf, only, paddingOf, pair, type Layer, type LayerConverter } from './layer.ts';

function pool(kind: 'MaxPool' | 'AveragePool'): LayerConverter {
  return onPicture((layer, value) => {
    const kernel = pair(layer, 'pool_size', [2, 2]);
    const window = windowOn(pictureSize(layer.network, value), paddingOf(layer), kernel, pair(layer, 'strides', kernel));
    if (kind === 'MaxPool') return layer.network.add('MaxPool', [value], window);
    return layer.network.add('AveragePool', [value], { ...window, countIncludePad: false });
  });
}

/** `[N, C]`, or with keepdims a picture of 1 x 1. */
function globalPool(over: (layer: Layer, value: string) => string): LayerConverter {
  return (layer) => {
    const format = dataFormatOf(layer);
    const value = over(layer, asPicture(layer.network, only(layer), format));
    if (layer.config.flag('keepdims', false)) return pictureOf(value, format);
    const [batch, channels] = layer.network.shapeOf(value);
    return { value: layer.network.add('Reshape', [value], { shape: [batch!, channels!] }, 'Flat'), order: 'file' };
  };
}

const zeroPadding: LayerConverter = onPicture((layer, value) => {
  const [[top, bottom], [left, right]] = edges(layer, 'padding');
  return layer.network.add('Pad', [value], { pads: [top, left, bottom, right], value: 0 });
});

const cropping: LayerConverter = onPicture((layer, value) => {
  const [[top, bottom], [left, right]] = edges(layer, 'cropping');
  const [height, width] = pictureSize(layer.network, value);
  return cut(layer.network, cut(layer.network, value, 2, top, height - bottom), 3, left, width - right);
});

const upSampling: LayerConverter = onPicture((layer, value) => {
  const [rows, columns] = pair(layer, 'size', [2, 2]);
  const [height, width] = pictureSize(layer.network, value);
  return resize(layer.network, value, [height * rows, width * columns], resampling(layer));
});

const resizing: LayerConverter = onPicture((layer, value) => {
  if (layer.config.flag('crop_to_aspect_ratio', false) || layer.config.flag('pad_to_aspect_ratio', false)) layer.network.refuse('crops or pads to keep the aspect ratio');
  const [height] = layer.config.integers('height', 1);
  const [width] = layer.config.integers('width', 1);
  return resize(layer.network, value, [height!, width!], resampling(layer));
});

function resampling(layer: Layer): Resampling {
  const interpolation = layer.config.text('interpolation', layer.type === 'Resizing' ? 'bilinear' : 'nearest');
  if (interpolation !== 'nearest' && interpolation !== 'bilinear') layer.network.refuse(`resizes by ${JSON.stringify(interpolation)}; known are nearest and bilinear`);
  return { interpolation: interpolation as Resampling['interpolation'], centres: 'half' };
}

function onPicture(convert: (layer: Layer, value: string) => string): LayerConverter {
  return (layer): Feature => {
    const format = dataFormatOf(layer);
    return pictureOf(convert(layer, asPicture(layer.network, only(layer), format)), format);
  };
}

type Edges = readonly [readonly [number, number], readonly [number, number]];

/** One number for all four edges, one for each axis, or begin and end of each axis. */
function edges(layer: Layer, name: string): Edges {
  const value: Json | undefined = layer.config.raw(name);
  const axes: readonly Json[] = isList(value) ? value : [value ?? 1, value ?? 1];
  const ends = axes.flatMap((axis) => (isList(axis) ? axis : [axis, axis]));
  if (ends.length !== 4 || ends.some((end) => !Number.isSafeInteger(end) || (end as number) < 0 || (end as number) > 2 ** 20)) {
    layer.network.refuse(`has ${name} ${JSON.stringify(value)}, which is not two numbers for each of two axes`);
  }
  const [top, bottom, left, right] = ends as [number, number, number, number];
  return [[top, bottom], [left, right]];
}

export const pictureLayers = {
  MaxPooling2D: pool('MaxPool'),
  MaxPool2D: pool('MaxPool'),
  AveragePooling2D: pool('AveragePool'),
  AvgPool2D: pool('AveragePool'),
  GlobalAveragePooling2D: globalPool((layer, value) => meanOver(layer.network, value, [2, 3])),
  GlobalAvgPool2D: globalPool((layer, value) => meanOver(layer.network, value, [2, 3])),
  GlobalMaxPooling2D: globalPool((layer, value) => maximumOverPicture(layer.network, value)),
  GlobalMaxPool2D: globalPool((layer, value) => maximumOverPicture(layer.network, value)),
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
  UpSampling2D: upSampling,
  Resizing: resizing,
} satisfies Readonly<Record<string, LayerConverter>>;
