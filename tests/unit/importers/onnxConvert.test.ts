/** Single points of the ONNX importer, each on the smallest file that shows it. */
import { describe, expect, it } from 'vitest';
import { valueOf, type Graph, type Node } from '../../../src-main/graph/graph.ts';
import { convert, floats, integers, type File, type FileNode } from '../../support/onnxFile.ts';

const kinds = (graph: Graph): string[] => graph.nodes.map((node) => node.kind);
const shape = (graph: Graph, name = 'y'): readonly unknown[] => valueOf(graph, name).shape;
const only = (graph: Graph): Node => {
  expect(graph.nodes).toHaveLength(1);
  return graph.nodes[0]!;
};

describe('batch', () => {
  const flat: File = { nodes: [{ opType: 'Reshape', inputs: ['x', 'target'], outputs: ['y'] }], initializers: [integers('target', 10, 32)], input: [10, 2, 4, 4] };

  it('is free whatever the file says, in the input and in Reshape targets', () => {
    expect(shape(convert(flat))).toEqual(['batch', 32]);
    expect(shape(convert({ ...flat, input: ['N', 2, 4, 4] }))).toEqual(['batch', 32]);
    expect(shape(convert({ ...flat, initializers: [integers('target', -1, 32)] }))).toEqual(['batch', 32]);
    expect(shape(convert({ ...flat, initializers: [integers('target', 0, -1)] }))).toEqual(['batch', 32]);
    expect(shape(convert({ ...flat, input: [1, 2, 4, 4], initializers: [integers('target', 1, 2, -1)] }))).toEqual(['batch', 2, 16]);
  });

  it('is refused where a Reshape mixes it with other sizes', () => {
    expect(() => convert({ ...flat, initializers: [integers('target', -1)] })).toThrow('Node Reshape that makes "y" reshapes [N, 2, 4, 4] to [-1], which mixes the images of a batch or does not fit.');
    expect(() => convert({ ...flat, initializers: [integers('target', -1, 16)] })).toThrow('reshapes [N, 2, 4, 4] to [-1, 16]');
  });

  it('passes through Shape, Gather, Unsqueeze and Concat into a Reshape', () => {
    const graph = convert({
      nodes: [
        { opType: 'Shape', inputs: ['x'], outputs: ['sizes'] },
        { opType: 'Constant', inputs: [], outputs: ['zero'], attributes: { value: { tensor: { dims: [], dataType: 7, int64Data: [0n] } } } },
        { opType: 'Gather', inputs: ['sizes', 'zero'], outputs: ['images'], attributes: { axis: 0 } },
        { opType: 'Unsqueeze', inputs: ['images', 'axes'], outputs: ['first'] },
        { opType: 'Concat', inputs: ['first', 'rest'], outputs: ['target'], attributes: { axis: 0 } },
        { opType: 'Reshape', inputs: ['x', 'target'], outputs: ['y'] },
      ],
      initializers: [integers('axes', 0), integers('rest', -1)],
    });
    expect(kinds(graph)).toEqual(['Reshape']);
    expect(shape(graph)).toEqual(['batch', 32]);
    expect([...graph.tensors.keys()]).toEqual([]);
  });

  it('is not removed by a Squeeze without axes', () => {
    expect(shape(convert({ nodes: [{ opType: 'Squeeze', inputs: ['x'], outputs: ['y'] }], input: [1, 5, 1, 1] }))).toEqual(['batch', 5]);
  });
});

describe('input size', () => {
  const relu: File = { nodes: [{ opType: 'Relu', inputs: ['x'], outputs: ['y'] }], input: ['N', 3, 'H', 'W'] };

  it('comes from the person where the file leaves it open', () => {
    expect(shape(convert(relu, { inputSize: [32, 48] }))).toEqual(['batch', 3, 32, 48]);
    expect(() => convert(relu)).toThrow('The input "x" of net.onnx leaves its height and width open (shape [N, 3, H, W]). Say which size to use, for example --crop 224.');
  });

  it('takes open channels from the first convolution', () => {
    const conv: File = { nodes: [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }], input: [1, 'C', 4, 4], initializers: [floats('w', [1, 2, 1, 1], 1, 1)] };
    expect(shape(convert(conv), 'x')).toEqual(['batch', 2, 4, 4]);
  });
});

