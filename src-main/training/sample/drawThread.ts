/** Entry of the threads that draw the sample: one picture for each order, as a PNG. */
import { parentPort } from 'node:worker_threads';
import { drawSample, sampleEdge, type SampleClass } from './drawSample.ts';
import { samplePng } from './png.ts';

export interface DrawOrder {
  readonly name: SampleClass;
  readonly number: number;
  readonly seed: number;
}

export interface DrawnPicture extends DrawOrder {
  readonly png: Uint8Array<ArrayBuffer>;
}

parentPort?.on('message', (order: DrawOrder) => {
  const png = samplePng(drawSample(order.name, order.number, order.seed), sampleEdge);
  parentPort?.postMessage({ ...order, png } satisfies DrawnPicture, [png.buffer]);
});
