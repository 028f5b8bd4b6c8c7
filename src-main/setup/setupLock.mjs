/** Lets one set-up run at a time in a clone: a second command waits until the first has installed and built, instead of doing it at the same moment. */
import { createHash } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './places.mjs';
import { say } from './processes.mjs';

const lockPath = join(tmpdir(), `switchback-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`);

/** Runs `work` while no other process of this clone is in its set-up. A lock left by a process that died is taken over. */
export async function withSetupLock(work) {
  let told = false;
  while (!take()) {
    const holder = Number(read());
    if (!isAlive(holder)) {
      rmSync(lockPath, { force: true });
    } else {
      if (!told) say(`Another Switchback command (process ${holder}) is setting up; waiting for it.`);
      told = true;
      await new Promise((wake) => setTimeout(wake, 500));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lockPath, { force: true });
  }
}

/** Linking makes the lock appear with its content: nobody can read it half written. */
function take() {
  const own = `${lockPath}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lockPath);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function read() {
  try {
    return readFileSync(lockPath, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(processId) {
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
