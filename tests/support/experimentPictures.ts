/** Pictures for experiments: noise in class folders for the small classifier, and one drawn face of the sample before different clouds, with where its parts are. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../../src-main/dataset/picture.ts';
import { createCanvas, developed } from '../../src-main/training/sample/canvas.ts';
import { createChance } from '../../src-main/training/sample/chance.ts';
import { samplePng } from '../../src-main/training/sample/png.ts';
import { scenes } from '../../src-main/training/sample/scenes.ts';
import { face } from '../../src-main/training/sample/things.ts';
import type { Box } from '../../src-shared/domain/geometry.ts';
import { seededRandom } from './graphs.ts';

/** Folders `0` to `4`, as many as the small classifier has classes; 24 x 24 pixels. */
export async function writeNoiseClasses(into: string, perClass: number): Promise<void> {
  const random = seededRandom(7);
  for (let of = 0; of < 5; of++) {
    mkdirSync(join(into, String(of)), { recursive: true });
    for (let number = 0; number < perClass; number++) {
      const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, () => 256 * random());
      writeFileSync(join(into, String(of), `picture-${number}.png`), await encodePng(pixels, 24, 24, 3));
    }
  }
}

export interface DrawnPart {
  readonly image: string;
  readonly name: string;
  /** Pixels of the picture, half-open. */
  readonly box: Box;
}

const edge = 128;
/** Centre and half of height and width in the face's own frame, -1 to 1. */
const parts = { 'left eye': [-0.03, -0.32, 0.3, 0.24], 'right eye': [-0.03, 0.32, 0.3, 0.24], nose: [0.2, 0, 0.22, 0.2] } as const;

/** The same face on every picture, almost at the same place, as the paper's dogs all look at the camera. */
export function writeFaces(into: string, count: number): readonly DrawnPart[] {
  mkdirSync(into, { recursive: true });
  return Array.from({ length: count }, (_, number) => {
    const chance = createChance(5, `ground ${number}`);
    const canvas = createCanvas(edge);
    scenes.clouds(canvas, chance);
    const place = { x: 0.5 + chance.between(-0.02, 0.02), y: 0.5 + chance.between(-0.02, 0.02), size: 0.42, angle: 0 };
    face(canvas, place, createChance(9, 'one face'));
    const image = `face-${number}.png`;
    writeFileSync(join(into, image), samplePng(developed(canvas, () => 0), edge));
    return Object.entries(parts).map(([name, [y, x, halfHeight, halfWidth]]): DrawnPart => {
      const [top, left] = [place.y + (y - halfHeight) * place.size, place.x + (x - halfWidth) * place.size].map((share) => Math.round(share * edge)) as [number, number];
      return { image, name, box: [top, left, top + Math.round(2 * halfHeight * place.size * edge), left + Math.round(2 * halfWidth * place.size * edge)] };
    });
  }).flat();
}
