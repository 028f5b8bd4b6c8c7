/**
 * One script for Slurm: run on the login node it submits itself twice, as a job array that computes the shards and as a job that merges them when all are done. Slurm's default allows array
 * indices up to 1000 (MaxArraySize 1001), so beyond that each task of the array computes several shards.
 */
import { beginning, mergeLines, quoted, scratchLines, shardLines, shardsFolder, type JobOrder } from './jobOrder.ts';

/** Slurm's MaxArraySize, less one. */
const mostArrayTasks = 1000;

/** Tasks of the array, and shards of each (the last may have fewer). */
export function arrayOf(shards: number): { readonly tasks: number; readonly perTask: number } {
  const perTask = Math.ceil(shards / mostArrayTasks);
  return { tasks: Math.ceil(shards / perTask), perTask };
}

export function slurmScript(order: JobOrder): string {
  const { tasks, perTask } = arrayOf(order.shards);
  const shared = perTask > 1 ? `, ${perTask} in each of ${tasks} array tasks (MaxArraySize is 1001 by default)` : '';
  return `${[
    '#!/bin/bash',
    `# Switchback ${order.version}: an index in ${order.shards} shards${shared}, then their merge.`,
    '# Submit it with "bash THIS_FILE". Run again, it computes only what is missing. What each job may use:',
    '#SBATCH --job-name=switchback',
    '#SBATCH --ntasks=1',
    '#SBATCH --cpus-per-task=4',
    '#SBATCH --mem=4G',
    '#SBATCH --time=12:00:00',
    `#SBATCH --output=${quoted(`${shardsFolder(order)}/job-%j.log`)}`,
    ...beginning(order),
    '',
    'if [ "${1:-submit}" = submit ]; then',
    '  mkdir -p "$shards"',
    `  array=$(sbatch --parsable --array=1-${tasks} "$0" shards)`,
    '  merge=$(sbatch --parsable --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes "$0" merge)',
    '  echo "shards: job ${array%%;*}; merge: job ${merge%%;*}"',
    '  exit',
    'fi',
    '',
    ...scratchLines,
    'if [ "$1" = shards ]; then',
    `  last=$((SLURM_ARRAY_TASK_ID * ${perTask}))`,
    `  for number in $(seq $((last - ${perTask - 1})) $((last < ${order.shards} ? last : ${order.shards}))); do`,
    ...shardLines(order).map((line) => `    ${line}`),
    '  done',
    'else',
    ...mergeLines().map((line) => `  ${line}`),
    'fi',
  ].join('\n')}\n`;
}
