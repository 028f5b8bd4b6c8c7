/** The engines and devices a person may ask for; typed against the contract, whose schemas stay in the core. */
import type { SettingsRecord } from '../api/records.ts';

export const engineChoices = ['auto', 'onnxruntime', 'tensorflow'] as const satisfies readonly SettingsRecord['engine'][];
export const deviceChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const satisfies readonly SettingsRecord['device'][];
