/** The papers that the projection methods come from; the same in every language. */
import type { Method } from '../../src-shared/domain/projection.ts';

export const methodReferences: Readonly<Record<Method, string>> = {
  deconvnet: 'M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014, arXiv:1311.2901',
  guided: 'J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: Striving for Simplicity. ICLR Workshop 2015, arXiv:1412.6806',
  gradient: 'K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks. ICLR Workshop 2014, arXiv:1312.6034',
  gradientInput: 'A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje: Not Just a Black Box. 2016, arXiv:1605.01713',
  desalinet: 'A. Mahendran, A. Vedaldi: Salient Deconvolutional Networks. ECCV 2016',
};
