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
export type IndexRequest = Inputs['indexing']['start'];
export type IndexedLayer = Outputs['indexing']['layers'][number];
export type ChannelSummary = Outputs['indexing']['channels'][number];
export type ChannelDetail = Outputs['indexing']['channel'];
export type ChannelHit = ChannelDetail['hits'][number];
export type RankedImages = Outputs['scores']['top'];
export type SimilarChannels = Outputs['scores']['similar'];
export type ChannelSelectivity = Outputs['scores']['selectivity'];
export type SkippedImage = Outputs['indexing']['skipped'][number];
export type ProjectionNumbers = Outputs['projections']['get'];
export type Job = Outputs['jobs']['list'][number];
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
