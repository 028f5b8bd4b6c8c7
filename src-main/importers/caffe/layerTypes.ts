/** Names of layer types: the enum of V1 and the strings of V0, each under the name of the newest syntax. Source: src/caffe/proto/caffe.proto. */

const v1Types: Readonly<Record<string, string>> = {
  ABSVAL: 'AbsVal', ACCURACY: 'Accuracy', ARGMAX: 'ArgMax', BNLL: 'BNLL', CONCAT: 'Concat', CONTRASTIVE_LOSS: 'ContrastiveLoss', CONVOLUTION: 'Convolution',
  DATA: 'Data', DECONVOLUTION: 'Deconvolution', DROPOUT: 'Dropout', DUMMY_DATA: 'DummyData', ELTWISE: 'Eltwise', EUCLIDEAN_LOSS: 'EuclideanLoss', EXP: 'Exp',
  FLATTEN: 'Flatten', HDF5_DATA: 'HDF5Data', HDF5_OUTPUT: 'HDF5Output', HINGE_LOSS: 'HingeLoss', IM2COL: 'Im2col', IMAGE_DATA: 'ImageData',
  INFOGAIN_LOSS: 'InfogainLoss', INNER_PRODUCT: 'InnerProduct', LRN: 'LRN', MEMORY_DATA: 'MemoryData', MULTINOMIAL_LOGISTIC_LOSS: 'MultinomialLogisticLoss',
  MVN: 'MVN', POOLING: 'Pooling', POWER: 'Power', RELU: 'ReLU', SIGMOID: 'Sigmoid', SIGMOID_CROSS_ENTROPY_LOSS: 'SigmoidCrossEntropyLoss', SILENCE: 'Silence',
  SLICE: 'Slice', SOFTMAX: 'Softmax', SOFTMAX_LOSS: 'SoftmaxWithLoss', SPLIT: 'Split', TANH: 'TanH', THRESHOLD: 'Threshold', WINDOW_DATA: 'WindowData',
};

const v0Types: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy', bnll: 'BNLL', concat: 'Concat', conv: 'Convolution', data: 'Data', dropout: 'Dropout', euclidean_loss: 'EuclideanLoss', flatten: 'Flatten',
  hdf5_data: 'HDF5Data', hdf5_output: 'HDF5Output', im2col: 'Im2col', images: 'ImageData', infogain_loss: 'InfogainLoss', innerproduct: 'InnerProduct', lrn: 'LRN',
  multinomial_logistic_loss: 'MultinomialLogisticLoss', padding: 'Padding', pool: 'Pooling', relu: 'ReLU', sigmoid: 'Sigmoid', softmax: 'Softmax', softmax_loss: 'SoftmaxWithLoss',
  split: 'Split', tanh: 'TanH', window_data: 'WindowData',
};

/** The type under its newest name; a type that the older syntaxes did not have stays as it is. */
export function canonicalType(type: string, syntax: 'V0' | 'V1' | 'V2'): string {
  const names = syntax === 'V1' ? v1Types : syntax === 'V0' ? v0Types : {};
  return Object.hasOwn(names, type) ? names[type]! : type;
}

/** Layers that put pictures (first top) and labels (the others) into the network. */
export const dataTypes: ReadonlySet<string> = new Set(['Input', 'Data', 'ImageData', 'HDF5Data', 'MemoryData', 'DummyData', 'WindowData', 'AnnotatedData']);

/** Layers that only judge, store or swallow results. */
export const droppedTypes: ReadonlySet<string> = new Set([
  'Accuracy', 'ArgMax', 'ContrastiveLoss', 'EuclideanLoss', 'HDF5Output', 'HingeLoss', 'InfogainLoss', 'MultinomialLogisticLoss',
  'SigmoidCrossEntropyLoss', 'Silence', 'SoftmaxWithLoss',
]);
