/** What a training run's record says, as the views show it. Pure. */
import type { Curve } from '../../components/curves.ts';
import type { TrainingEntry, TrainingLive } from '../../api/records.ts';

/** `waiting`: queued behind another job. `stopped`: cancelled, or made by the command line and not ended. */
export type RunState = 'waiting' | 'running' | 'paused' | 'stopped' | 'failed' | 'complete';

export function runState({ run, job }: TrainingEntry): RunState {
  if (job?.state === 'queued') return 'waiting';
  if (job?.state === 'running') return 'running';
  if (run?.state === 'complete') return 'complete';
  if (job?.state === 'failed') return 'failed';
  return job?.state === 'paused' ? 'paused' : 'stopped';
}

/** The newest error there is: of validation, else of training; 0..1, null before the first epoch ends. */
export function lastError({ run }: TrainingEntry): number | null {
  const last = run?.epochs.at(-1);
  return last ? (last.validationError ?? last.trainingError) : null;
}

export interface RunCurves {
  /** Epochs; the one that trains now stands at its part. */
  readonly x: readonly number[];
  readonly loss: readonly Curve[];
  readonly error: readonly Curve[];
}

/** The curves of a run; `names` are those of the training and the validation curve. What the epoch under way has so far is their last point, where validation has none. */
export function runCurves({ run }: TrainingEntry, live: TrainingLive | null, names: { readonly training: string; readonly validation: string }): RunCurves {
  const epochs = run?.epochs ?? [];
  const part = live?.kind === 'training' && live.epoch === epochs.length + 1 && live.step > 0 ? live : null;
  const values = <T>(of: (epoch: (typeof epochs)[number]) => T, now: T | undefined): T[] => [...epochs.map(of), ...(part && now !== undefined ? [now] : [])];
  const validated = epochs.some((epoch) => epoch.validationError !== null);
  const curve = (training: readonly (number | null)[], validation: readonly (number | null)[]): readonly Curve[] => [
    { name: names.training, values: training, look: 'plain', dashed: true },
    ...(validated ? [{ name: names.validation, values: validation, look: 'strong' } as const] : []),
  ];
  return {
    x: [...epochs.map(({ epoch }) => epoch), ...(part ? [part.epoch - 1 + part.step / Math.max(1, part.steps)] : [])],
    loss: curve(values(({ loss }) => loss, part?.loss), values(({ validationLoss }) => validationLoss, part ? null : undefined)),
    error: curve(values(({ trainingError }) => trainingError, part?.trainingError), values(({ validationError }) => validationError, part ? null : undefined)),
  };
}

/** Files of the run that can be opened, oldest first: the network before training where it was asked for, and every epoch's that was written. */
export function checkpointsOf({ run, recipe }: TrainingEntry): readonly { readonly epoch: number; readonly file: string; readonly validationError: number | null; readonly trainingError: number | null }[] {
  if (!run) return [];
  const first = recipe.checkpoints.includes(0) ? [{ epoch: 0, file: 'epoch-000.onnx', validationError: null, trainingError: null }] : [];
  return [...first, ...run.epochs.flatMap(({ epoch, checkpoint, validationError, trainingError }) => (checkpoint === null ? [] : [{ epoch, file: checkpoint, validationError, trainingError }]))];
}
