/** `switchback experiment` as a person runs it: what lies in the folder afterwards, the same numbers after `kill -9`, and how wrong specs are refused. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src-main/store/open.ts';
import { runCommand, runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { writeFaces, writeNoiseClasses } from '../support/experimentPictures.ts';
import { writeSmallClassifier } from '../support/labNetwork.ts';
import { allGone } from '../support/processes.ts';
import { repositoryRoot } from '../support/testData.ts';

interface Answer {
  readonly id: string;
  readonly kind: string;
  readonly spec: Record<string, unknown>;
  readonly numbers: { readonly rows: readonly { readonly name: string; readonly rates: readonly { readonly top1: number }[] }[] } & Record<string, unknown>;
  readonly caption: string;
  readonly files: readonly string[];
}

const home = temporaryFolder('experiment');
const workspace = join(home, 'work');
let number = 0;
/** A spec in a file. */
const specFile = (value: unknown): string => {
  const file = join(home, `spec-${number++}.json`);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
};
const experiment = (kind: string, spec: unknown, ...more: string[]) => ['experiment', kind, '--workspace', workspace, '--spec', specFile(spec), '--out', join(home, 'out'), ...more];
const refused = async (...args: string[]) => {
  const { code, stderr } = await runCommand(home, ...args);
  expect(code).toBe(1);
  return stderr.trim();
};
let noise: string;
let faces: string;

beforeAll(async () => {
  writeSmallClassifier(join(home, 'net.onnx'));
  await writeNoiseClasses(join(home, 'noise'), 4);
  const index = async (...args: string[]) => (await runForJson<{ index: string }>(home, 'index', '--workspace', workspace, '--batch', '4', '--engine', 'onnxruntime', '--device', 'cpu', ...args)).index;
  noise = await index('--model', join(home, 'net.onnx'), '--images', join(home, 'noise'), '--mean', '0.5', '--std', '0.25', '--scale', String(1 / 255), '--resize', '14');
  writeFaces(join(home, 'faces'), 3);
  faces = await index('--model', join(repositoryRoot, 'resources/sample/epoch-100.onnx'), '--images', join(home, 'faces'));
}, 120_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('experiments on the command line', () => {
  it('leaves spec, numbers and figure in the folder, and the spec repeats it', async () => {
    const answer = await runForJson<Answer>(home, ...experiment('error', { index: noise }));
    expect(answer.spec).toEqual({ kind: 'error', index: noise, others: [], views: ['centre', 'ten'], images: 20 });
    expect(readdirSync(join(home, 'out')).sort()).toEqual(['figure.png', 'figure.svg', 'result.csv', 'result.json', 'spec.json']);
    expect(JSON.parse(readFileSync(join(home, 'out', 'spec.json'), 'utf8'))).toEqual(answer.spec);
    expect(JSON.parse(readFileSync(join(home, 'out', 'result.json'), 'utf8'))).toMatchObject({ kind: 'error', numbers: answer.numbers, caption: answer.caption });
    expect(readFileSync(join(home, 'out', 'figure.svg'), 'utf8')).toContain(`<desc>${answer.caption}</desc>`);
    const again = await runForJson<Answer>(home, ...experiment('error', answer.spec, '--afresh'));
    expect([again.id === answer.id, again.numbers]).toEqual([false, answer.numbers]);
    const { stdout, code } = await runCommand(home, ...experiment('error', answer.spec));
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^experiment ${again.id}: Error rates of net\nError rates\nnetwork +top-1 % \\(centre crop\\).*\nnet +${(100 * answer.numbers.rows[0]!.rates[0]!.top1).toFixed(1)} `));
  }, 120_000);

  it('marks the parts that the spec names', async () => {
    const marks = [0, 1, 2].map((face) => ({ image: `face-${face}.png`, name: 'left eye', box: [36, 24, 58, 44] }));
    const answer = await runForJson<Answer>(home, ...experiment('correspondence', { index: faces, marks, layers: ['conv3'], random: 3 }));
    expect(answer.spec).toMatchObject({ parts: ['left eye'], images: [0, 1, 2], layers: ['relu3'] });
    expect(answer.caption).toMatch(/^Mean sign change of features when a part is hidden: .* Parts left eye, marked by hand, and 3 draws of random boxes of the same sizes \(seed 1\)/);
    expect(await refused(...experiment('correspondence', { index: faces, marks: [{ image: 'none.png', name: 'eye', box: [0, 0, 1, 1] }] }))).toBe(`switchback: The index ${faces} has no image "none.png".`);
  }, 120_000);

  it('ends with the same numbers after it was killed', async () => {
    const spec = { index: noise, images: Array.from({ length: 20 }, (_, image) => image), shift: { from: -3, to: 3, step: 0.25 }, scale: null, rotation: null };
    const started = startCommand(home, experiment('invariance', spec));
    await until(async () => (await keptPieces()) > 4);
    const isRunning = started.process.exitCode === null;
    started.process.kill('SIGKILL');
    await started.finished;
    expect(isRunning, 'the kill came after the end').toBe(true);
    await allGone(home);
    const before = await keptPieces();
    const resumed = await runForJson<Answer>(home, ...experiment('invariance', spec));
    expect([before > 4, before < 40]).toEqual([true, true]);
    const undisturbed = await runForJson<Answer>(home, ...experiment('invariance', spec, '--afresh'));
    expect(undisturbed.id).not.toBe(resumed.id);
    expect(resumed.numbers).toEqual(undisturbed.numbers);
  }, 180_000);

  it('refuses what it cannot do, in a sentence', async () => {
    expect(await refused(...experiment('error', '{'))).toMatch(/^switchback: The spec .*\.json is no JSON: /);
    expect(await refused(...experiment('error', { index: noise, images: 0 }))).toMatch(/spec-\d+\.json: "images": .*>=1/);
    expect(await refused(...experiment('evidence', { index: noise, class: 'unicorn' }))).toContain(`The index ${noise} has no class "unicorn" among its 5.`);
    expect((await runCommand(home, 'experiment', 'error', '--workspace', workspace)).stderr).toContain("required option '--out <folder>' not specified");
  }, 120_000);
});

/** Of the experiment that is under way. */
async function keptPieces(): Promise<number> {
  const store = await openStore(workspace, { mode: 'read' });
  try {
    const [newest] = await store.experiments.list({ kind: 'invariance', limit: 1 });
    return newest ? (await store.experiments.rows(newest.id)).size : 0;
  } finally {
    await store.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 600) throw new Error('it never came to that');
    await wait(50);
  }
}
