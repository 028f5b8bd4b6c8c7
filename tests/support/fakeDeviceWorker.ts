/**
 * An inference process whose devices misbehave as the environment variable SWITCHBACK_FAKE_DEVICES says (JSON, by placement, e.g. `onnxruntime on webgpu`):
 * the processor computes for each of them, until it does what is asked. Devices that are not named are the real ones.
 */
import { createEngines, probeEngine, type Engines } from '../../src-main/inference/worker/engines.ts';
import { unavailableRow, type Data, type Engine, type Placement } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createCalls } from '../../src-main/inference/worker/calls.ts';
import { placementName } from '../../src-main/inference/worker/routes.ts';
import { serve } from '../../src-main/inference/worker/serve.ts';

/** `run`: at which run of its process, from 1. */
export type Misbehaviour =
  | { readonly kind: 'well' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'wrong' }
  /** `blocked`: in native code, as a driver does; `waiting`: for an answer that never comes. */
  | { readonly kind: 'hangs'; readonly how: 'blocked' | 'waiting'; readonly run: number }
  | { readonly kind: 'full'; readonly above: number }
  | { readonly kind: 'dies'; readonly run: number };

export type FakeDevices = Readonly<Record<string, Misbehaviour>>;

const fakes = JSON.parse(process.env['SWITCHBACK_FAKE_DEVICES'] ?? '{}') as FakeDevices;

function fakeEngine(engine: Engine, { device, ...rest }: Placement, fake: Misbehaviour): Engine {
  let runs = 0;
  return {
    ...engine,
    kind: rest.engine,
    device,
    description: `fake ${device}`,
    async compile(graph) {
      const session = await engine.compile(graph);
      return {
        close: () => session.close(),
        async run(feeds, fetches, signal) {
          runs += 1;
          if (fake.kind === 'dies' && runs === fake.run) process.kill(process.pid, 'SIGKILL');
          if (fake.kind === 'hangs' && runs === fake.run) {
            if (fake.how === 'waiting') await new Promise(() => undefined);
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
          }
          const batch = Math.max(...[...feeds.values()].map(({ shape }) => shape[0] ?? 0));
          if (fake.kind === 'full' && batch > fake.above) throw new Error('Failed to allocate memory for requested buffer of size 123456789');
          const results = await session.run(feeds, fetches, signal);
          return fake.kind === 'wrong' ? new Map([...results].map(([name, data]) => [name, tenthMore(data)])) : results;
        },
      };
    },
  };
}

function tenthMore(data: Data): Data {
  return data.data instanceof Float32Array ? { ...data, data: data.data.map((value) => value * 1.1) } : data;
}

function fakeEngines(real: Engines): Engines {
  const made = new Map<string, Promise<Engine>>();
  const engineAt = (placement: Placement) => {
    const name = placementName(placement);
    const fake = fakes[name];
    if (!fake) return real.engineAt(placement);
    const engine = made.get(name) ?? createOnnxruntimeEngine({ device: 'cpu' }).then((processor) => fakeEngine(processor, placement, fake));
    made.set(name, engine);
    return engine;
  };
  return {
    ...real,
    engineAt,
    probe(placement, options, signal) {
      const fake = fakes[placementName(placement)];
      if (!fake) return real.probe(placement, options, signal);
      if (fake.kind === 'absent') return Promise.resolve(unavailableRow(placement, 'There is no such card in this machine.'));
      return probeEngine(placement, () => engineAt(placement), options, signal);
    },
  };
}

serve((alive) => createCalls(fakeEngines(createEngines()), alive));
