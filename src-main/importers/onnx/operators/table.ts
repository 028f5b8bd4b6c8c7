/** Every ONNX operator that runs, by its type. What is only ever computed at import (Shape, Range, Constant ...) is in fold.ts. */
import type { Converter } from '../conversion.ts';
import { activationConverters } from './activations.ts';
import { arithmeticConverters } from './arithmetic.ts';
import { linearConverters } from './linear.ts';
import { normalizationConverters } from './normalization.ts';
import { paddingConverters } from './padding.ts';
import { pieceConverters } from './pieces.ts';
import { reductionConverters } from './reductions.ts';
import { resizeConverters } from './resize.ts';
import { shapeConverters } from './shapes.ts';
import { windowConverters } from './windows.ts';

export const converters: Readonly<Record<string, Converter>> = {
  ...windowConverters,
  ...paddingConverters,
  ...resizeConverters,
  ...activationConverters,
  ...arithmeticConverters,
  ...normalizationConverters,
  ...linearConverters,
  ...reductionConverters,
  ...shapeConverters,
  ...pieceConverters,
};
