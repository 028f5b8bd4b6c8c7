/** All use cases of one core, put together once; the command line, the RPC router and the media routes use the same ones. */
import { join } from 'node:path';
import { createInferenceClient, type InferenceClient } from '../inference/worker/client.ts';
import { atlasRunner, createAtlasService, type AtlasService } from './atlasJob.ts';
import { createCropKeeping, type CropKeeping } from './cropKeeping.ts';
import { createCropService } from './crops.ts';
import { createDatasetService, type DatasetService } from './datasets.ts';
import { createDeviceMemory } from './deviceMemory.ts';
import { createDuplicateService, type DuplicateService } from './duplicates.ts';
import { createExportService, type ExportService } from './exports.ts';
import { createFigureService, type FigureService } from './figures.ts';
import { createFileService, type FileService } from './files.ts';
import { createFocus } from './focus.ts';
import { userFolders, type UserFolders } from './folders.ts';
import { indexRunner } from './indexJob.ts';
import { createIndexingService, type IndexingService } from './indexing.ts';
import { createJobService, type JobService } from './jobs.ts';
import { createModelService, type ModelService } from './models.ts';
import { createPackService, type PackService } from './pack.ts';
import { createPictureService, type PictureService } from './pictures.ts';
import { createProjectionService, type ProjectionService } from './projections.ts';
import { createScoreService, type ScoreService } from './scores.ts';
import { createSettingsService, type SettingsService } from './settings.ts';
import { createTrainingService, type TrainingService } from './training.ts';
import { createWorkspaceService, type WorkspaceService } from './workspaces.ts';

export interface Services {
  readonly inference: InferenceClient;
  readonly workspaces: WorkspaceService;
  readonly packs: PackService;
  readonly files: FileService;
  readonly models: ModelService;
  readonly exports: ExportService;
  readonly datasets: DatasetService;
  readonly indexing: IndexingService;
  readonly duplicates: DuplicateService;
  readonly projections: ProjectionService;
  readonly atlas: AtlasService;
  readonly figures: FigureService;
  readonly pictures: PictureService;
  readonly scores: ScoreService;
  readonly jobs: JobService;
  readonly cropKeeping: CropKeeping;
  readonly settings: SettingsService;
  readonly training: TrainingService;
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
  const inference = createInferenceClient({
    entry: workerEntry,
    memoryBudgetBytes: async () => (await settings.get()).memoryBudgetBytes,
    ...(folders.cache ? { codeCache: join(folders.cache, 'code') } : {}),
    deviceMemory: createDeviceMemory(folders, version),
    ...(log ? { log } : {}),
  });
  const settings = createSettingsService(folders, inference, version);
  const crops = createCropService();
  const focus = createFocus();
  const workspaces = createWorkspaceService({
    folders,
    mode,
    runners: (store) => ({ index: indexRunner(store, inference), atlas: atlasRunner(store, projections, focus) }),
  });
  const cropKeeping = createCropKeeping(workspaces);
  const indexing = createIndexingService(workspaces, inference);
  const projections = createProjectionService(workspaces, inference, crops);
  const scores = createScoreService(workspaces, inference);
  const duplicates = createDuplicateService(workspaces, indexing, scores);
  const pictures = createPictureService(workspaces, projections, crops, focus, duplicates);
  return {
    inference,
    workspaces,
    packs: createPackService(workspaces),
    indexing,
    projections,
    files: createFileService(),
    models: createModelService(inference),
    exports: createExportService(inference),
    datasets: createDatasetService(),
    pictures,
    atlas: createAtlasService(workspaces, projections),
    figures: createFigureService(workspaces, pictures, version),
    scores,
    duplicates,
    jobs: createJobService(workspaces),
    settings,
    training: createTrainingService(inference),
    cropKeeping,
    async close() {
      await cropKeeping.close();
      await workspaces.close();
      await inference.close();
    },
  };
}
