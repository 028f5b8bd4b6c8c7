/** The life of the core, against real small Node processes that speak the core's start-up line. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CoreOptions, CoreProcess } from '../../../src-main/desktop/coreProcess.ts';
import { startCore } from '../../../src-main/desktop/coreProcess.ts';
import type { AppError } from '../../../src-shared/errors.ts';

/** Answers every request with its own token and process id; ends when stdin closes, as the core does. */
const wellBehaved = `
  const server = require('node:http').createServer((request, response) => {
    if (request.url === '/die') process.exit(3);
    response.end(JSON.stringify({ token: process.env.SWITCHBACK_TOKEN, pid: process.pid }));
  });
  console.log('a line that is no message');
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, port: server.address().port })));
  process.stdin.on('end', () => process.exit(0)).resume();
`;

const running: CoreProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((core) => core.stop()));
});

function start(script: string, options: Partial<CoreOptions> = {}): CoreProcess {
  const core = startCore({ node: process.execPath, args: ['-e', script], restartPauseMs: () => 10, ...options });
  running.push(core);
  return core;
}

async function ask(core: CoreProcess): Promise<{ token: string; pid: number; given: string }> {
  const { port, token } = await core.address();
  const answer = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { token: string; pid: number };
  return { ...answer, given: token };
}

describe('the core process', () => {
  it('says where it listens, past lines that are no message, and holds the token that it was given', async () => {
    const { token, given } = await ask(start(wellBehaved));
    expect(given).toMatch(/^[\w-]{43}$/);
    expect(token).toBe(given);
  });

  it('ends when it is stopped, and an address is then refused', async () => {
    const core = start(wellBehaved);
    const { pid } = await ask(core);
    await core.stop();
    expect(isAlive(pid)).toBe(false);
    await expect(core.address()).rejects.toThrow('The core was stopped because Switchback is closing.');
  });

  it('is killed when it does not listen to its stdin', async () => {
    const deaf = wellBehaved.replace('process.exit(0)', 'setInterval(() => {}, 1000)');
    const core = start(deaf, { stopLimitMs: 200 });
    const { pid } = await ask(core);
    await core.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('is started again with another token when it dies, and a question asked in between waits', async () => {
    const core = start(wellBehaved);
    const first = await ask(core);
    const { port } = await core.address();
    await expect(fetch(`http://127.0.0.1:${port}/die`)).rejects.toThrow();
    const second = await untilAnother(core, first.pid);
    expect(second.token).not.toBe(first.token);
    expect(second.token).toBe(second.given);
  });

  it('is killed and started again when it hangs', async () => {
    const states: string[] = [];
    const hanging = wellBehaved.replace("if (request.url === '/die') process.exit(3);", "if (request.url === '/die') for (;;);");
    const core = start(hanging, { lookMs: 50, hangLimitMs: 400, onState: (state) => states.push(state) });
    const first = await ask(core);
    const { port } = await core.address();
    fetch(`http://127.0.0.1:${port}/die`).catch(() => undefined);
    const second = await untilAnother(core, first.pid);
    expect(second.pid).not.toBe(first.pid);
    expect(isAlive(first.pid)).toBe(false);
    expect(states).toEqual(['running', 'restarting: it ended by SIGKILL (gave no sign of life for 0 s)', 'running']);
  });

  it('opens again what was open before anyone else reaches it, and a failure there holds nothing up', async () => {
    const opened: boolean[] = [];
    const logged: string[] = [];
    const core = start(wellBehaved, {
      onLog: (line) => logged.push(line),
      prepare: async ({ port }, isRestart) => {
        opened.push(isRestart);
        await (await fetch(`http://127.0.0.1:${port}/`)).text();
        throw new Error('the workspace is gone');
      },
    });
    const first = await ask(core);
    const { port } = await core.address();
    await expect(fetch(`http://127.0.0.1:${port}/die`)).rejects.toThrow();
    await untilAnother(core, first.pid);
    expect(opened).toEqual([false, true]);
    expect(logged).toEqual(['after its start: the workspace is gone', 'after its start: the workspace is gone']);
  });

  it('is given up when it keeps dying after it was ready, and tried once more when a person asks', async () => {
    const gaveUp: string[] = [];
    const short = wellBehaved.replace("if (request.url === '/die') process.exit(3);", '').replace('process.stdin.on', 'setTimeout(() => process.exit(4), 100); process.stdin.on');
    const core = start(short, { attempts: 2, steadyMs: 60_000, onGaveUp: (error) => gaveUp.push(error.message) });
    const until = async (count: number): Promise<void> => {
      for (let look = 0; look < 400 && gaveUp.length < count; look += 1) await new Promise((wake) => setTimeout(wake, 20));
    };
    await until(1);
    expect(gaveUp).toEqual([expect.stringMatching(/^The core ended with code 4 2 times in a row\. Restart Switchback/)]);
    expect(core.state).toBe('given up');
    await expect(core.address()).rejects.toThrow('ended with code 4');
    core.startAgain();
    expect((await core.address()).token).toMatch(/^[\w-]{43}$/);
    await until(2);
    expect(gaveUp.length).toBe(2);
  });

  it('is given up after so many failed starts in a row, with its last words', async () => {
    const gaveUp = Promise.withResolvers<AppError>();
    const pauses: number[] = [];
    const core = start("console.error('the disk is full'); process.exit(7)", {
      attempts: 3,
      onGaveUp: gaveUp.resolve,
      restartPauseMs: (attempt) => {
        pauses.push(attempt);
        return 5;
      },
    });
    const refused = core.address();
    await expect(refused).rejects.toThrow('The core ended with code 7 3 times in a row; its last words were: the disk is full. Restart Switchback, or run "switchback doctor".');
    expect((await gaveUp.promise).code).toBe('UNAVAILABLE');
    expect(pauses).toEqual([0, 1]);
  });

  it('hands on the reason that the core itself gives for not starting', async () => {
    const refusal = JSON.stringify({ ready: false, error: { code: 'WORKSPACE', message: 'The workspace is held by process 12.', data: {} } });
    const core = start(`console.log(${JSON.stringify(refusal)}); process.exitCode = 1`, { attempts: 1 });
    await expect(core.address()).rejects.toThrow('its last words were: The workspace is held by process 12.');
  });

  it('is given up when the program is not there', async () => {
    const core = start('', { node: '/no/such/node', attempts: 1 });
    await expect(core.address()).rejects.toThrow('ENOENT');
  });

  it('is ended when it never says where it listens', async () => {
    const core = start('setInterval(() => {}, 1000)', { attempts: 1, readyLimitMs: 300 });
    await expect(core.address()).rejects.toThrow('did not say within 0.3 s where it listens');
  });
});

async function untilAnother(core: CoreProcess, pid: number): ReturnType<typeof ask> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await ask(core).catch(() => null);
    if (answer !== null && answer.pid !== pid) return answer;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new Error('The core was not started again within 4 s.');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
