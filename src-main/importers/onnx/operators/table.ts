/** Every ONNX operator that runs, by its type. What is only ever computed at import (Shape, Gather, Constant ...) is in fold.ts. */
import type { Converter } from '../conversion.ts';
import { elementwiseConverters } from './elementwise.ts';
import { linearConverters } from './linear.ts';
import { shapeConverters } from './shapes.ts';
import { windowConverters } from './windows.ts';

export const converters: Readonly<Record<string, Converter>> = { ...windowConverters, ...elementwiseConverters, ...linearConverters, ...shapeConverters };
