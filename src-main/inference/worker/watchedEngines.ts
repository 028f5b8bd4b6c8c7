/** Engines whose sessions tell how many bytes they hold, and which give a sign of life before and after each piece of work (limits.ts). */
import { withoutWeights, type Graph } from '../../graph/graph.ts';
import type { Data, Engine, Placement, Session } from '../engine.ts';
import { collectGarbage, largeBytes, liveBytes, sessionBytes, weightBytes } from './memory.ts';
import type { NextWork } from './protocol.ts';

export interface WatchedEngines {
  engineAt(placement: Placement): Promise<Engine>;
  /** The sessions among the fields of an object, and among the fields of those. */
  sessionsIn(kept: object): readonly Session[];
  /** Estimated; grows with the largest batch that ran. */
  bytesOf(session: Session): number;
}

export function createWatchedEngines(engines: { engineAt(placement: Placement): Promise<Engine> }, alive: (next: NextWork) => void): WatchedEngines {
  const bytes = new WeakMap<object, () => number>();
  const watched = new WeakMap<Engine, Engine>();
  const isSession = (value: unknown): value is Session => typeof value === 'object' && value !== null && bytes.has(value);
  return {
    async engineAt(placement) {
      // A driver may take long to start.
      alive('prepare');
      const engine = await engines.engineAt(placement);
      const known = watched.get(engine) ?? watch(engine, alive, (session, bytesOf) => bytes.set(session, bytesOf));
      watched.set(engine, known);
      return known;
    },
    sessionsIn(kept) {
      const outer: unknown[] = Object.values(kept);
      const inner = outer.flatMap((value): unknown[] => (typeof value === 'object' && value !== null && !isSession(value) ? Object.values(value) : []));
      return [...new Set([...outer, ...inner].filter(isSession))];
    },
    bytesOf: (session) => bytes.get(session)?.() ?? 0,
  };
}

function watch(engine: Engine, alive: (next: NextWork) => void, made: (session: Session, bytesOf: () => number) => void): Engine {
  return {
    ...engine,
    async compile(graph, options) {
      alive('prepare');
      const session = await engine.compile(graph, options);
      alive('prepare');
      // The graph as a file, on its way into the engine.
      if (weightBytes(graph) > largeBytes) collectGarbage();
      const shell = withoutWeights(graph);
      let hasRun = false;
      let batch = 1;
      let held = sessionBytes(graph, batch);
      const counted: Session = {
        async run(feeds, fetches, signal) {
          // The first run fetches memory and compiles what is left to compile.
          if (!hasRun) alive('prepare');
          const results = await session.run(feeds, fetches, signal);
          hasRun = true;
          alive('compute');
          const ran = batchOf(shell, feeds);
          if (ran > batch) {
            held += liveBytes(shell, ran) - liveBytes(shell, batch);
            batch = ran;
          }
          return results;
        },
        close: () => session.close(),
      };
      made(counted, () => held);
      return counted;
    },
  };
}

function batchOf(graph: Graph, feeds: ReadonlyMap<string, Data>): number {
  for (const { name, shape } of graph.inputs) {
    const axis = shape.indexOf('batch');
    if (axis >= 0) return feeds.get(name)?.shape[axis] ?? 1;
  }
  return 1;
}
