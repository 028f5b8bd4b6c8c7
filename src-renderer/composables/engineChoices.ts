/** The engines, devices and precisions of kept scores a person may ask for; typed against the contract, whose schemas stay in the core. */
import type { MatrixPrecision, SettingsRecord } from '../api/records.ts';

export const engineChoices = ['auto', 'onnxruntime', 'tensorflow'] as const satisfies readonly SettingsRecord['engine'][];
export const deviceChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const satisfies readonly SettingsRecord['device'][];
export const matrixPrecisions = ['float32', 'float16', 'none'] as const satisfies readonly MatrixPrecision[];
