/** Which device auto means: passing and fastest, never a played GPU, with every refusal told; trials are made once. */
import { describe, expect, it } from 'vitest';
import { unavailableRow, type EngineAvailability, type Placement } from '../../../src-main/inference/engine.ts';
import { candidatePlacements, createDeviceSurvey, type Probe } from '../../../src-main/inference/selfTest/survey.ts';

const linux = candidatePlacements('linux');

function row(name: string, change: Partial<EngineAvailability> = {}): EngineAvailability {
  const [engine, device] = name.split(' ') as [Placement['engine'], Placement['device']];
  return { ...unavailableRow({ engine, device }, ''), available: true, description: name, selfTest: { passed: true, worst: 1e-7, detail: 'fine' }, ...change };
}

/** Machines by what their devices do; whatever is not listed is not there. Speeds show only when they are asked for, as in a real trial. */
function machine(...rows: readonly EngineAvailability[]) {
  const tried: string[] = [];
  const probe: Probe = async (placement, { benchmark, skipSoftware }) => {
    const name = `${placement.engine} ${placement.device}`;
    tried.push(benchmark ? `${name} timed` : name);
    const found = rows.find((each) => `${each.engine} ${each.device}` === name);
    if (!found) throw new Error('there is none');
    if (found.software && skipSoftware) return { ...found, selfTest: null };
    return benchmark ? found : { ...found, imagesPerSecond: null };
  };
  return { tried, survey: createDeviceSurvey(probe, linux) };
}

const cpu = row('onnxruntime cpu', { imagesPerSecond: 900 });
const wasm = row('tensorflow cpu', { imagesPerSecond: 100 });
const any = { engine: 'auto', device: 'auto' } as const;

describe('auto', () => {
  it('takes the fastest that passes and keeps the others, fastest first, for when it fails', async () => {
    const { survey } = machine(cpu, wasm, row('onnxruntime webgpu', { imagesPerSecond: 4000 }), row('tensorflow webgpu', { imagesPerSecond: 2500 }));
    const choice = await survey.chooseDevice(any);
    expect(choice.placement).toEqual({ engine: 'onnxruntime', device: 'webgpu' });
    expect(choice.description).toBe('onnxruntime webgpu');
    expect(choice.next.map(({ engine, device }) => `${engine} ${device}`)).toEqual(['tensorflow webgpu', 'onnxruntime cpu', 'tensorflow cpu']);
  });

  it('passes over a device that computes wrong numbers, however fast, and says so', async () => {
    const reason = 'It failed its self-test and is not used (off by 0.46 of the largest value).';
    const { survey } = machine(cpu, wasm, row('onnxruntime webgpu', { available: false, reason, selfTest: { passed: false, worst: 0.46, detail: '' }, imagesPerSecond: 9000 }));
    const choice = await survey.chooseDevice(any);
    expect(choice.placement).toEqual({ engine: 'onnxruntime', device: 'cpu' });
    expect(choice.rejected).toContainEqual({ placement: { engine: 'onnxruntime', device: 'webgpu' }, reason });
  });

  it('never takes a GPU that the processor plays, and names it', async () => {
    const { survey } = machine(cpu, wasm, row('onnxruntime webgpu', { software: true, driver: 'SwiftShader', imagesPerSecond: 5000 }));
    const choice = await survey.chooseDevice(any);
    expect(choice.placement.device).toBe('cpu');
    expect(choice.rejected.find(({ placement }) => placement.engine === 'onnxruntime' && placement.device === 'webgpu')?.reason).toBe(
      'SwiftShader is played by the processor and slower than it; choose onnxruntime and webgpu by name to use it all the same.',
    );
  });

  it('times nothing where only one device can be chosen', async () => {
    const { survey, tried } = machine(cpu);
    expect((await survey.chooseDevice(any)).placement).toEqual({ engine: 'onnxruntime', device: 'cpu' });
    expect(tried.filter((name) => name.endsWith('timed'))).toEqual([]);
  });

  it('tries TensorFlow on the processor only where nothing else works', async () => {
    const usual = machine(cpu, wasm);
    await usual.survey.chooseDevice(any);
    expect(usual.tried.filter((name) => name.startsWith('tensorflow cpu'))).toEqual([]);
    const { survey, tried } = machine(wasm);
    expect((await survey.chooseDevice(any)).placement).toEqual({ engine: 'tensorflow', device: 'cpu' });
    expect(tried.at(-1)).toBe('tensorflow cpu');
  });
});

