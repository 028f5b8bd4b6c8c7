/** The one contract between core and every client (desktop window, browser, tests): typed calls, streams and errors. */
import { compare } from './compare.ts';
import { about } from './about.ts';
import { datasets } from './datasets.ts';
import { diagnostics } from './diagnostics.ts';
import { evolution } from './evolution.ts';
import { experiments } from './experiments.ts';
import { figures } from './figures.ts';
import { files } from './files.ts';
import { indexing } from './indexing.ts';
import { jobs } from './jobs.ts';
import { lab } from './lab.ts';
import { map } from './map.ts';
import { models } from './models.ts';
import { notes } from './notes.ts';
import { projections } from './projections.ts';
import { sample } from './sample.ts';
import { scores } from './scores.ts';
import { search } from './search.ts';
import { settings } from './settings.ts';
import { training } from './training.ts';
import { weights } from './weights.ts';
import { workspaces } from './workspaces.ts';

export const contract = { about, workspaces, files, models, datasets, indexing, projections, figures, jobs, scores, settings, notes, search, compare, weights, training, sample, evolution, diagnostics, lab, experiments, map };

/** Path under which the RPC handler answers. */
export const rpcPrefix = '/rpc';
