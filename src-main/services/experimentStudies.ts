/** Every experiment by its kind. */
import type { ExperimentKind } from '../../src-shared/domain/experiments.ts';
import { ablationStudy } from './experimentAblation.ts';
import { correspondenceStudy } from './experimentCorrespondence.ts';
import { errorStudy } from './experimentErrors.ts';
import { evidenceStudy } from './experimentEvidence.ts';
import { featuresStudy } from './experimentFeatures.ts';
import { generaliseStudy } from './experimentGeneralise.ts';
import { invarianceStudy } from './experimentInvariance.ts';
import type { ExperimentStudy } from './experimentStudy.ts';

export const experimentStudies: { readonly [K in ExperimentKind]: ExperimentStudy<K> } = {
  error: errorStudy,
  invariance: invarianceStudy,
  correspondence: correspondenceStudy,
  evidence: evidenceStudy,
  features: featuresStudy,
  generalise: generaliseStudy,
  ablation: ablationStudy,
};
