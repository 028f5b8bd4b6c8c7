/** The one contract between core and every client (desktop window, browser, tests): typed calls, streams and errors. */
import { datasets } from './datasets.ts';
import { figures } from './figures.ts';
import { files } from './files.ts';
import { indexing } from './indexing.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { projections } from './projections.ts';
import { scores } from './scores.ts';
import { settings } from './settings.ts';
import { workspaces } from './workspaces.ts';

export const contract = { workspaces, files, models, datasets, indexing, projections, figures, jobs, scores, settings };

/** Path under which the RPC handler answers. */
export const rpcPrefix = '/rpc';
