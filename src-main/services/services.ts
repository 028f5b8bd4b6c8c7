/** All use cases of one core, put together once; the command line, the RPC router and the media routes use the same ones. */
import { join } from 'node:path';
import { createInferenceClient, type InferenceClient } from '../inference/worker/client.ts';
import { createAboutService, type AboutService } from './about.ts';
import { atlasRunner, createAtlasService, type AtlasService } from './atlasJob.ts';
import { createCompareService, type CompareService } from './compare.ts';
import { createCropKeeping, type CropKeeping } from './cropKeeping.ts';
import { createCropService } from './crops.ts';
import { createDatasetService, type DatasetService } from './datasets.ts';
import { createDeviceMemory } from './deviceMemory.ts';
import { createDiagnosticService, type DiagnosticService } from './diagnostics.ts';
import { createDuplicateService, type DuplicateService } from './duplicates.ts';
import { createEvolutionService, type EvolutionService } from './evolution.ts';
import { createEvolutionFigures, type EvolutionFigureService } from './evolutionFigure.ts';
import { evolutionRunner } from './evolutionJob.ts';
import { experimentRunner, type GrowingNumbers } from './experimentJob.ts';
import { createExperimentService, type ExperimentService } from './experiments.ts';
import { createExportService, type ExportService } from './exports.ts';
import { createFeatureService, featureRunner, type FeatureService } from './features.ts';
import { createFigureService, type FigureService } from './figures.ts';
import { createFileService, type FileService } from './files.ts';
import { createFocus } from './focus.ts';
import { userFolders, type UserFolders } from './folders.ts';
import { indexRunner } from './indexJob.ts';
import { createIndexingService, type IndexingService } from './indexing.ts';
import { createJobService, type JobService } from './jobs.ts';
import { createLabService, type LabService } from './lab.ts';
import { createPictureSource } from './labSubject.ts';
import { createMapColours, type MapColours } from './mapColours.ts';
import { createMapExports, type MapExportService } from './mapExports.ts';
import { mapRunner, type LiveMaps } from './mapJob.ts';
import { createMapService, type MapService } from './maps.ts';
import { createModelService, type ModelService } from './models.ts';
import { neighbourRunner } from './neighbourIndexJob.ts';
import { createNeighbourIndexes, type NeighbourIndexes, type NeighbourLimits } from './neighbourIndexes.ts';
import { createNeighbourService, type NeighbourService } from './neighbours.ts';
import { createNoteService, type NoteService } from './notes.ts';
import { createPackService, type PackService } from './pack.ts';
import { createPictureService, type PictureService } from './pictures.ts';
import { createProjectionService, type ProjectionService } from './projections.ts';
import { createRecentLines } from './recentLines.ts';
import { createSampleService, samplePlace, type SampleService } from './sampleWorkspace.ts';
import { createScoreLayers } from './scoreLayers.ts';
import { createScoreService, type ScoreService } from './scores.ts';
import { createSearchService, type SearchService } from './search.ts';
import { createSettingsService, type SettingsService } from './settings.ts';
import { createSpineService, type SpineService } from './spine.ts';
import { createStorageService, type StorageService } from './storage.ts';
import { createThumbnailService, type ThumbnailService } from './thumbnails.ts';
import { createTrainingService, type TrainingService } from './training.ts';
import { trainingRunner, type RunningTrainings } from './trainingJob.ts';
import { createTrainingRunService, type TrainingRunService } from './trainingRuns.ts';
import { createWeightService, type WeightService } from './weights.ts';
import { createWorkspaceService, type WorkspaceService } from './workspaces.ts';

export interface Services {
  readonly about: AboutService;
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
  readonly spines: SpineService;
  readonly weights: WeightService;
  readonly notes: NoteService;
  readonly search: SearchService;
  readonly compare: CompareService;
  readonly storage: StorageService;
  readonly lab: LabService;
  readonly features: FeatureService;
  readonly neighbours: NeighbourService;
  readonly neighbourIndexes: NeighbourIndexes;
  readonly maps: MapService;
  readonly mapColours: MapColours;
  readonly mapExports: MapExportService;
  readonly thumbnails: ThumbnailService;
  readonly jobs: JobService;
  readonly cropKeeping: CropKeeping;
  readonly settings: SettingsService;
  readonly training: TrainingService;
  readonly diagnostics: DiagnosticService;
  readonly evolution: EvolutionService;
  readonly evolutionFigures: EvolutionFigureService;
  readonly trainingRuns: TrainingRunService;
  readonly experiments: ExperimentService;
  readonly sample: SampleService;
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
  /** Whose work is shipped, as the build lists it. */
  readonly licencesFile?: string;
  /** Checkpoints of the sample network. */
  readonly sampleFolder?: string;
  /** Folders that `files.list` may show, with all below; absent: the whole machine. */
  readonly listingRoots?: readonly string[];
  /** From how many images on neighbours are found by an index. */
  readonly neighbourLimits?: NeighbourLimits;
}

