/** Reading option values: each refusal names the option, the value and what it may be. */
import { InvalidArgumentError, Option } from 'commander';
import { changePreprocessing, type PreprocessingChanges } from '../dataset/preprocessing.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import type { Command } from 'commander';

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

export function numbers(text: string): readonly number[] {
  const values = text.split(',').map((part) => Number(part.trim()));
  if (text.trim() === '' || values.some((value) => !Number.isFinite(value))) throw new InvalidArgumentError('It must be numbers separated by commas, such as 0.485,0.456,0.406.');
  return values;
}

export function list(text: string): readonly string[] {
  const names = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (names.length === 0) throw new InvalidArgumentError('It must be names separated by commas.');
  return names;
}

/** `3/64`: the third of 64 parts. */
export function shard(text: string): { readonly number: number; readonly of: number } {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim());
  const [number, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || number < 1 || number > of) throw new InvalidArgumentError('It must be i/n, the i-th of n parts, such as 3/64.');
  return { number, of };
}

export function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function crop(text: string): number | readonly [number, number] {
  const [height, width, ...rest] = text.split(/[x,]/).map(wholeNumber(1, 4096));
  if (height === undefined || rest.length > 0) throw new InvalidArgumentError('It must be N, or height,width.');
  return width === undefined ? height : [height, width];
}

export interface PreprocessingFlags extends PreprocessingChanges {
  readonly crop?: number | readonly [number, number];
}

/** For networks that leave their input size open. */
export function addCropOption(command: Command): Command {
  return command.option('--crop <N>', 'size of the network input, N or height,width', crop);
}

/** The flags of method.md section 6; absent ones come from the model's record. */
export function addPreprocessingOptions(command: Command): Command {
  return addCropOption(command)
    .option('--resize <N|none|exact>', 'shorter side to N pixels; none: crop only; exact: squash to the input')
    .addOption(new Option('--order <order>', 'channel order the network receives').choices(['rgb', 'bgr', 'grey']))
    .option('--scale <S>', "x' = (x * scale - mean) / std, x from 0 to 255", decimal)
    .option('--mean <a,b,c>', 'per channel, in the order the network receives', numbers)
    .option('--std <a,b,c>', 'per channel, in the order the network receives', numbers);
}

export function applyPreprocessing(base: Preprocessing, { order, crop: size, resize, scale, mean, std }: PreprocessingFlags): Preprocessing {
  return changePreprocessing(base, { ...(order !== undefined && { order }), ...(size !== undefined && { crop: size }), ...(resize !== undefined && { resize }), ...(scale !== undefined && { scale }), ...(mean !== undefined && { mean }), ...(std !== undefined && { std }) });
}

export function cropPair(size: number | readonly [number, number] | undefined): readonly [number, number] | undefined {
  return typeof size === 'number' ? [size, size] : size;
}
