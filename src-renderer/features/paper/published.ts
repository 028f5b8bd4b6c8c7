/** The tables that the paper printed, as rows of words beside a person's own. Pure; `t` gives the names. */
import { publishedAblation, publishedCorrespondence, publishedErrors, publishedFeatures, publishedGeneralisation, publishedPascal, type Published } from '../../../src-shared/domain/publishedNumbers.ts';

export interface PrintedTable {
  /** Key of `paper.printed`: what it was measured on. */
  readonly on: string;
  readonly columns: readonly string[];
  /** The name of the row, then a word for each column. */
  readonly rows: readonly (readonly string[])[];
}

/** vue-i18n's, with the number that chooses between one and many. */
type Translate = (key: string, values?: Record<string, string | number>, number?: number) => string;
export type PrintedStudy = 'correspondence' | 'error' | 'ablation' | 'generalise' | 'features';

export function printedTables(study: PrintedStudy, t: Translate): readonly PrintedTable[] {
  return { correspondence, error, ablation, generalise, features }[study](t);
}

function correspondence(t: Translate): readonly PrintedTable[] {
  const rows = publishedCorrespondence.map(({ part, layer5, layer7 }) => [t(`paper.part.${part}`), measured(layer5, 3), measured(layer7, 3)]);
  return [{ on: 'dogs', columns: [t('paper.layer', { n: 5 }), t('paper.layer', { n: 7 })], rows }];
}

function error(t: Translate): readonly PrintedTable[] {
  const rows = publishedErrors.map(({ who, networks, validation1, validation5, test5 }) => [
    networks === null ? t(`paper.who.${who}`) : t('paper.networks', { who: t(`paper.who.${who}`), n: networks }, networks),
    percent(validation1), percent(validation5), percent(test5),
  ]);
  return [{ on: 'imagenet', columns: [t('experiments.ablation.validation1'), t('experiments.ablation.validation5'), t('paper.test5')], rows }];
}

function ablation(t: Translate): readonly PrintedTable[] {
  const columns = [t('experiments.ablation.training1'), t('experiments.ablation.validation1'), t('experiments.ablation.validation5')];
  return (['krizhevsky', 'paper'] as const).map((network) => ({
    on: `imagenet-${network}`,
    columns,
    rows: publishedAblation.filter((row) => row.network === network).map((row) => [t(`paper.change.${row.change}`), percent(row.training1), percent(row.validation1), percent(row.validation5)]),
  }));
}

function generalise(t: Translate): readonly PrintedTable[] {
  const caltech = (['caltech101', 'caltech256'] as const).map((name) => {
    const { perClass, scratch, fixed } = publishedGeneralisation[name];
    return {
      on: name,
      columns: perClass.map((n) => t('experiments.generalise.perClass', { n })),
      rows: [[t('paper.fromScratch'), ...scratch.map((each) => measured(each, 1))], [t('paper.pretrained'), ...fixed.map((each) => measured(each, 1))]],
    };
  });
  return [...caltech, { on: 'pascal', columns: [t('paper.meanPrecision')], rows: [[t('paper.sande'), percent(publishedPascal.first)], [t('paper.yan'), percent(publishedPascal.second)], [t('paper.pretrained'), percent(publishedPascal.paper)]] }];
}

function features(t: Translate): readonly PrintedTable[] {
  const rows = publishedFeatures.map(({ classifier, layer, caltech101, caltech256 }) => [`${t(`experiments.classifier.${classifier}`)} (${layer})`, measured(caltech101, 1), measured(caltech256, 1)]);
  return [{ on: 'caltech', columns: [t('paper.caltech101'), t('paper.caltech256')], rows }];
}

function measured({ mean, deviation }: Published, digits: number): string {
  return deviation === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}

function percent(value: number | null): string {
  return value === null ? '–' : value.toFixed(1);
}
