/** A file system of a few kilobytes, to be full: only root can mount one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Why none can be mounted below `home`; null where one can. */
export function mountProblem(home: string): string | null {
  const probe = join(home, 'probe');
  mkdirSync(probe, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100k', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    return null;
  } catch {
    return 'a small file system cannot be mounted here (only root may)';
  }
}

export interface SmallDisk {
  readonly path: string;
  grow(size: string): void;
  remove(): void;
}

/** @param size as mount takes it, e.g. `400k` */
export function mountSmallDisk(path: string, size: string): SmallDisk {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  return {
    path,
    grow: (larger) => void execFileSync('mount', ['-o', `remount,size=${larger}`, path]),
    remove: () => void execFileSync('umount', ['--lazy', path]),
  };
}
