/** Ops that onnxruntime's WebGPU kernels lack or get wrong, in the place of how operatorWriters.ts spells them. Everything else is the same. */
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { OperatorWriter } from './nodeWriter.ts';
import { writeSpatialMax } from './poolingWriters.ts';
import { writeConv, writeConvTranspose } from './webgpuConvolutions.ts';
import { peaksByReduction, writePoolOfTaps, writeUnpoolOfTaps } from './webgpuPooling.ts';

export const webgpuWriters: { readonly [K in OpKind]?: OperatorWriter<K> } = {
  Conv: writeConv,
  ConvTranspose: writeConvTranspose,
  MaxPool: writePoolOfTaps,
  Unpool: writeUnpoolOfTaps,
  SpatialMax: (node, writer) => writeSpatialMax(node, writer, peaksByReduction),
};