describe('windows', () => {
  const pool = (attributes: FileNode['attributes'], size: number, opType = 'MaxPool'): Graph =>
    convert({ nodes: [{ opType, inputs: ['x'], outputs: ['y'], attributes: { kernel_shape: [3, 3], strides: [2, 2], ...attributes } }], input: [1, 1, size, size] });

  it('auto_pad becomes pads', () => {
    expect(only(pool({ auto_pad: 'SAME_UPPER' }, 4))).toMatchObject({ attributes: { pads: [0, 0, 1, 1] } });
    expect(only(pool({ auto_pad: 'SAME_LOWER' }, 4))).toMatchObject({ attributes: { pads: [1, 1, 0, 0] } });
    expect(only(pool({ auto_pad: 'VALID', pads: [1, 1, 1, 1] }, 4))).toMatchObject({ attributes: { pads: [0, 0, 0, 0] } });
  });

  it('ceil_mode becomes larger end pads', () => {
    const graph = pool({ ceil_mode: 1 }, 6);
    expect(only(graph)).toMatchObject({ attributes: { pads: [0, 0, 1, 1] } });
    expect(shape(graph)).toEqual(['batch', 1, 3, 3]);
  });

  it('drops a ceil_mode window that would start in the end padding', () => {
    const graph = pool({ ceil_mode: 1, kernel_shape: [1, 1], pads: [0, 0, 0, 0] }, 2);
    expect(shape(graph)).toEqual(['batch', 1, 1, 1]);
    const padded = pool({ ceil_mode: 1, kernel_shape: [2, 2], pads: [1, 1, 1, 1] }, 3);
    expect(shape(padded)).toEqual(['batch', 1, 2, 2]);
  });

  it('keeps the divisor of an average pool that counts pads and rounds up', () => {
    const graph = pool({ ceil_mode: 1, count_include_pad: 1, pads: [1, 1, 0, 0] }, 5, 'AveragePool');
    expect(graph.nodes).toMatchObject([
      { kind: 'Pad', attributes: { pads: [1, 1, 0, 0], value: 0 } },
      { kind: 'AveragePool', attributes: { pads: [0, 0, 1, 1], countIncludePad: false } },
    ]);
  });

  it('refuses convolutions along one axis', () => {
    const conv: File = { nodes: [{ opType: 'Conv', name: 'c', inputs: ['flat', 'w'], outputs: ['y'] }], initializers: [floats('w', [1, 2, 1], 1, 1), integers('t', 1, 2, 16)] };
    expect(() => convert({ ...conv, nodes: [{ opType: 'Reshape', inputs: ['x', 't'], outputs: ['flat'] }, ...conv.nodes] })).toThrow(
      'Node "c" (Conv) works on 1 spatial axis; Switchback handles pictures, which have 2.',
    );
  });

  it('says which weights do not fit', () => {
    const conv: File = { nodes: [{ opType: 'Conv', name: 'c', inputs: ['x', 'w'], outputs: ['y'] }], initializers: [floats('w', [1, 3, 1, 1], 1, 1, 1)] };
    expect(() => convert(conv)).toThrow('Node "c" (Conv): weights [1, 3, 1, 1] do not fit 2 channels in 1 group(s) with a 1 x 1 kernel.');
  });
});

