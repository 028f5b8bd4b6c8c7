/**
 * The sample: pictures that Switchback draws itself, so that there is something to learn and to look at without any download. Textures, things and small scenes
 * with colours, places, sizes, angles and clutter left to chance: reasons for a network to learn edges and colours low, patterns and parts high. The same
 * seed gives the same pixels everywhere.
 */
import { createCanvas, developed } from './canvas.ts';
import { createChance } from './chance.ts';
import { scenes } from './scenes.ts';

/** In the order of the alphabet. */
export const sampleClasses = Object.keys(scenes) as readonly SampleClass[];
export type SampleClass = keyof typeof scenes;

/** Edge of a picture in pixels. */
export const sampleEdge = 128;
/** 18 classes of 90: 1,620 pictures. */
export const samplePerClass = 90;

/** Raised by hand when a change gives other pixels. */
export const sampleVersion = 1;

/** One picture, `[128, 128, 3]` 8-bit RGB; it depends on seed, class and number alone. */
export function drawSample(name: SampleClass, number: number, seed: number): Uint8Array {
  const chance = createChance(seed, `${name} ${number}`);
  const canvas = createCanvas(sampleEdge);
  scenes[name](canvas, chance);
  const grain = chance.between(0, 5);
  return developed(canvas, chance.grain(grain));
}
