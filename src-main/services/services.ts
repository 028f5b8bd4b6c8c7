/** All use cases of one core, put together once; the command line, the RPC router and the media routes use the same ones. */
import { createInferenceClient, type InferenceClient } from '../inference/worker/client.ts';
import { createDatasetService, type DatasetService } from './datasets.ts';
import { createExportService, type ExportService } from './exports.ts';
import { createFileService, type FileService } from './files.ts';
import { userFolders, type UserFolders } from './folders.ts';
import { indexRunner } from './indexJob.ts';
import { createIndexingService, type IndexingService } from './indexing.ts';
import { createJobService, type JobService } from './jobs.ts';
import { createModelService, type ModelService } from './models.ts';
import { createPictureService, type PictureService } from './pictures.ts';
import { createProjectionService, type ProjectionService } from './projections.ts';
import { createSettingsService, type SettingsService } from './settings.ts';
import { createWorkspaceService, type WorkspaceService } from './workspaces.ts';

export interface Services {
  readonly inference: InferenceClient;
  readonly workspaces: WorkspaceService;
  readonly files: FileService;
  readonly models: ModelService;
  readonly exports: ExportService;
  readonly datasets: DatasetService;
  readonly indexing: IndexingService;
  readonly projections: ProjectionService;
  readonly pictures: PictureService;
  readonly jobs: JobService;
  readonly settings: SettingsService;
  /** Interrupts jobs, closes the workspace and ends the inference process. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** Entry of the inference process. */
  readonly workerEntry: string;
  readonly version: string;
  readonly folders?: UserFolders;
  readonly mode?: 'write' | 'read';
  readonly log?: (line: string) => void;
}

export function createServices({ workerEntry, version, folders = userFolders(), mode = 'write', log }: ServiceOptions): Services {
  const inference = createInferenceClient({ entry: workerEntry, ...(log ? { log } : {}) });
  const workspaces = createWorkspaceService({
    folders,
    mode,
    runners: (store) => ({ index: indexRunner(store, inference) }),
  });
  const indexing = createIndexingService(workspaces, inference);
  const projections = createProjectionService(workspaces, inference);
  return {
    inference,
    workspaces,
    indexing,
    projections,
    files: createFileService(),
    models: createModelService(inference),
    exports: createExportService(inference),
    datasets: createDatasetService(),
    pictures: createPictureService(workspaces, projections),
    jobs: createJobService(workspaces),
    settings: createSettingsService(folders, inference, version),
    async close() {
      await workspaces.close();
      await inference.close();
    },
  };
}
