/** The contract, implemented: each procedure hands over to one service. AppErrors travel as the contract's APP error; nothing else of an error leaves. */
import { implement, ORPCError } from '@orpc/server';
import { contract } from '../../src-shared/contract/contract.ts';
import { toPlainError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';

export function createRouter(services: Services) {
  const os = implement(contract).use(async ({ next }) => {
    try {
      return await next();
    } catch (error) {
      throw error instanceof ORPCError ? error : carried(error);
    }
  });
  const { workspaces, packs, files, models, datasets, indexing, duplicates, projections, atlas, figures, jobs, scores, settings } = services;
  return os.router({
    workspaces: {
      current: os.workspaces.current.handler(() => workspaces.current()),
      recent: os.workspaces.recent.handler(() => workspaces.recent()),
      open: os.workspaces.open.handler(({ input }) => workspaces.open(input.path)),
      create: os.workspaces.create.handler(({ input }) => workspaces.create(input)),
      forget: os.workspaces.forget.handler(async ({ input }) => {
        await workspaces.forget(input.path);
        return {};
      }),
      pack: os.workspaces.pack.handler(({ input, signal }) => packs.pack(input, signal)),
    },
    files: { list: os.files.list.handler(({ input }) => files.list(input.path)) },
    models: {
      inspect: os.models.inspect.handler(({ input, signal }) => models.inspect(input.path, signal)),
      draw: os.models.draw.handler(({ input, signal }) => models.draw(input, signal)),
      preview: os.models.preview.handler(({ input, signal }) => models.preview(input, signal)),
    },
    datasets: { scan: os.datasets.scan.handler(({ input, signal }) => datasets.scan(input.path, signal)) },
    indexing: {
      list: os.indexing.list.handler(() => indexing.list()),
      get: os.indexing.get.handler(({ input }) => indexing.get(input.index)),
      start: os.indexing.start.handler(({ input, signal }) => indexing.start(input, signal)),
      estimate: os.indexing.estimate.handler(({ input, signal }) => indexing.estimate(input, signal)),
      rescan: os.indexing.rescan.handler(({ input, signal }) => indexing.rescan(input.index, signal)),
      resume: os.indexing.resume.handler(({ input }) => indexing.resume(input.index)),
      delete: os.indexing.delete.handler(async ({ input }) => {
        await indexing.delete(input.index);
        return {};
      }),
      layers: os.indexing.layers.handler(({ input }) => indexing.layers(input.index)),
      channels: os.indexing.channels.handler(({ input }) => indexing.channels(input.index, input.layer)),
      channel: os.indexing.channel.handler(({ input: { index, layer, channel, unique }, signal }) => (unique ? duplicates.channel(index, layer, channel, signal) : indexing.channel(index, layer, channel))),
      skipped: os.indexing.skipped.handler(({ input }) => indexing.skipped(input.index)),
      watch: os.indexing.watch.handler(({ input, signal }) => guarded(indexing.watch(input.index, signal))),
    },
    projections: {
      get: os.projections.get.handler(({ input, signal }) => projections.get(input, signal)),
      atlas: os.projections.atlas.handler(({ input }) => atlas.start(input)),
      kept: os.projections.kept.handler(({ input }) => atlas.kept(input.index)),
    },
    figures: { make: os.figures.make.handler(({ input, signal }) => figures.make(input, signal)) },
    jobs: {
      list: os.jobs.list.handler(() => jobs.list()),
      cancel: os.jobs.cancel.handler(async ({ input }) => {
        await jobs.cancel(input.id);
        return {};
      }),
      pause: os.jobs.pause.handler(async ({ input }) => {
        await jobs.pause(input.id);
        return {};
      }),
      resume: os.jobs.resume.handler(async ({ input }) => {
        await jobs.resume(input.id);
        return {};
      }),
      watch: os.jobs.watch.handler(({ signal }) => guarded(jobs.watch(signal))),
    },
    scores: {
      kept: os.scores.kept.handler(({ input }) => scores.kept(input.index)),
      classes: os.scores.classes.handler(({ input }) => scores.classes(input.index)),
      top: os.scores.top.handler(({ input, signal }) => scores.top(input, signal)),
      topPerClass: os.scores.topPerClass.handler(({ input, signal }) => scores.topPerClass(input, signal)),
      histogram: os.scores.histogram.handler(({ input, signal }) => scores.histogram(input, signal)),
      similar: os.scores.similar.handler(({ input, signal }) => scores.similar(input, signal)),
      excited: os.scores.excited.handler(({ input, signal }) => scores.excited(input, signal)),
      selectivity: os.scores.selectivity.handler(({ input, signal }) => scores.selectivity(input, signal)),
      matches: os.scores.matches.handler(({ input, signal }) => scores.matches(input, signal)),
    },
    settings: {
      get: os.settings.get.handler(() => settings.get()),
      set: os.settings.set.handler(({ input }) => settings.set(input)),
      doctor: os.settings.doctor.handler(({ input, signal }) => settings.doctor(input, signal)),
    },
  });
}

/** Streams fail after the procedure has returned, so they carry the same guard of their own. */
async function* guarded<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* stream;
  } catch (error) {
    throw carried(error);
  }
}

function carried(error: unknown): ORPCError<'APP', unknown> {
  const { code, message, data } = toPlainError(error);
  return new ORPCError('APP', { defined: true, status: 422, message, data: { code, data } });
}
