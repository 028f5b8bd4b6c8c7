/**
 * A core whose desktop is gone ends when its standard input closes. One that hangs never hears of it: a thread beside it looks whether the process that
 * started it is still its parent, and ends all where it is not. (On Windows a child dies with the job object of its parent, and its parent's number never changes.)
 */
import { Worker } from 'node:worker_threads';

/** Time for the orderly end that the closed input brings about. */
const graceMs = 10_000;
const lookMs = 1000;

const watch = `
  const { workerData: { parent, graceMs, lookMs } } = require('node:worker_threads');
  setInterval(() => {
    if (process.ppid !== parent) setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs);
  }, lookMs);
`;

/** Starts the watch; it holds nothing up and ends with the process. */
export function endWithParent(limits: { readonly graceMs: number; readonly lookMs: number } = { graceMs, lookMs }): void {
  if (process.platform === 'win32') return;
  new Worker(watch, { eval: true, workerData: { parent: process.ppid, ...limits } }).unref();
}