export function createServices({ workerEntry, version, folders = userFolders(), mode = 'write', log, licencesFile, listingRoots, sampleFolder, neighbourLimits }: ServiceOptions): Services {
  const recentLines = createRecentLines();
  const inference = createInferenceClient({
    entry: workerEntry,
    memoryBudgetBytes: async () => (await settings.get()).memoryBudgetBytes,
    ...(folders.cache ? { codeCache: join(folders.cache, 'code') } : {}),
    deviceMemory: createDeviceMemory(folders, version),
    log(line) {
      recentLines.add(line);
      log?.(line);
    },
  });
  const settings = createSettingsService(folders, inference, version);
  const crops = createCropService();
  const focus = createFocus();
  const training = createTrainingService(inference);
  const runningTrainings: RunningTrainings = { current: null };
  const liveMaps: LiveMaps = new Map();
  const growing: GrowingNumbers = new Map();
  const workspaces = createWorkspaceService({
    folders,
    mode,
    runners: (store) => ({ index: indexRunner(store, inference), atlas: atlasRunner(store, projections, focus), evolution: evolutionRunner(store, { inference, indexing, projections }), features: featureRunner(store, inference), neighbours: neighbourRunner(store), map: mapRunner(store, inference, liveMaps), train: trainingRunner(store, training, runningTrainings), experiment: experimentRunner({ store, inference, training }, growing, version) }),
  });
  const cropKeeping = createCropKeeping(workspaces);
  const indexing = createIndexingService(workspaces, inference);
  const projections = createProjectionService(workspaces, inference, crops);
  const scores = createScoreService(workspaces, inference);
  const duplicates = createDuplicateService(workspaces, indexing, scores);
  const pictures = createPictureService(workspaces, projections, crops, focus, duplicates);
  const figures = createFigureService(workspaces, pictures, version);
  const pictureSource = createPictureSource(crops);
  const lab = createLabService(workspaces, inference, crops, figures, version, pictureSource);
  const evolution = createEvolutionService(workspaces, inference);
  const features = createFeatureService(workspaces, inference);
  const neighbourIndexes = createNeighbourIndexes(workspaces, neighbourLimits);
  const maps = createMapService(workspaces, inference, features, liveMaps, version);
  const mapColours = createMapColours(workspaces, inference, createScoreLayers(workspaces));
  const thumbnails = createThumbnailService(workspaces, crops);
  return {
    about: createAboutService(workspaces, settings, { version, licencesFile, recentLines }),
    inference,
    workspaces,
    packs: createPackService(workspaces, inference),
    indexing,
    projections,
    files: createFileService(listingRoots),
    models: createModelService(inference),
    exports: createExportService(inference),
    datasets: createDatasetService(),
    pictures,
    atlas: createAtlasService(workspaces, projections),
    figures,
    lab,
    scores,
    spines: createSpineService(workspaces, inference, folders.cache),
    weights: createWeightService(workspaces, inference),
    duplicates,
    notes: createNoteService(workspaces),
    search: createSearchService(workspaces),
    compare: createCompareService(workspaces),
    storage: createStorageService(workspaces, folders, inference),
    features,
    neighbours: createNeighbourService(workspaces, inference, pictureSource, neighbourIndexes),
    neighbourIndexes,
    maps,
    mapColours,
    thumbnails,
    mapExports: createMapExports(workspaces, maps, mapColours, thumbnails, pictures, figures),
    jobs: createJobService(workspaces),
    settings,
    training,
    trainingRuns: createTrainingRunService(workspaces, runningTrainings),
    sample: createSampleService(samplePlace(sampleFolder ?? folders.data, folders.data), workspaces, indexing, inference),
    experiments: createExperimentService(workspaces, { inference, training }, figures, growing),
    evolution,
    evolutionFigures: createEvolutionFigures(evolution, pictures, figures, version),
    diagnostics: createDiagnosticService({ workspaces, inference, indexing, projections }),
    cropKeeping,
    async close() {
      await lab.close();
      await neighbourIndexes.close();
      await cropKeeping.close();
      await workspaces.close();
      await inference.close();
    },
  };
}
