/**
 * Starts other programs: a long step of the set-up with visible progress on stderr (stdout belongs to the command that was asked for, which may print
 * JSON there), or the command itself with the terminal handed over.
 */
import { spawn } from 'node:child_process';

const keptOutputBytes = 200_000;

/**
 * Runs a step of the set-up: announces it, shows the seconds that pass, keeps its output.
 * @param {string} title what a person reads, e.g. "Installing packages"
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, limitMs?: number, shell?: boolean }} options
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>} never rejects; `output` holds the last of stdout and stderr together
 */
export async function runStep(title, program, args, options = {}) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const stopShowing = showProgress(title, seconds);
  const { ok, output } = await capture(program, args, options);
  stopShowing(ok ? 'done' : 'failed');
  return { ok, output, seconds: seconds() };
}

/** Runs a program without a word; resolves with its success and the last of its output. A limit ends it. */
export function capture(program, args, { cwd, env, limitMs, shell = false } = {}) {
  return new Promise((settle) => {
    let output = '';
    const child = spawn(program, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const timer = limitMs === undefined ? undefined : setTimeout(() => {
      output += `\nended after ${Math.round(limitMs / 1000)} s without an answer`;
      child.kill('SIGKILL');
    }, limitMs);
    const keep = (bytes) => {
      output = (output + bytes.toString()).slice(-keptOutputBytes);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      clearTimeout(timer);
      settle({ ok: false, output: `${output}\n${error.message}` });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      settle({ ok: code === 0, output });
    });
  });
}

/**
 * Hands the terminal to a program and resolves with its exit code (1 where a signal ended it). Ctrl-C reaches the program from the terminal itself;
 * SIGTERM is passed on. npm does not pass its own SIGTERM on to us, so that the end of whoever started us counts as one.
 */
export function handOver(program, args, { cwd, env } = {}) {
  return new Promise((settle) => {
    const child = spawn(program, args, { cwd, env, stdio: 'inherit', windowsHide: false });
    const passOn = () => child.kill('SIGTERM');
    const wait = () => {};
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid !== parent) passOn();
    }, 1000);
    process.on('SIGTERM', passOn);
    process.on('SIGINT', wait);
    const finish = (code) => {
      clearInterval(watch);
      process.off('SIGTERM', passOn);
      process.off('SIGINT', wait);
      settle(code);
    };
    child.on('error', (error) => {
      say(`${program} could not be started: ${error.message}`);
      finish(1);
    });
    child.on('close', (code) => finish(code ?? 1));
  });
}

/** One line for the person, on stderr. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

function showProgress(title, seconds) {
  const terminal = process.stderr.isTTY === true;
  if (!terminal) say(`${title} ...`);
  const timer = setInterval(
    () => (terminal ? process.stderr.write(`\r${title} ... ${seconds()} s `) : say(`${title} ... ${seconds()} s`)),
    terminal ? 1000 : 20_000,
  );
  if (terminal) process.stderr.write(`${title} ... `);
  return (ending) => {
    clearInterval(timer);
    say(`${terminal ? '\r' : ''}${title}: ${ending} (${seconds()} s)`);
  };
}
