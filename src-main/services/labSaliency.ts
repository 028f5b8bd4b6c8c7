/** The studies of where in a picture an answer comes from: saliency by each row of its table, and the object that saliency and colours cut out. */
import { drawMap } from '../lab/drawing.ts';
import { blurred } from '../lab/regularisers.ts';
import { acrossColours, saliencyTable, type SaliencyRow } from '../lab/saliency.ts';
import { segmentationHints } from '../lab/segmentation.ts';
import { quantileOfMagnitude } from '../projection/display.ts';
import { npyBytes } from '../store/npy.ts';
import { colourPicture, inputPicture, logitsOf, predictionOf, requirePicture, resolveTarget, valuesOf, type LabNumbers, type StudyFile, type StudyPicture, type StudyRunner } from './labStudy.ts';

type SaliencyNumbers = Extract<LabNumbers, { readonly kind: 'saliency' }>;

export const saliencyStudy: StudyRunner<'saliency'> = async (context) => {
  const { subject, study, signal, tell } = context;
  const picture = requirePicture(context);
  const { crop: [height, width], order } = subject.network.preprocessing;
  const planes = order === 'grey' ? 1 : 3;
  const hasClasses = study.target.kind === 'class';
  const logits = hasClasses ? await logitsOf(context, picture) : null;
  const target = await resolveTarget(subject, study.target, () => Promise.resolve(logits!));
  const saliencyOrder = { ...study, values: valuesOf(subject, picture), target };
  const rows: SaliencyNumbers['rows'][number][] = [];
  const pictures: StudyPicture[] = [inputPicture(subject, picture)];
  const files: StudyFile[] = [];
  let [samples, value] = [0, 0];
  const numbers = (): SaliencyNumbers => ({ kind: 'saliency', class: target.class === null || !logits ? null : predictionOf(subject, logits, target.class), value, rows: [...rows] });
  const total = study.rows.reduce((sum, row) => sum + ({ gradient: 1, gradientInput: 1, integrated: study.integratedSamples, smooth: study.smoothSamples })[row], 0);
  for (const row of study.rows) {
    const progress = (done: number) => {
      samples += done;
      // The way of the integrated row may be cut finer than was asked for.
      tell({ done: samples, total: Math.max(total, samples), step: row });
    };
    const result = await saliencyTable[row](subject.questions, saliencyOrder, progress, signal);
    const map = acrossColours(result.values, planes);
    value = result.objective;
    const quantile = quantileOfMagnitude(map);
    rows.push({ row, samples: result.samples, completeness: result.completeness, minimum: least(result.values), maximum: largest(result.values), quantile });
    const legend = { map: 'grey' as const, from: 0, to: quantile };
    pictures.push({ name: row, picture: drawMap(map, height, width, legend), legend });
    files.push({ name: `${row}.npy`, bytes: npyBytes(result.values, [planes, height, width]) });
    tell({ done: samples, total: Math.max(total, samples), step: row, numbers: numbers(), pictures: pictures.slice(-1) });
  }
  const details = rows.map(({ row, samples: taken, completeness }) => `${rowWords[row]}${taken > 1 ? ` (${taken} samples${row === 'smooth' ? `, noise ${study.smoothNoise}, seed ${study.seed}` : ''})` : ''}${completeness ? `, complete within ${(100 * completeness.relative).toFixed(2)} %` : ''}`);
  return { numbers: numbers(), pictures, files, caption: `Saliency of ${picture.name} for ${target.words} (value ${Number(value.toPrecision(4))}), largest magnitude over the colours, full contrast at the 99.5 % quantile: ${details.join('; ')}.` };
};

const rowWords: Readonly<Record<SaliencyRow, string>> = {
  gradient: 'gradient',
  gradientInput: 'gradient times input',
  integrated: 'integrated gradients from an input of zeros',
  smooth: 'SmoothGrad',
};

export const segmentStudy: StudyRunner<'segment'> = async (context) => {
  const { inference, subject, study, signal, tell } = context;
  const picture = requirePicture(context);
  const { crop: [height, width], order } = subject.network.preprocessing;
  const logits = study.target.kind === 'class' ? await logitsOf(context, picture) : null;
  const target = await resolveTarget(subject, study.target, () => Promise.resolve(logits!));
  tell({ done: 0, total: 2, step: 'saliency' });
  const { gradient } = await subject.questions.gradients(target, valuesOf(subject, picture), 1, signal);
  const sharp = acrossColours(gradient, order === 'grey' ? 1 : 3);
  const saliency = study.smoothing > 0 ? blurred(sharp, 1, height, width, study.smoothing) : sharp;
  const { hints, thresholds } = segmentationHints(saliency, study.foreground, study.background);
  tell({ done: 1, total: 2, step: 'cut' });
  const mask = await inference.call('cutOut', { pixels: picture.pixels, height, width, hints, iterations: study.iterations }, signal);
  const quantile = quantileOfMagnitude(saliency);
  const legend = { map: 'grey' as const, from: 0, to: quantile };
  const cutout = colourPicture(picture.pixels, [height, width]);
  mask.forEach((value, at) => (cutout.pixels[at * 4 + 3] = value));
  const foregroundShare = mask.reduce((sum, value) => sum + value, 0) / 255 / mask.length;
  return {
    numbers: { kind: 'segment', class: target.class === null || !logits ? null : predictionOf(subject, logits, target.class), foregroundShare, thresholds },
    pictures: [
      inputPicture(subject, picture),
      { name: 'saliency', picture: drawMap(saliency, height, width, legend), legend },
      { name: 'mask', picture: drawMap(mask, height, width, { map: 'grey', from: 0, to: 255 }), legend: null },
      { name: 'cutout', picture: cutout, legend: null },
    ],
    files: [{ name: 'saliency.npy', bytes: npyBytes(saliency, [height, width]) }],
    caption: `Segmentation of ${picture.name}: GrabCut, ${study.iterations} iterations, begun from the saliency for ${target.words}${study.smoothing > 0 ? `, blurred by ${study.smoothing} pixels` : ''}: foreground above its ${study.foreground} quantile, background below its ${study.background}; ${(100 * foregroundShare).toFixed(1)} % foreground.`,
  };
};

function least(values: Float32Array): number {
  return values.reduce((low, value) => Math.min(low, value), Infinity);
}

function largest(values: Float32Array): number {
  return values.reduce((high, value) => Math.max(high, value), -Infinity);
}
