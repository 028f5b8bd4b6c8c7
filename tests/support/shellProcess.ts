/** A process in the shell's place: it supervises a built core as the shell does, says where it listens, and ends in the way that its parent asks for. */
import { startCore } from '../../src-main/desktop/coreProcess.ts';

const [entry = '', ...args] = process.argv.slice(2);
const core = startCore({ node: process.execPath, args: [entry, ...args], onLog: () => undefined });

process.on('message', (way) => {
  if (way === 'stop') void core.stop().then(() => process.exit(0));
  if (way === 'exit') process.exit(0);
  if (way === 'throw') throw new Error('a bug in the shell');
});
process.send?.(await core.address());
