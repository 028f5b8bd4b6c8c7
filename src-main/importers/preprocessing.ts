/**
 * The guess of how pictures become a network's input, where the file does not say it (method.md section 6). A person can change all of it.
 */
import { AppError } from '../../src-shared/errors.ts';
import { defaultResize, type Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { valueOf, type Model } from '../graph/graph.ts';

export interface PreprocessingGuess {
  readonly preprocessing: Preprocessing;
  /** One sentence: what was guessed and why. */
  readonly source: string;
}

/** Throws AppError UNSUPPORTED for inputs with other than one or three channels. */
export function preprocessingOf(model: Model): PreprocessingGuess {
  const { shape } = valueOf(model.graph, model.imageInput);
  const [, channels, height, width] = shape as readonly number[];
  const crop = [height!, width!] as const;
  const geometry = { crop, resize: defaultResize(crop) };
  if (model.preparation && (channels === 1 || channels === 3)) {
    const { source, resize, ...values } = model.preparation;
    // A size that leaves nothing to cut the input from is no size.
    const isUsable = resize && (resize.kind !== 'shorterSide' || resize.pixels >= Math.max(...crop));
    return { preprocessing: { ...values, ...geometry, ...(isUsable ? { resize } : {}) }, source };
  }
  if (channels === 1 && model.format === 'caffe') {
    return {
      preprocessing: { order: 'grey', ...geometry, scale: 1 / 256, mean: [0], std: [1] },
      source: 'Guessed: the input has one channel, so grey values divided by 256 as in the LeNet that comes with Caffe; the file does not say how its pictures were prepared.',
    };
  }
  if (channels === 1) {
    return {
      preprocessing: { order: 'grey', ...geometry, scale: 1 / 255, mean: [0], std: [1] },
      source: 'Guessed: the input has one channel, so grey values from 0 to 1; the file does not say how its pictures were prepared.',
    };
  }
  if (channels !== 3) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(model.imageInput)} has ${channels} channels; pictures have 1 (grey) or 3 (colour).`, { channels: channels ?? null });
  }
  if (model.format === 'caffe') {
    return {
      preprocessing: { order: 'bgr', ...geometry, scale: 1, mean: [104, 117, 123], std: [1, 1, 1] },
      source: 'Guessed: Caffe networks take BGR from 0 to 255 minus the ImageNet mean; the file does not say how its pictures were prepared.',
    };
  }
  if (model.format === 'keras' || model.format === 'tensorflowjs') {
    return {
      preprocessing: { order: 'rgb', ...geometry, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
      source: 'Guessed: Keras networks mostly take RGB from 0 to 1; the file does not say how its pictures were prepared.',
    };
  }
  return {
    preprocessing: { order: 'rgb', ...geometry, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    source: 'Guessed: three-channel ONNX networks mostly take RGB from 0 to 1, normalised by the ImageNet mean and deviation; the file does not say how its pictures were prepared.',
  };
}
