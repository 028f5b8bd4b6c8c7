/** Names for what the contract's procedures take and give, inferred from it so that they cannot drift. */
import type { InferContractRouterInputs, InferContractRouterOutputs } from '@orpc/contract';
import type { contract } from '../../src-shared/contract/contract.ts';

type Inputs = InferContractRouterInputs<typeof contract>;
type Outputs = InferContractRouterOutputs<typeof contract>;

export type Workspace = NonNullable<Outputs['workspaces']['current']>;
export type RecentWorkspace = Outputs['workspaces']['recent'][number];
export type Folder = Outputs['files']['list'];
export type FileEntry = Folder['entries'][number];
export type ImportReport = Outputs['models']['inspect'];
export type DrawnNetwork = Outputs['models']['draw'];
export type ReportedLayer = ImportReport['layers'][number];
export type ReportedOperator = ImportReport['operators'][number];
export type EditablePreprocessing = ImportReport['preprocessing'];
export type InputPreview = Outputs['models']['preview'];
export type ScannedFolder = Outputs['datasets']['scan'];
export type IndexRecord = Outputs['indexing']['list'][number];
export type MatrixPrecision = IndexRecord['matrix'];
export type IndexEstimate = Outputs['indexing']['estimate'];
export type RescanReport = Outputs['indexing']['rescan'];
export type KeptPictures = Outputs['projections']['kept'];
export type Figure = Outputs['figures']['make'];
export type FigureFormat = Figure['format'];
export type PackReport = Outputs['workspaces']['pack'];
export type PackSizes = Outputs['workspaces']['packSizes'];
export type IndexRequest = Inputs['indexing']['start'];
export type IndexedLayer = Outputs['indexing']['layers'][number];
export type ChannelSummary = Outputs['indexing']['channels'][number];
export type ChannelDetail = Outputs['indexing']['channel'];
export type ChannelHit = ChannelDetail['hits'][number];
export type RankedImages = Outputs['scores']['top'];
export type ExcitedChannels = Outputs['scores']['excited'];
export type SimilarChannels = Outputs['scores']['similar'];
export type ChannelSelectivity = Outputs['scores']['selectivity'];
export type DrawnSpine = Outputs['indexing']['spine'];
export type SpineRow = DrawnSpine['rows'][number];
export type LayerSelectivity = Outputs['scores']['layerSelectivity'];
export type FeedingChannels = Outputs['weights']['feeding'];
export type FilterSheet = Outputs['diagnostics']['filters'];
export type SkippedImage = Outputs['indexing']['skipped'][number];
export type ProjectionNumbers = Outputs['projections']['get'];
export type TrainingStart = Inputs['training']['start'];
export type TrainingRecipe = TrainingEntry['recipe'];
export type TrainingEntry = Outputs['training']['run'];
export type TrainingEstimate = Outputs['training']['estimate'];
export type CheckpointSource = Inputs['evolution']['inspect']['source'];
export type CheckpointReport = Outputs['evolution']['inspect'];
export type SeriesSummary = Outputs['evolution']['series'][number];
export type EvolutionSeries = Outputs['evolution']['get'];
export type LayerMovement = NonNullable<EvolutionSeries['movement']>[number];
export type EvolutionRow = Outputs['evolution']['rows'][number];
export type EvolutionCell = EvolutionRow['cells'][number];
export type DiagnosedModel = Inputs['diagnostics']['model']['model'];
export type DiagnosticReport = Outputs['diagnostics']['model'];
export type DiagnosticComparison = Outputs['diagnostics']['compare'];
export type DiagnosticMeasure = DiagnosticReport['measures'][number];
export type SampleStatus = Outputs['sample']['status'];
export type Job = Outputs['jobs']['list'][number];
export type Note = Outputs['notes']['get'];
export type NotePlace = Inputs['notes']['get']['place'];
export type ChannelMark = Outputs['notes']['ofLayer'][number];
export type CountedTag = Outputs['notes']['tags'][number];
export type NotesDocument = Inputs['notes']['import']['document'];
export type NotesImport = Outputs['notes']['import'];
export type SearchAnswer = Outputs['search']['find'];
export type Comparison = Outputs['compare']['channels'];
export type ComparedChannels = Extract<Comparison, { kind: 'compared' }>;
export type BestPartner = ComparedChannels['left'][number];
export type Partners = Outputs['compare']['partners'];
export type Differences = Outputs['compare']['differences'];
export type ImageDifference = Differences['leftMore'][number];
export type LabSubject = Outputs['lab']['layers'];
export type LabLayer = LabSubject['layers'][number];
export type LabActivations = Outputs['lab']['activations'];
export type LabPredictions = Outputs['lab']['predict'];
export type LabPrediction = LabPredictions['predictions'][number];
export type LabProjection = Outputs['lab']['project'];
export type LabClass = Outputs['lab']['classes'][number];
export type LabStudyWish = Inputs['lab']['start']['study'];
export type LabTarget = NonNullable<Extract<LabStudyWish, { kind: 'saliency' }>['target']>;
export type LabResult = Awaited<Outputs['lab']['get']>;
export type LabStudy = LabResult['study'];
export type LabStudyKind = LabStudy['kind'];
export type LabNumbers = NonNullable<LabResult['numbers']>;
export type LabResultPicture = LabResult['pictures'][number];
export type LabSummary = Outputs['lab']['list'][number];
export type ExperimentWish = Inputs['experiments']['start']['spec'];
export type ExperimentSummary = Outputs['experiments']['list'][number];
export type ExperimentResult = Awaited<Outputs['experiments']['get']>;
/** Whole: what was left out is filled in. */
export type ExperimentSpec = ExperimentResult['spec'];
export type SpecOf<K extends ExperimentSpec['kind']> = Extract<ExperimentSpec, { kind: K }>;
export type ExperimentNumbers = NonNullable<ExperimentResult['numbers']>;
export type NumbersOf<K extends ExperimentNumbers['kind']> = Extract<ExperimentNumbers, { kind: K }>;
export type MarkedPart = Outputs['experiments']['parts']['list'][number];
export type MapSpec = Inputs['map']['start'];
export type MapRecord = Outputs['map']['get'];
export type MapPoint = Outputs['map']['points'][number];
export type ColourLegend = Outputs['map']['colours'];
export type ExcitedByChosen = Outputs['map']['excited'];
export type NeighboursAnswer = Outputs['map']['neighbours'];
export type FeatureRecord = Outputs['map']['features'][number];
export type ImageNeighbour = NeighboursAnswer['features'][number];
export type FeatureEstimate = Outputs['map']['estimate'];
export type MapExport = Outputs['map']['export'];
export type KeptStorage = Outputs['settings']['storage'];
export type CacheKind = KeptStorage['caches'][number]['kind'];
export type SettingsRecord = Outputs['settings']['get'];
export type DoctorReport = Outputs['settings']['doctor'];

/** One message of indexing.watch. */
export interface IndexProgress {
  readonly indexed: number;
  readonly images: number;
  readonly skipped: number;
  readonly state: IndexRecord['state'];
  readonly running: boolean;
}

/** What a running training does right now, as training.watch tells it. */
export type TrainingLive =
  | { readonly kind: 'reading'; readonly done: number; readonly of: number }
  | { readonly kind: 'training'; readonly epoch: number; readonly epochs: number; readonly step: number; readonly steps: number; readonly loss: number; readonly trainingError: number; readonly learningRate: number; readonly imagesPerSecond: number; readonly secondsLeft: number | null };
