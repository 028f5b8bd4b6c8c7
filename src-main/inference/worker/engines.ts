/** The engines of this process, made when first asked for. The worker is the only place that knows which engines there are. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Engine, EngineAvailability } from '../engine.ts';
import { createOnnxruntimeEngine, onnxruntimeAvailability } from '../onnxruntime/engine.ts';
import { createReferenceEngine } from '../reference/engine.ts';
import { createTensorflowEngine, tensorflowAvailability } from '../tensorflow/engine.ts';
import type { Placement } from './protocol.ts';

export interface Engines {
  engineAt(placement: Placement): Promise<Engine>;
  availability(): Promise<readonly EngineAvailability[]>;
}

export function createEngines(): Engines {
  const engines = new Map<string, Promise<Engine>>();
  return {
    engineAt(placement) {
      const key = `${placement.engine} ${placement.device}`;
      let engine = engines.get(key);
      if (!engine) {
        engine = create(placement);
        engine.catch(() => engines.delete(key));
        engines.set(key, engine);
      }
      return engine;
    },
    async availability() {
      return [...(await onnxruntimeAvailability()), ...(await tensorflowAvailability())];
    },
  };
}

async function create({ engine, device }: Placement): Promise<Engine> {
  if (engine === 'reference') return createReferenceEngine();
  const rows = engine === 'onnxruntime' ? await onnxruntimeAvailability() : await tensorflowAvailability();
  const row = rows.find((candidate) => candidate.device === device);
  if (!row?.available) throw new AppError('UNAVAILABLE', `${engine} on ${device} is not available: ${row?.reason ?? 'there is no such device for this engine.'}`, { engine, device });
  return engine === 'onnxruntime' ? createOnnxruntimeEngine({ device }) : createTensorflowEngine({ device });
}