describe('a wish', () => {
  it('for one engine and device is tried alone, without timing, and may be a played GPU', async () => {
    const { survey, tried } = machine(cpu, row('tensorflow webgpu', { software: true }));
    expect((await survey.chooseDevice({ engine: 'tensorflow', device: 'webgpu' })).next).toEqual([]);
    expect(tried).toEqual(['tensorflow webgpu']);
  });

  it('for a played GPU is tested though auto passed it over untested', async () => {
    const { survey, tried } = machine(cpu, row('onnxruntime webgpu', { software: true, available: false, reason: 'wrong numbers', selfTest: { passed: false, worst: 1, detail: '' } }));
    const untested = machine(cpu, row('onnxruntime webgpu', { software: true }));
    await untested.survey.chooseDevice(any);
    await untested.survey.chooseDevice({ engine: 'onnxruntime', device: 'webgpu' });
    await untested.survey.chooseDevice({ engine: 'onnxruntime', device: 'webgpu' });
    expect(untested.tried.filter((name) => name === 'onnxruntime webgpu')).toHaveLength(2);
    await expect(survey.chooseDevice({ engine: 'onnxruntime', device: 'webgpu' })).rejects.toThrow('wrong numbers');
    expect(tried).toEqual(['onnxruntime webgpu']);
  });

  it('for an engine stays with it', async () => {
    const { survey } = machine(cpu, wasm);
    expect((await survey.chooseDevice({ engine: 'tensorflow', device: 'auto' })).placement).toEqual({ engine: 'tensorflow', device: 'cpu' });
  });

  it('that cannot be met lists the reason of every device it allows', async () => {
    const { survey } = machine(cpu);
    await expect(survey.chooseDevice({ engine: 'auto', device: 'webgpu' })).rejects.toThrow(
      'No engine for "auto" on "webgpu". onnxruntime on webgpu: onnxruntime on webgpu could not be tried: there is none tensorflow on webgpu: tensorflow on webgpu could not be tried: there is none',
    );
    await expect(survey.chooseDevice({ engine: 'tensorflow', device: 'dml' })).rejects.toThrow('No engine for "tensorflow" on "dml". There is no such combination.');
  });
});

describe('trials', () => {
  it('are made once, again for a speed that is asked for later, and afresh when forgotten', async () => {
    const { survey, tried } = machine(cpu, wasm);
    await survey.availability();
    expect(tried).toHaveLength(linux.length);
    const rows = await survey.availability({ benchmark: true });
    expect(tried.slice(linux.length)).toEqual(['onnxruntime cpu timed', 'tensorflow cpu timed']);
    expect(rows.map(({ imagesPerSecond }) => imagesPerSecond)).toEqual([null, null, 900, null, null, 100]);
    await survey.chooseDevice(any);
    expect(tried).toHaveLength(linux.length + 2);
    survey.forget();
    await survey.availability();
    expect(tried).toHaveLength(2 * linux.length + 2);
  });

  it('end when they are cancelled, and a cancelled one is no finding', async () => {
    const controller = new AbortController();
    const survey = createDeviceSurvey(async () => {
      controller.abort(new Error('stop'));
      throw new Error('killed');
    }, linux);
    await expect(survey.availability({}, controller.signal)).rejects.toThrow('stop');
  });
});

it('candidates are what the packages of a platform may hold', () => {
  const names = (platform: string) => candidatePlacements(platform).map(({ engine, device }) => `${engine} ${device}`);
  expect(names('linux')).toEqual(['onnxruntime cuda', 'onnxruntime webgpu', 'onnxruntime cpu', 'tensorflow cuda', 'tensorflow webgpu', 'tensorflow cpu']);
  expect(names('win32')).toContain('onnxruntime dml');
  expect(names('darwin')).toEqual(['onnxruntime coreml', 'onnxruntime webgpu', 'onnxruntime cpu', 'tensorflow webgpu', 'tensorflow cpu']);
});
