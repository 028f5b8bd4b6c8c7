/** A person who asks for a lower rate is answered, whatever becomes of the training meanwhile. */
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import type { JobProgress, JobRow } from '../../../src-main/jobs/queue.ts';
import type { TakeLowering, TrainingService } from '../../../src-main/services/training.ts';
import type { TrainingRun } from '../../../src-main/services/trainingFiles.ts';
import { trainingRunner, type RunningTrainings } from '../../../src-main/services/trainingJob.ts';
import type { Store } from '../../../src-main/store/open.ts';

/** What a person is told who asks before the first step of a training that does this. */
async function toldBy(train: (take: TakeLowering) => Promise<unknown>): Promise<{ readonly told: readonly (number | undefined)[]; readonly failure: unknown }> {
  const running: RunningTrainings = { current: null };
  const told: (number | undefined)[] = [];
  const training: TrainingService = {
    async train(_request, _onNews, _signal, take) {
      running.current!.lowerings.push((rate) => told.push(rate));
      await train(take!);
      return {} as TrainingRun;
    },
  };
  const job = { request: { outPath: 'run', imagesPath: import.meta.dirname, recipe: { batch: 8, epochs: 1 } }, done: 0, total: 0 } as unknown as JobRow;
  const runner = trainingRunner({ folder: tmpdir() } as Store, training, running);
  const failure = await runner(job, { report: () => undefined } as unknown as JobProgress, new AbortController().signal).then(() => null, (error: unknown) => error);
  return { told, failure };
}

it('hears the new rate once it is saved, also where the first attempt was lost with its process', async () => {
  const { told } = await toldBy(async (take) => {
    expect(take(), 'asked for, never saved').toBeDefined();
    take()!(0.001);
    expect(take(), 'answered').toBeUndefined();
  });
  expect(told).toEqual([0.001]);
});

it('hears that there was no next step where saving fails', async () => {
  const { told, failure } = await toldBy(async (take) => {
    take();
    throw new Error('no room');
  });
  expect([told, String(failure)]).toEqual([[undefined], 'Error: no room']);
});
