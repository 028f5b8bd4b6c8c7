/**
 * The tables of Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (arXiv 1311.2901), as printed there, so that a result can stand beside them. Errors and accuracies are
 * percent, as in the paper; a pair is mean and standard deviation; null is a dash. Only numbers: their captions and what they mean are said by the interface in its own words.
 */

/** Mean, and standard deviation where the paper gives one. */
export interface Published {
  readonly mean: number;
  readonly deviation: number | null;
}

/** Table 1, five dogs: how much the signs of the change differ from picture to picture when a part is covered, after layers 5 and 7. */
export const publishedCorrespondence = [
  { part: 'rightEye', layer5: of(0.067, 0.007), layer7: of(0.069, 0.015) },
  { part: 'leftEye', layer5: of(0.069, 0.007), layer7: of(0.068, 0.013) },
  { part: 'nose', layer5: of(0.079, 0.017), layer7: of(0.069, 0.011) },
  { part: 'random', layer5: of(0.107, 0.017), layer7: of(0.073, 0.014) },
] as const;

/** Table 2, ImageNet 2012. `who` names a row for the interface; `networks` were averaged. */
export const publishedErrors = [
  { who: 'gunji', networks: null, validation1: null, validation5: null, test5: 26.2 },
  { who: 'krizhevsky', networks: 1, validation1: 40.7, validation5: 18.2, test5: null },
  { who: 'krizhevsky', networks: 5, validation1: 38.1, validation5: 16.4, test5: 16.4 },
  { who: 'krizhevsky2011', networks: 1, validation1: 39.0, validation5: 16.6, test5: null },
  { who: 'krizhevsky2011', networks: 7, validation1: 36.7, validation5: 15.4, test5: 15.3 },
  { who: 'replication', networks: 1, validation1: 40.5, validation5: 18.1, test5: null },
  { who: 'paper', networks: 1, validation1: 38.4, validation5: 16.5, test5: null },
  { who: 'paper', networks: 5, validation1: 36.7, validation5: 15.3, test5: 15.3 },
  { who: 'paperWide', networks: 1, validation1: 37.5, validation5: 16.0, test5: 16.1 },
  { who: 'paperBoth', networks: 6, validation1: 36.0, validation5: 14.7, test5: 14.8 },
] as const;

/** Table 3, ImageNet 2012: layers taken away or resized, in the network of Krizhevsky et al. and in the paper's own. */
export const publishedAblation = [
  { network: 'krizhevsky', change: 'none', training1: 35.1, validation1: 40.5, validation5: 18.1 },
  { network: 'krizhevsky', change: 'without34', training1: 41.8, validation1: 45.4, validation5: 22.1 },
  { network: 'krizhevsky', change: 'without7', training1: 27.4, validation1: 40.0, validation5: 18.4 },
  { network: 'krizhevsky', change: 'without67', training1: 27.4, validation1: 44.8, validation5: 22.4 },
  { network: 'krizhevsky', change: 'without3467', training1: 71.1, validation1: 71.3, validation5: 50.1 },
  { network: 'krizhevsky', change: 'narrow67', training1: 40.3, validation1: 41.7, validation5: 18.8 },
  { network: 'krizhevsky', change: 'wide67', training1: 26.8, validation1: 40.0, validation5: 18.1 },
  { network: 'paper', change: 'none', training1: 33.1, validation1: 38.4, validation5: 16.5 },
  { network: 'paper', change: 'narrow67', training1: 38.2, validation1: 40.2, validation5: 17.6 },
  { network: 'paper', change: 'wide67', training1: 22.0, validation1: 38.8, validation5: 17.0 },
  { network: 'paper', change: 'wide345', training1: 18.8, validation1: 37.5, validation5: 16.0 },
  { network: 'paper', change: 'wide67and345', training1: 10.0, validation1: 38.3, validation5: 16.9 },
] as const;

/** Tables 4 and 5: accuracy with so many training images of each class, fixed layers against a network from scratch. */
export const publishedGeneralisation = {
  caltech101: { perClass: [15, 30], scratch: [of(22.8, 1.5), of(46.5, 1.7)], fixed: [of(83.8, 0.5), of(86.5, 0.5)] },
  caltech256: { perClass: [15, 30, 45, 60], scratch: [of(9.0, 1.4), of(22.5, 0.7), of(31.2, 0.5), of(38.8, 1.4)], fixed: [of(65.7, 0.2), of(70.6, 0.2), of(72.7, 0.4), of(74.2, 0.3)] },
} as const;

/** Table 6, PASCAL VOC 2012: mean over its twenty classes; the two leading methods of that year, and the paper's. */
export const publishedPascal = { first: 74.3, second: 82.2, paper: 79.0 } as const;

/** Table 7: accuracy of a linear classifier on the features after each layer, with 30 and with 60 training images of each class. */
export const publishedFeatures = [
  { classifier: 'svm', layer: 1, caltech101: of(44.8, 0.7), caltech256: of(24.6, 0.4) },
  { classifier: 'svm', layer: 2, caltech101: of(66.2, 0.5), caltech256: of(39.6, 0.3) },
  { classifier: 'svm', layer: 3, caltech101: of(72.3, 0.4), caltech256: of(46.0, 0.3) },
  { classifier: 'svm', layer: 4, caltech101: of(76.6, 0.4), caltech256: of(51.3, 0.1) },
  { classifier: 'svm', layer: 5, caltech101: of(86.2, 0.8), caltech256: of(65.6, 0.3) },
  { classifier: 'svm', layer: 7, caltech101: of(85.5, 0.4), caltech256: of(71.7, 0.2) },
  { classifier: 'softmax', layer: 5, caltech101: of(82.9, 0.4), caltech256: of(65.7, 0.5) },
  { classifier: 'softmax', layer: 7, caltech101: of(85.4, 0.4), caltech256: of(72.6, 0.1) },
] as const;

function of(mean: number, deviation: number): Published {
  return { mean, deviation };
}
