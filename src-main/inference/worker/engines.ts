/** The engines of this process, made when first asked for, and their trial. The worker is the only place that knows which engines there are. */
import { AppError } from '../../../src-shared/errors.ts';
import { unavailableRow, type Engine, type EngineAvailability, type Placement } from '../engine.ts';
import { createOnnxruntimeEngine } from '../onnxruntime/engine.ts';
import { createReferenceEngine } from '../reference/engine.ts';
import { measureImagesPerSecond } from '../selfTest/benchmark.ts';
import { testEngine } from '../selfTest/selfTest.ts';
import type { ProbeOptions } from '../selfTest/survey.ts';
import { createTensorflowEngine } from '../tensorflow/engine.ts';

export interface Engines {
  /** Throws AppError UNAVAILABLE with the reason. */
  engineAt(placement: Placement): Promise<Engine>;
  /**
   * Starts the engine, compares it with the reference and, where asked, times it. Rejects only when aborted. A bad driver may crash or hang the process: run it
   * in one of its own.
   */
  probe(placement: Placement, options: ProbeOptions, signal?: AbortSignal): Promise<EngineAvailability>;
}

export function createEngines(): Engines {
  const engines = new Map<string, Promise<Engine>>();
  const own: Engines = {
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
    probe: (placement, options, signal) => probeEngine(placement, () => own.engineAt(placement), options, signal),
  };
  return own;
}

/** A trial of any engine, so that tests can try one that is broken. */
export async function probeEngine({ engine: kind, device }: Placement, start: () => Promise<Engine>, { benchmark, skipSoftware = false }: ProbeOptions, signal?: AbortSignal): Promise<EngineAvailability> {
  const placement = { engine: kind, device };
  try {
    const engine = await start();
    const { driver, software } = (await engine.adapter?.()) ?? { driver: '', software: false };
    if (software && skipSoftware) return { ...unavailableRow(placement, ''), available: true, description: engine.description, driver, software };
    const selfTest = await testEngine(engine, createReferenceEngine(), signal);
    const row = { ...placement, available: selfTest.passed, description: engine.description, driver, software, selfTest };
    if (!selfTest.passed) return { ...row, reason: wrongNumbers(selfTest), imagesPerSecond: null };
    return { ...row, reason: '', imagesPerSecond: benchmark && !software ? await measureImagesPerSecond(engine, signal) : null };
  } catch (error) {
    signal?.throwIfAborted();
    return unavailableRow(placement, error instanceof Error ? error.message : String(error));
  }
}

function wrongNumbers({ worst, detail }: { readonly worst: number; readonly detail: string }): string {
  const size = Number.isFinite(worst) ? `off by ${worst.toPrecision(2)} of the largest value` : 'not even close';
  return `It failed its self-test and is not used (${size}; ${detail}). A newer driver may help.`;
}

async function create({ engine, device }: Placement): Promise<Engine> {
  if (engine === 'reference') {
    if (device !== 'cpu') throw new AppError('UNAVAILABLE', `The reference runs on the cpu only, not on ${device}.`, { engine, device });
    return createReferenceEngine();
  }
  return engine === 'onnxruntime' ? createOnnxruntimeEngine({ device }) : createTensorflowEngine({ device });
}
