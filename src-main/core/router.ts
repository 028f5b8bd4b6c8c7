/** The contract, implemented: each procedure hands over to one service. AppErrors travel as the contract's APP error; nothing else of an error leaves. */
import { implement, ORPCError, type Router } from '@orpc/server';
import { contract } from '../../src-shared/contract/contract.ts';
import { toPlainError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';

export function createRouter(services: Services): Router<typeof contract, Record<never, never>> {
  const os = implement(contract).use(async ({ next }) => {
    try {
      return await next();
    } catch (error) {
      throw error instanceof ORPCError ? error : carried(error);
    }
  });
  const { about, workspaces, packs, files, models, datasets, indexing, duplicates, projections, atlas, figures, jobs, scores, settings, spines, weights, notes, search, compare, storage, trainingRuns, sample, lab } = services;
  return os.router({
    about: {
      get: os.about.get.handler(() => about.get()),
      licenceText: os.about.licenceText.handler(({ input }) => about.licenceText(input.number)),
      diagnostics: os.about.diagnostics.handler(({ signal }) => about.diagnostics(signal)),
    },
    workspaces: {
      current: os.workspaces.current.handler(() => workspaces.current()),
      recent: os.workspaces.recent.handler(() => workspaces.recent()),
      open: os.workspaces.open.handler(({ input }) => workspaces.open(input.path)),
      create: os.workspaces.create.handler(({ input }) => workspaces.create(input)),
      forget: os.workspaces.forget.handler(async ({ input }) => {
        await workspaces.forget(input.path);
        return {};
      }),
      packSizes: os.workspaces.packSizes.handler(({ input }) => packs.sizes(input.indexes)),
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
      spine: os.indexing.spine.handler(({ input, signal }) => spines.spine(input.index, signal)),
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
    diagnostics: {
      filters: os.diagnostics.filters.handler(({ input, signal }) => services.diagnostics.filters(input, signal)),
      model: os.diagnostics.model.handler(({ input, signal }) => services.diagnostics.model(input.model, signal)),
      compare: os.diagnostics.compare.handler(({ input, signal }) => services.diagnostics.compare(input, signal)),
    },
    evolution: {
      inspect: os.evolution.inspect.handler(({ input, signal }) => services.evolution.inspect(input.source, signal)),
      start: os.evolution.start.handler(({ input, signal }) => services.evolution.start(input, signal)),
      resume: os.evolution.resume.handler(({ input }) => services.evolution.resume(input.series)),
      series: os.evolution.series.handler(() => services.evolution.series()),
      get: os.evolution.get.handler(({ input }) => services.evolution.get(input.series)),
      watch: os.evolution.watch.handler(({ input, signal }) => guarded(services.evolution.watch(input.series, signal))),
      rows: os.evolution.rows.handler(({ input }) => services.evolution.rows(input)),
      figure: os.evolution.figure.handler(({ input, signal }) => services.evolutionFigures.make(input, signal)),
      forget: os.evolution.forget.handler(async ({ input }) => {
        await services.evolution.forget(input.series);
        return {};
      }),
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
      layerSelectivity: os.scores.layerSelectivity.handler(({ input, signal }) => scores.layerSelectivity(input, signal)),
    },
    experiments: {
      complete: os.experiments.complete.handler(({ input, signal }) => services.experiments.complete(input.spec, signal)),
      start: os.experiments.start.handler(({ input, signal }) => services.experiments.start(input, signal)),
      resume: os.experiments.resume.handler(({ input }) => services.experiments.resume(input.id)),
      get: os.experiments.get.handler(({ input }) => services.experiments.get(input.id)),
      watch: os.experiments.watch.handler(({ input, signal }) => guarded(services.experiments.watch(input.id, signal))),
      list: os.experiments.list.handler(({ input }) => services.experiments.list(input)),
      cancel: os.experiments.cancel.handler(async ({ input }) => {
        await services.experiments.cancel(input.id);
        return {};
      }),
      delete: os.experiments.delete.handler(async ({ input }) => {
        await services.experiments.delete(input.id);
        return {};
      }),
      figure: os.experiments.figure.handler(({ input }) => services.experiments.figure(input.id, input.format)),
      export: os.experiments.export.handler(({ input }) => services.experiments.export(input.id, input.format)),
      evidence: os.experiments.evidence.handler(({ input, signal }) => services.experiments.evidence(input, signal)),
      parts: {
        list: os.experiments.parts.list.handler(({ input }) => services.experiments.parts.list(input)),
        set: os.experiments.parts.set.handler(async ({ input }) => {
          await services.experiments.parts.set(input);
          return {};
        }),
        remove: os.experiments.parts.remove.handler(async ({ input }) => {
          await services.experiments.parts.remove(input);
          return {};
        }),
      },
    },
    training: {
      estimate: os.training.estimate.handler(({ input, signal }) => trainingRuns.estimate(input, signal)),
      start: os.training.start.handler(({ input, signal }) => trainingRuns.start(input, signal)),
      runs: os.training.runs.handler(() => trainingRuns.runs()),
      run: os.training.run.handler(({ input }) => trainingRuns.run(input)),
      watch: os.training.watch.handler(({ input, signal }) => guarded(trainingRuns.watch(input.id, signal))),
      lowerRate: os.training.lowerRate.handler(({ input }) => trainingRuns.lowerRate(input.id)),
    },
    sample: {
      status: os.sample.status.handler(() => sample.status()),
      open: os.sample.open.handler(({ signal }) => guarded(sample.open(signal))),
    },
    weights: { feeding: os.weights.feeding.handler(({ input, signal }) => weights.feeding(input, signal)) },
    notes: {
      get: os.notes.get.handler(({ input }) => notes.get(input.place)),
      set: os.notes.set.handler(({ input }) => notes.set(input)),
      ofLayer: os.notes.ofLayer.handler(({ input }) => notes.ofLayer(input.index, input.layer)),
      tags: os.notes.tags.handler(() => notes.tags()),
      export: os.notes.export.handler(() => notes.export()),
      import: os.notes.import.handler(({ input }) => notes.import(input.document)),
    },
    search: { find: os.search.find.handler(({ input, signal }) => search.find(input, signal)) },
    compare: {
      channels: os.compare.channels.handler(({ input, signal }) => compare.channels(input, signal)),
      partners: os.compare.partners.handler(({ input, signal }) => compare.partners(input, signal)),
      differences: os.compare.differences.handler(({ input, signal }) => compare.differences(input, signal)),
    },
    lab: {
      layers: os.lab.layers.handler(({ input, signal }) => lab.layers(input.index, signal)),
      classes: os.lab.classes.handler(({ input, signal }) => lab.classes(input, signal)),
      nameClasses: os.lab.nameClasses.handler(({ input, signal }) => lab.nameClasses(input.index, input.path, signal)),
      predict: os.lab.predict.handler(({ input, signal }) => lab.predict(input, signal)),
      activations: os.lab.activations.handler(({ input, signal }) => lab.activations(input, signal)),
      project: os.lab.project.handler(({ input, signal }) => lab.project(input, signal)),
      start: os.lab.start.handler(({ input, signal }) => lab.start(input, signal)),
      get: os.lab.get.handler(({ input }) => lab.get(input.id)),
      watch: os.lab.watch.handler(({ input, signal }) => guarded(lab.watch(input.id, signal))),
      list: os.lab.list.handler(({ input, signal }) => lab.list(input, signal)),
      cancel: os.lab.cancel.handler(({ input }) => {
        lab.cancel(input.id);
        return {};
      }),
      delete: os.lab.delete.handler(async ({ input }) => {
        await lab.delete(input.id);
        return {};
      }),
      figure: os.lab.figure.handler(({ input }) => lab.figure(input.id, input.format)),
    },
    map: {
      features: os.map.features.handler(({ input }) => services.features.list(input.index)),
      estimate: os.map.estimate.handler(({ input, signal }) => services.features.estimate(input, signal)),
      computeFeatures: os.map.computeFeatures.handler(({ input, signal }) => services.features.compute(input, signal)),
      deleteFeatures: os.map.deleteFeatures.handler(async ({ input }) => {
        await services.features.delete(input.features);
        return {};
      }),
      start: os.map.start.handler(({ input, signal }) => services.maps.start(input, signal)),
      list: os.map.list.handler(({ input }) => services.maps.list(input.index)),
      get: os.map.get.handler(({ input }) => services.maps.get(input.map)),
      watch: os.map.watch.handler(({ input, signal }) => guarded(services.maps.watch(input.map, signal))),
      delete: os.map.delete.handler(async ({ input }) => {
        await services.maps.delete(input.map);
        return {};
      }),
      grid: os.map.grid.handler(async ({ input }) => {
        const { columns, rows } = await services.maps.grid(input.map);
        return { columns, rows };
      }),
      colours: os.map.colours.handler(async ({ input, signal }) => (await services.mapColours.column(input, signal)).legend),
      points: os.map.points.handler(({ input, signal }) => services.mapColours.points(input.map, input.images, signal)),
      excited: os.map.excited.handler(({ input, signal }) => services.scores.contrasting(input, signal)),
      neighbours: os.map.neighbours.handler(({ input, signal }) => services.neighbours.nearest(input, signal)),
      buildNeighbourIndex: os.map.buildNeighbourIndex.handler(({ input }) => services.neighbourIndexes.build(input)),
      export: os.map.export.handler(({ input, signal }) => services.mapExports.make(input, signal)),
    },
    settings: {
      storage: os.settings.storage.handler(() => storage.list()),
      clear: os.settings.clear.handler(({ input }) => storage.clear(input.kind)),
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
