/** All Keras layers that Switchback knows, by class name. */
import { convolutionLayers } from './convolutions.ts';
import { elementwiseLayers } from './elementwise.ts';
import type { LayerConverter } from './layer.ts';
import { mergeLayers } from './merges.ts';
import { pictureLayers } from './pictures.ts';
import { shapeLayers } from './shapes.ts';

export const layerConverters: Readonly<Record<string, LayerConverter>> = { ...convolutionLayers, ...pictureLayers, ...elementwiseLayers, ...mergeLayers, ...shapeLayers };
