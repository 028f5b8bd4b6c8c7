/**
 * Draws the points of a map on a canvas, as often as a frame asks for: by WebGL 2 where the machine has a graphics card
 * for it, pixel by pixel otherwise, which is quicker than a card that the processor plays. What is drawn only changes when it is set; moving the map is two
 * numbers. Written for this page because its policy forbids code made from text, which the usual libraries for WebGL need.
 */
import type { Colour } from './mapColouring.ts';
import { softwareDrawing } from './softwareDrawing.ts';
import { webglDrawing } from './webglDrawing.ts';

/** Everything in CSS pixels. */
export interface PointView {
  readonly width: number;
  readonly height: number;
  /** Of a unit of the layout. */
  readonly scale: number;
  /** Where the layout's origin lies in the window. */
  readonly left: number;
  readonly top: number;
  /** Diameter of a point. */
  readonly size: number;
  /** Points as squares that touch, as the cells of a mosaic. */
  readonly square: boolean;
  /** Pixels of the screen for each. */
  readonly pixelRatio: number;
}

export interface PaintedPoints {
  /** `[points, 4]`: red, green, blue, opacity. */
  readonly colours: Uint8Array;
  /** 1 for each point that lies over the others. */
  readonly raised: Uint8Array;
  /** What all points lie on. */
  readonly ground: Colour;
}

export interface PointDrawing {
  /** `[points, 2]`, x to the right and y down, 0-1; NaN for a point without a place. */
  setPositions(positions: Float32Array): void;
  setColours(painted: PaintedPoints): void;
  draw(view: PointView): void;
  dispose(): void;
}

/** The canvas must not have been drawn on by any other means. */
export function createPointDrawing(canvas: HTMLCanvasElement): PointDrawing {
  return webglDrawing(canvas) ?? softwareDrawing(canvas);
}

/** Diameter of a point in CSS pixels: smaller the more there are, and growing slowly as one comes closer. */
export function pointSize(points: number, zoom: number): number {
  const usual = Math.min(9, Math.max(2.4, 60 / Math.sqrt(Math.max(1, points)) + 2));
  return Math.min(14, usual * Math.max(0.9, zoom) ** 0.3);
}
