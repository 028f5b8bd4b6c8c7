/** The paper's Figure 2 for any layer: projections beside patches, channel by channel, with a caption that reproduces it. */
import * as z from 'zod';
import { channelNumber, control, indexId, layerNumber, method, procedure, scale, seed } from './common.ts';

export const figureFormats = ['svg', 'png', 'pdf'] as const;
export type FigureFormat = (typeof figureFormats)[number];

/** Channels on one figure. */
export const mostFigureChannels = 256;

export const figureRequest = z.object({
  index: indexId,
  layer: layerNumber,
  channels: z.array(channelNumber).min(1).max(mostFigureChannels),
  method: method.default('deconvnet'),
  seed: seed.default('one'),
  control: control.default('none'),
  scale: scale.default('quantile'),
  /** Channels beside each other; chosen by their number where absent. */
  columns: z.int().min(1).max(16).optional(),
  format: z.enum(figureFormats).default('svg'),
});

/** A figure that is held for a while: `media` is the address to download it from. `notes`: what a person must know, e.g. that words could not be drawn. */
export const figureAnswer = z.object({ media: z.string(), fileName: z.string(), format: z.enum(figureFormats), caption: z.string(), width: z.int(), height: z.int(), sizeBytes: z.int(), notes: z.array(z.string()).readonly() });

export const figures = { make: procedure.input(figureRequest).output(figureAnswer) };
