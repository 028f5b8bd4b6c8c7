/** What job files are made from, and what those of all systems have in common. */
import { dirname } from 'node:path';

export interface JobOrder {
  /** The program and its first arguments, as the jobs call it. */
  readonly program: readonly string[];
  /** Absolute. The result; shards are gathered in a folder beside it. */
  readonly workspace: string;
  readonly shards: number;
  /** Of "switchback index", all but --workspace and --shard; paths are absolute. */
  readonly indexArguments: readonly string[];
  /** Absolute: what the jobs read. */
  readonly reads: readonly string[];
  readonly version: string;
}

/** Where finished shards appear. */
export function shardsFolder({ workspace }: JobOrder): string {
  return `${workspace}.shards`;
}

/** A word of a POSIX shell, whatever it holds. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function quotedAll(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** The deepest folder that holds all of these absolute paths. */
export function commonFolder(paths: readonly string[]): string {
  let common = dirname(paths[0]!);
  while (!paths.every((path) => path.startsWith(common === '/' ? '/' : `${common}/`))) common = dirname(common);
  return common;
}

/**
 * Shell lines that compute shard `$number`: in scratch space, because databases do not work while they grow on most network file systems, then copied and renamed, so that a shard that is
 * there is whole. A shard that is there already is passed over, so that a job can be run again.
 */
export function shardLines(order: JobOrder): readonly string[] {
  return [
    `if [ ! -e "$shards/shard-$number" ]; then`,
    `  "\${switchback[@]}" index --workspace "$scratch/shard-$number" --shard "$number/${order.shards}" ${quotedAll(order.indexArguments)}`,
    `  rm -rf "$shards/.shard-$number.part"`,
    `  cp -r "$scratch/shard-$number" "$shards/.shard-$number.part"`,
    `  mv "$shards/.shard-$number.part" "$shards/shard-$number"`,
    `  rm -rf "$scratch/shard-$number"`,
    'fi',
  ];
}

/** Shell lines that merge all shards the same way; into a workspace that is there, in place. */
export function mergeLines(): readonly string[] {
  return [
    `if [ -e "$workspace" ]; then`,
    `  "\${switchback[@]}" merge "$shards"/shard-* --into "$workspace"`,
    'else',
    `  "\${switchback[@]}" merge "$shards"/shard-* --into "$scratch/merged"`,
    `  rm -rf "$workspace.part"`,
    `  cp -r "$scratch/merged" "$workspace.part"`,
    `  mv "$workspace.part" "$workspace"`,
    'fi',
  ];
}

/** Shell lines that both begin with. */
export function beginning(order: JobOrder): readonly string[] {
  return ['set -euo pipefail', `switchback=(${quotedAll(order.program)})`, `workspace=${quoted(order.workspace)}`, `shards=${quoted(shardsFolder(order))}`];
}

export const scratchLines: readonly string[] = [`scratch=$(mktemp -d "\${TMPDIR:-/tmp}/switchback-XXXXXXXX")`, `trap 'rm -rf "$scratch"' EXIT`];
