/** Entry of the inference process. */
import { constants, setPriority } from 'node:os';
import { createCalls } from './calls.ts';
import { createEngines } from './engines.ts';
import { serve } from './serve.ts';

// Computing takes every core; the core process, which answers the person, goes first. (A system may refuse; then nothing changes.)
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {}

// Ctrl+C in a terminal reaches every process of a command: the core decides what is still to be done, and ends this process by leaving.
process.on('SIGINT', () => undefined);

serve((alive) => createCalls(createEngines(), alive));
