/** What the training views read from a run's record. */
import { expect, test } from 'vitest';
import type { TrainingEntry, TrainingLive } from '../../../src-renderer/api/records.ts';
import { checkpointsOf, lastError, runCurves, runState } from '../../../src-renderer/features/training/runFacts.ts';

const names = { training: 'training', validation: 'validation' };
const epoch = (number: number, validationError: number | null = 0.5) => ({ epoch: number, loss: 3 - number, trainingError: 0.9, validationLoss: validationError === null ? null : 2, validationError, learningRate: 0.01, seconds: 1, checkpoint: number === 2 ? 'epoch-002.onnx' : null });

function entry(epochs: readonly ReturnType<typeof epoch>[], job: string | null, state = 'partial', checkpoints: readonly number[] = []): TrainingEntry {
  return { recipe: { checkpoints }, run: { epochs, state }, job: job === null ? null : { state: job } } as unknown as TrainingEntry;
}

const live = (number: number, step: number): TrainingLive => ({ kind: 'training', epoch: number, epochs: 10, step, steps: 4, loss: 1.5, trainingError: 0.7, learningRate: 0.01, imagesPerSecond: 9, secondsLeft: null });

test.each([['queued', 'partial', 'waiting'], ['running', 'partial', 'running'], ['running', 'complete', 'running'], ['paused', 'partial', 'paused'], ['cancelled', 'partial', 'stopped'], ['failed', 'partial', 'failed'], ['done', 'complete', 'complete'], [null, 'partial', 'stopped'], [null, 'complete', 'complete']] as const)('a run whose job is %s and whose record is %s is %s', (job, record, expected) => {
  expect(runState(entry([], job, record))).toBe(expected);
});

test('the epoch under way is the last point of the training curve', () => {
  const curves = runCurves(entry([epoch(1), epoch(2)], 'running'), live(3, 1), names);
  expect(curves.x).toEqual([1, 2, 2.25]);
  expect(curves.loss.map(({ name, values }) => [name, values])).toEqual([['training', [2, 1, 1.5]], ['validation', [2, 2, null]]]);
  expect(curves.error.map(({ values }) => values)).toEqual([[0.9, 0.9, 0.7], [0.5, 0.5, null]]);
});

test('what is told of an epoch that has ended, or before its first step, is no point', () => {
  expect(runCurves(entry([epoch(1)], 'running'), live(1, 4), names).x).toEqual([1]);
  expect(runCurves(entry([epoch(1)], 'running'), live(2, 0), names).x).toEqual([1]);
});

test('without validation there is one curve', () => {
  const run = entry([epoch(1, null)], 'done', 'complete');
  expect(runCurves(run, null, names).loss.map(({ name }) => name)).toEqual(['training']);
  expect(lastError(run)).toBe(0.9);
  expect(lastError(entry([epoch(1)], null))).toBe(0.5);
  expect(lastError(entry([], null))).toBeNull();
});

test('checkpoints are the written ones, with the network before training where it was asked for', () => {
  expect(checkpointsOf(entry([epoch(1), epoch(2)], null, 'partial', [0, 2])).map((each) => [each.epoch, each.file])).toEqual([[0, 'epoch-000.onnx'], [2, 'epoch-002.onnx']]);
});