describe('arithmetic', () => {
  it('joins MatMul and the Add of a row into one Gemm', () => {
    const graph = convert({
      nodes: [
        { opType: 'Flatten', inputs: ['x'], outputs: ['flat'] },
        { opType: 'MatMul', inputs: ['flat', 'w'], outputs: ['product'] },
        { opType: 'Add', inputs: ['b', 'product'], outputs: ['y'] },
      ],
      input: [1, 2, 1, 1],
      initializers: [floats('w', [2, 3], 1, 2, 3, 4, 5, 6), floats('b', [3], 7, 8, 9)],
    });
    expect(graph.nodes[1]).toMatchObject({ kind: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['y'], attributes: { transposeB: false } });
    expect(graph.nodes).toHaveLength(2);
  });

  it('settles the factors of Gemm into its constants', () => {
    const graph = convert({
      nodes: [
        { opType: 'Flatten', inputs: ['x'], outputs: ['flat'] },
        { opType: 'Gemm', inputs: ['flat', 'w', 'c'], outputs: ['y'], attributes: { alpha: { float: 0.5 }, beta: { float: 2 }, transB: 1 } },
      ],
      input: [1, 2, 1, 1],
      initializers: [floats('w', [3, 2], 2, 4, 6, 8, 10, 12), floats('c', [1], 3)],
    });
    expect(graph.tensors.get('w/scaled')?.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(graph.tensors.get('c/row')?.data).toEqual(Float32Array.of(6, 6, 6));
    expect([...graph.tensors.keys()]).toEqual(['w/scaled', 'c/row']);
  });

  it('makes a Sum a chain of Adds that ends in the given name', () => {
    const graph = convert({
      nodes: [
        { opType: 'Relu', inputs: ['x'], outputs: ['r'] },
        { opType: 'Sum', name: 's', inputs: ['x', 'r', 'x'], outputs: ['y'] },
      ],
    });
    expect(graph.nodes.slice(1)).toMatchObject([
      { kind: 'Add', name: 's', inputs: ['x', 'r'], outputs: ['y/sum1'] },
      { kind: 'Add', name: 's_2', inputs: ['y/sum1', 'x'], outputs: ['y'] },
    ]);
  });

  it('aligns old broadcasting (opset 6) at the axis given', () => {
    const graph = convert({
      nodes: [{ opType: 'Mul', inputs: ['x', 's'], outputs: ['y'], attributes: { axis: 1, broadcast: 1 } }],
      initializers: [floats('s', [2], 3, 4)],
      opset: 6,
    });
    expect(only(graph).inputs).toEqual(['x', 's/broadcast']);
    expect(graph.tensors.get('s/broadcast')?.shape).toEqual([2, 1, 1]);
  });

  it('reads the bounds of Clip from attributes and inputs', () => {
    const clip = (file: Partial<File>, node: Partial<FileNode>): unknown =>
      only(convert({ nodes: [{ opType: 'Clip', inputs: ['x'], outputs: ['y'], ...node }], ...file })).attributes;
    expect(clip({ opset: 6 }, { attributes: { min: { float: 0 }, max: { float: 3.4028234663852886e38 } } })).toEqual({ minimum: 0, maximum: Infinity });
    expect(clip({ initializers: [floats('six', [], 6)] }, { inputs: ['x', '', 'six'] })).toEqual({ minimum: -Infinity, maximum: 6 });
  });

  it('normalises over all axes from the given one before opset 13', () => {
    const softmax = (opset: number, input: number[]): Graph => convert({ nodes: [{ opType: 'Softmax', inputs: ['x'], outputs: ['y'] }], opset, input });
    expect(kinds(softmax(11, [1, 2, 4, 4]))).toEqual(['Reshape', 'Softmax', 'Reshape']);
    expect(only(softmax(11, [1, 5, 1, 1]))).toMatchObject({ kind: 'Softmax', attributes: { axis: 1 } });
    expect(only(softmax(13, [1, 2, 4, 4]))).toMatchObject({ kind: 'Softmax', attributes: { axis: 3 } });
  });

  it('refuses batch normalisation in training mode', () => {
    const initializers = ['s', 'b', 'm', 'v'].map((name) => floats(name, [2], 1, 1));
    const nodes: FileNode[] = [{ opType: 'BatchNormalization', name: 'bn', inputs: ['x', 's', 'b', 'm', 'v'], outputs: ['y'] }];
    const sentence = 'Node "bn" (BatchNormalization) is in training mode; export the network for inference (model.eval()).';
    expect(() => convert({ nodes, initializers, opset: 6 })).toThrow(sentence);
    expect(kinds(convert({ nodes, initializers, opset: 9 }))).toEqual(['BatchNormalization']);
    expect(() => convert({ nodes: [{ ...nodes[0]!, attributes: { training_mode: 1 } }], initializers, opset: 15 })).toThrow(sentence);
  });

  it('keeps Dropout and Identity as nodes, under their names', () => {
    const graph = convert({
      nodes: [
        { opType: 'Dropout', name: 'd', inputs: ['x'], outputs: ['dropped', 'mask'] },
        { opType: 'Identity', inputs: ['dropped'], outputs: ['y'] },
      ],
    });
    expect(graph.nodes).toMatchObject([
      { kind: 'Identity', name: 'd', outputs: ['dropped'] },
      { kind: 'Identity', outputs: ['y'] },
    ]);
  });
});

describe('constants', () => {
  it('are computed at import: reshaped, transposed, combined', () => {
    const graph = convert({
      nodes: [
        { opType: 'Transpose', inputs: ['w'], outputs: ['t'], attributes: { perm: [1, 0] } },
        { opType: 'Reshape', inputs: ['t', 'four'], outputs: ['r'] },
        { opType: 'Mul', inputs: ['r', 'two'], outputs: ['weights'] },
        { opType: 'Conv', inputs: ['x', 'weights'], outputs: ['y'] },
      ],
      initializers: [floats('w', [2, 3], 1, 2, 3, 4, 5, 6), integers('four', 3, 2, 1, 1), floats('two', [1], 2)],
    });
    expect(kinds(graph)).toEqual(['Conv']);
    expect(graph.tensors.get('weights')).toMatchObject({ shape: [3, 2, 1, 1], data: Float32Array.of(2, 8, 4, 10, 6, 12) });
    expect([...graph.tensors.keys()]).toEqual(['weights']);
  });

  it('are float32 whatever the file holds', () => {
    const half = { name: 'w', dims: [3, 2, 1, 1], dataType: 10, int32Data: [0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555] };
    const double = { name: 'b', dims: [3], dataType: 11, doubleData: [0.5, 1.5, 2.5] };
    const graph = convert({ nodes: [{ opType: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['y'] }], initializers: [half, double] });
    expect(graph.tensors.get('w')?.data).toEqual(Float32Array.of(1, -2, 2 ** -24, 65504, Infinity, 0.333251953125));
    expect(graph.tensors.get('b')?.data).toEqual(Float32Array.of(0.5, 1.5, 2.5));
  });

  it('with the wrong number of values are told', () => {
    expect(() => convert({ nodes: [{ opType: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }], initializers: [floats('w', [3, 2, 1, 1], 1, 2)] })).toThrow(
      'The tensor "w" should hold 6 values (3 x 2 x 1 x 1), but 2 are there. Download or export the model again.',
    );
  });
});

describe('order', () => {
  it('refuses a value that nothing makes', () => {
    expect(() => convert({ nodes: [{ opType: 'Relu', name: 'r', inputs: ['ghost'], outputs: ['y'] }] })).toThrow(
      'Node "r" (Relu) of net.onnx reads "ghost", which nothing before it makes. Export the network again.',
    );
  });
});

describe('hostile files', () => {
  it('may not ask for more memory than a file can hold', () => {
    expect(() => convert({ nodes: [{ opType: 'ConstantOfShape', inputs: ['sizes'], outputs: ['y'] }], initializers: [integers('sizes', 100000, 100000)] })).toThrow(
      'Node ConstantOfShape that makes "y" makes constants of 10000000000 values, more than any network needs (268435456 in all).',
    );
  });

  it('may not leave out inputs', () => {
    expect(() => convert({ nodes: [{ opType: 'Add', name: 'a', inputs: ['x'], outputs: ['y'] }] })).toThrow('Node "a" (Add) lacks an input.');
    expect(() => convert({ nodes: [{ opType: 'Cast', name: 'c', inputs: [], outputs: ['y'] }] })).toThrow('Node "c" (Cast) lacks an input.');
  });
});
