/** Projections as files of their own, that run without Switchback. */
import { resolve } from 'node:path';
import type { Method } from '../../src-shared/domain/projection.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { ExportedProjection } from '../inference/worker/protocol.ts';

export interface ExportRequest {
  readonly path: string;
  /** `[height, width]` where the file leaves the input size open. */
  readonly inputSize?: readonly [number, number];
  /** Name or title. */
  readonly layer: string;
  readonly method: Method;
}

export interface ExportService {
  /** The bytes of an ONNX file: inputs `image`, `channel`, `row`, `column`, output `projection` (importers/onnx/writeProjection.ts). */
  projection(request: ExportRequest, signal?: AbortSignal): Promise<ExportedProjection>;
}

export function createExportService(inference: InferenceClient): ExportService {
  return {
    projection: ({ path, ...request }, signal) => inference.call('export', { ...request, path: resolve(path) }, signal),
  };
}
