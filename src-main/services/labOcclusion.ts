/** The study of what hiding parts of a picture does: the four panels of Zeiler & Fergus 2013, Figure 7, from one sweep. */
import { AppError } from '../../src-shared/errors.ts';
import { drawLabels, drawMap, type MapScale } from '../lab/drawing.ts';
import { fillColour } from '../lab/greyLevels.ts';
import { sweepOcclusion, type OcclusionMaps } from '../lab/occlusion.ts';
import { placeOfLargest } from '../lab/question.ts';
import { requireClasses } from './labSubject.ts';
import { checkClass, classWords, inputPicture, nameOf, predictionOf, requirePicture, type LabNumbers, type StudyPicture, type StudyRunner } from './labStudy.ts';
import { checkChannelOf, drawUnit, mapsOf, projectUnit, summarize } from './labUnits.ts';

type OcclusionNumbers = Extract<LabNumbers, { readonly kind: 'occlusion' }>;

export const occlusionStudy: StudyRunner<'occlusion'> = async (context) => {
  const { inference, subject, study, signal, tell } = context;
  const picture = requirePicture(context);
  requireClasses(subject.description.classifier);
  const { crop } = subject.network.preprocessing;
  const [height, width] = crop;
  const wish = study.layer ?? subject.description.lastConvolution;
  if (wish === null) throw new AppError('UNSUPPORTED', 'The network has no convolution before its class scores whose map could be watched. Name a layer.');
  const layer = await subject.layer(wish);
  tell({ done: 0, total: 0, step: 'clean picture' });
  const clean = await subject.questions.look({ kind: 'pixels', pixels: picture.pixels, count: 1 }, layer.name, signal);
  const index = study.class ?? placeOfLargest(clean.logits!);
  checkClass(subject, index);
  const channel = study.channel ?? placeOfLargest(clean.totals!);
  checkChannelOf(layer, channel);
  const colour = study.colour ?? (await fillColour(subject.network.preprocessing, () => Promise.resolve([picture.pixels])));
  const known = {
    kind: 'occlusion' as const,
    class: predictionOf(subject, clean.logits!, index),
    layer: layer.name,
    layerInIndex: subject.numberInIndex(layer.name),
    channel,
    cleanTotal: clean.totals![channel]!,
    colour,
  };
  const numbersOf = (maps: OcclusionMaps, unit: OcclusionNumbers['unit'] = null): LabNumbers => {
    const labels = [...new Set(maps.label.flat().filter((label) => label !== null))].sort((a, b) => a - b);
    const copy = (grid: readonly (readonly (number | null)[])[]) => grid.map((row) => [...row]);
    return { ...known, unit, rows: maps.rows, columns: maps.columns, probability: copy(maps.probability), label: copy(maps.label), total: copy(maps.total), labels: labels.map((label) => ({ index: label, name: nameOf(subject, label).name })) };
  };
  const order = { pixels: picture.pixels, height, width, size: study.size, stride: study.stride, colour, class: index, layer: layer.name, channel };
  const maps = await sweepOcclusion(subject.questions, order, (soFar, done, total) => tell({ done, total, step: 'positions', numbers: numbersOf(soFar) }), signal);

  // Only now, so that nothing else has to be compiled before the first map is seen.
  const strongest = summarize(await mapsOf(inference, subject, picture, layer, signal), layer)[channel]!;
  const projection = await projectUnit(inference, subject, picture, { layer, channel, y: strongest.y, x: strongest.x }, { method: 'deconvnet', seed: 'one', control: 'none' }, signal).catch((error: unknown) => {
    // A layer without a way down has its maps all the same.
    if (error instanceof AppError && error.code === 'UNSUPPORTED') return null;
    throw error;
  });
  const size = [maps.rows.length, maps.columns.length] as const;
  const drawn = (name: string, grid: readonly (readonly (number | null)[])[], scale: MapScale): StudyPicture => ({ name, picture: drawMap(grid.flat(), ...size, scale), legend: scale });
  const totals = maps.total.flat().map((total) => total!);
  const pictures: StudyPicture[] = [
    inputPicture(subject, picture),
    drawn('total', maps.total, { map: 'heat', from: Math.min(0, ...totals), to: Math.max(...totals) }),
    ...(projection ? [{ name: 'projection', picture: drawUnit(subject, layer, projection, 'quantile', 'input'), legend: { map: 'grey' as const, from: -projection.record.quantile, to: projection.record.quantile } }] : []),
    drawn('probability', maps.probability, { map: 'heat', from: 0, to: 1 }),
    { name: 'label', picture: drawLabels(maps.label.flat(), ...size), legend: null },
  ];
  const centres = `centres at rows ${maps.rows[0]}, ${study.stride} apart, to ${maps.rows.at(-1)} and columns to ${maps.columns.at(-1)}, boxes clipped to the picture`;
  const caption =
    `Occlusion of ${picture.name} by a square of ${study.size} pixels, colour ${colour.join(', ')}, ${centres}: total of channel ${channel} of ${layer.title} (${layer.name}), ${number(known.cleanTotal)} on the clean picture; ` +
    `${projection ? `its strongest unit (row ${strongest.y}, column ${strongest.x}) projected by deconvnet; ` : ''}probability of class ${classWords(subject, index)}, ${number(known.class.probability)} on the clean picture; most probable class.`;
  return { numbers: numbersOf(maps, { y: strongest.y, x: strongest.x, activation: strongest.max }), pictures, files: [], caption };
};

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
