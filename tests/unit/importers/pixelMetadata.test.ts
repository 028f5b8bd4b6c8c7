/** What an ONNX file says about its pictures is read, and what is half said is not guessed. */
import { describe, expect, it } from 'vitest';
import { statedPreparation, writePixelNetwork } from '../../../src-main/importers/onnx/pixelMetadata.ts';
import { preprocessingOf } from '../../../src-main/importers/preprocessing.ts';
import { readOnnx } from '../../../src-main/importers/onnx/read.ts';
import { oneNodeGraph } from '../../support/graphs.ts';

const said = (format: string, range: string) => statedPreparation({ metadataProps: [{ key: 'Image.NominalPixelRange', value: range }, { key: 'Image.BitmapPixelFormat', value: format }] });

describe('metadata of pictures', () => {
  it('gives order and range', () => {
    expect(said('Rgb8', 'NominalRange_0_255')).toMatchObject({ order: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] });
    expect(said('Bgr8', 'Normalized_0_1')).toMatchObject({ order: 'bgr', scale: 1 / 255, mean: [0, 0, 0] });
    expect(said('Gray8', 'Normalized_1_1')).toMatchObject({ order: 'grey', scale: 2 / 255, mean: [1], std: [1] });
  });

  it('is not taken where it is something else or half of it is missing', () => {
    expect(said('Rgb16', 'NominalRange_0_255')).toBeUndefined();
    expect(said('Rgb8', 'NominalRange_16_235')).toBeUndefined();
    expect(statedPreparation({ metadataProps: [{ key: 'Image.BitmapPixelFormat', value: 'Rgb8' }] })).toBeUndefined();
  });

  it('is written with a network, whose LRN keeps its name', () => {
    const graph = oneNodeGraph('LRN', [{ name: 'x', shape: ['batch', 4, 2, 2] }], { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 });
    const file = readOnnx(writePixelNetwork(graph, { order: 'bgr', resize: { kind: 'shorterSide', pixels: 74 }, text: 'about', precision: 'float32' }), 'network.onnx');
    expect(file.graph.nodes.map((node) => node.opType)).toEqual(['LRN']);
    expect(file.docString).toBe('about');
    expect(statedPreparation(file)).toMatchObject({ order: 'bgr', resize: { kind: 'shorterSide', pixels: 74 } });
  });

  it.each([
    ['shorterSide 110', { kind: 'shorterSide', pixels: 110 }],
    ['exact', { kind: 'exact' }],
    ['none', { kind: 'none' }],
    ['shorterSide 0', undefined],
    ['shorterSide 99999', undefined],
    ['squashed', undefined],
  ])('says with %j how pictures were brought to size', (value, resize) => {
    const props = { 'Image.BitmapPixelFormat': 'Rgb8', 'Image.NominalPixelRange': 'NominalRange_0_255', 'Switchback.Resize': value };
    expect(statedPreparation({ metadataProps: Object.entries(props).map(([key, text]) => ({ key, value: text })) })?.resize).toEqual(resize);
  });

  it('is left where pictures would be smaller than the input', () => {
    const { graph, format, provenance } = { graph: oneNodeGraph('LRN', [{ name: 'x', shape: ['batch', 3, 96, 96] }], { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 }), format: 'onnx', provenance: '' } as const;
    const stated = (pixels: number) => preprocessingOf({ format, graph, imageInput: 'x', provenance, preparation: { order: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], resize: { kind: 'shorterSide', pixels }, source: '' } }).preprocessing.resize;
    expect([stated(110), stated(95)]).toEqual([{ kind: 'shorterSide', pixels: 110 }, { kind: 'exact' }]);
  });
});
