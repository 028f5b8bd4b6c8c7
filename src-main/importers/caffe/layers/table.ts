/** All layer types that Switchback converts. */
import type { LayerConverter } from '../conversion.ts';
import { elementwiseConverters } from './elementwise.ts';
import { linearConverters } from './linear.ts';
import { shapeConverters } from './shapes.ts';
import { windowConverters } from './windows.ts';

export const converters: Readonly<Record<string, LayerConverter>> = { ...windowConverters, ...linearConverters, ...elementwiseConverters, ...shapeConverters };
