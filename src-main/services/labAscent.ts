/** The studies that move a picture along a gradient: what a target answers to most strongly, and how little makes the network see another class. */
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import { normalizePixels } from '../dataset/normalize.ts';
import { changeToClass, defaultRates } from '../lab/adversarial.ts';
import { ascend, ascentStart, type AscentStep, type Regularisers } from '../lab/ascent.ts';
import { differenceFactor, drawDifference } from '../lab/drawing.ts';
import { distances, fillColour, greyLevels, subtractsMean, type GreyLevels } from '../lab/greyLevels.ts';
import { placeOfLargest } from '../lab/question.ts';
import { npyBytes } from '../store/npy.ts';
import { checkClass, classWords, colourPicture, inputPicture, logitsOf, nameOf, predictionOf, requirePicture, resolveTarget, valuesOf, type LabNumbers, type StudyPicture, type StudyRunner } from './labStudy.ts';
import type { SeenPicture } from './labSubject.ts';

export const ascentStudy: StudyRunner<'ascend'> = async (context) => {
  const { subject, study, picture, signal, tell } = context;
  const { preprocessing } = subject.network;
  const [height, width] = preprocessing.crop;
  const { space, words: middleWords } = await ascentSpace(preprocessing, picture);
  const target = await resolveTarget(subject, study.target, () => {
    if (!picture) throw new AppError('BAD_REQUEST', 'Which class? Name one, or begin from a picture whose class is meant.');
    return logitsOf(context, picture);
  });
  const start = study.start === 'picture' ? space.toLevels(valuesOf(subject, requirePicture(context))) : ascentStart(space, height * width, study.start === 'noise' ? { seed: study.seed } : null);
  const steps: AscentStep[] = [];
  const frames: { readonly step: number; readonly objective: number; readonly score: number }[] = [];
  const numbers = (): LabNumbers => ({
    kind: 'ascend',
    class: target.class === null ? null : { index: target.class, name: nameOf(subject, target.class).name },
    objective: steps.map(({ objective }) => objective),
    score: steps.map(({ score }) => score),
    halvings: steps.at(-1)?.halvings ?? 0,
    frames: [...frames],
  });
  const pictureOf = (name: string, levels: Float32Array): StudyPicture => ({ name, picture: colourPicture(space.toPixels(levels), [height, width]), legend: null });
  const pictures: StudyPicture[] = study.start === 'picture' ? [inputPicture(subject, requirePicture(context))] : [];
  const last = await ascend(
    subject.questions,
    space,
    { ...study, target: { layer: target.layer, objective: target.objective, beneath: target.canBeBeneath }, start, height, width },
    (step) => {
      const { levels, ...told } = step;
      steps.push({ ...step, levels: new Float32Array(0) });
      const isKept = step.step % study.keepEvery === 0;
      const frame = isKept ? [pictureOf(`frame-${step.step}`, levels)] : [];
      pictures.push(...frame);
      if (isKept) frames.push({ step: told.step, objective: told.objective, score: told.score });
      tell({ done: step.step, total: study.steps, step: 'steps', numbers: numbers(), pictures: [...frame, ...(step.step % showEvery === 0 ? [pictureOf('last', levels)] : [])] });
    },
    signal,
  );
  const [first, end] = [steps[0]!, steps.at(-1)!];
  const caption =
    `Gradient ascent of ${target.words}${target.canBeBeneath ? ', before its own rectifier,' : ''} from ${startWords(study, middleWords, picture?.name)}: ${end.step} steps, the first of ${study.rate} grey levels (root mean square), ${end.halvings} halvings, ` +
    `values ${study.bounded ? 'kept within' : 'free of'} what a picture can hold; ${regulariserWords(study.regularisers)}. Objective ${short(first.objective)} to ${short(end.objective)}, score ${short(first.score)} to ${short(end.score)}.`;
  const files = [{ name: 'last.npy', bytes: npyBytes(space.toValues(last.levels), [space.planes, height, width]) }];
  return { numbers: numbers(), pictures: [...pictures, pictureOf('last', last.levels)], files, caption };
};

/** Steps between two pictures of how it is going. */
const showEvery = 2;

function startWords({ start, seed }: { readonly start: 'mean' | 'noise' | 'picture'; readonly seed: number }, middle: string, picture = 'a picture'): string {
  if (start === 'picture') return picture;
  return start === 'mean' ? middle : `${middle} with noise (seed ${seed})`;
}

/**
 * Grey levels around the colour that an ascent begins with and clears pixels to: the mean that the preprocessing subtracts, or where it subtracts none (a network may do so itself, and black would
 * be no mean) that of the picture, and without one medium grey.
 */
async function ascentSpace(preprocessing: Preprocessing, picture: Pick<SeenPicture, 'pixels' | 'name'> | null): Promise<{ readonly space: GreyLevels; readonly words: string }> {
  const space = greyLevels(preprocessing);
  if (subtractsMean(preprocessing)) return { space, words: 'the mean colour' };
  const colour = await fillColour(preprocessing, () => Promise.resolve([picture?.pixels ?? Uint8Array.of(128, 128, 128)]));
  const middle = normalizePixels(Uint8Array.from(colour), { order: preprocessing.order, crop: [1, 1], scale: 1, mean: [0], std: [1] }, 1);
  return { space: { ...space, middle: [...middle] }, words: picture ? `the mean colour of ${picture.name}` : 'medium grey' };
}

function regulariserWords({ decay, blur, smallNorm, smallContribution, jitter }: Regularisers): string {
  const words = [
    decay && `decay ${decay.weight}`,
    blur && `blur of ${blur.radius} pixels every ${blur.every} steps`,
    smallNorm && `pixels below the ${smallNorm.quantile} quantile of norms cleared every ${smallNorm.every} steps`,
    smallContribution && `those below the ${smallContribution.quantile} quantile of contributions every ${smallContribution.every} steps`,
    jitter && `jitter of ${jitter.pixels} pixels`,
  ].filter((each) => each !== undefined);
  return words.length === 0 ? 'no regularisers' : words.join(', ');
}

type AdversarialNumbers = Extract<LabNumbers, { readonly kind: 'adversarial' }>;

export const adversarialStudy: StudyRunner<'adversarial'> = async (context) => {
  const { subject, study, signal, tell } = context;
  const picture = requirePicture(context);
  checkClass(subject, study.target);
  const { preprocessing } = subject.network;
  const { crop } = preprocessing;
  const space = greyLevels(preprocessing);
  const steps: { readonly target: number; readonly source: number }[] = [];
  const rate = study.rate ?? defaultRates[study.way];
  const order = { pixels: picture.pixels, preprocessing, target: study.target, way: study.way, bound: study.bound, rate, steps: study.steps };
  let clean: Float32Array | null = null;
  const known = (logits: Float32Array, pixels: Uint8Array): AdversarialNumbers => ({
    kind: 'adversarial',
    clean: predictionOf(subject, clean!, placeOfLargest(clean!)),
    changed: predictionOf(subject, logits, placeOfLargest(logits)),
    png: null,
    target: { index: study.target, name: nameOf(subject, study.target).name },
    reached: placeOfLargest(logits) === study.target,
    pngReached: false,
    steps: [...steps],
    float: null,
    eightBit: null,
    factor: differenceFactor(picture.pixels, pixels),
  });
  const picturesOf = (pixels: Uint8Array, factor: number): readonly StudyPicture[] => [
    { name: 'changed', picture: colourPicture(pixels, crop), legend: null },
    { name: 'difference', picture: colourPicture(drawDifference(picture.pixels, pixels, factor), crop), legend: null },
  ];
  const cleanPicture = { ...inputPicture(subject, picture), name: 'clean' };
  const result = await changeToClass(
    subject.questions,
    space,
    valuesOf(subject, picture),
    order,
    ({ step, target, source, levels, logits: told }) => {
      clean ??= told;
      steps.push({ target, source });
      const pixels = space.toPixels(levels);
      const numbers = known(told, pixels);
      tell({ done: step, total: study.steps, step: `probability of the target ${target.toFixed(3)}`, numbers, pictures: [...(step === 0 ? [cleanPicture] : []), ...(step % showEvery === 0 ? picturesOf(pixels, numbers.factor) : [])] });
    },
    signal,
  );
  const { logits, changed, pixels } = result;
  const rounded = space.toLevels(valuesOf(subject, { ...picture, pixels }));
  const png = predictionOf(subject, logits.pixels, placeOfLargest(logits.pixels));
  const float = distances(changed, result.clean);
  const eightBit = distances(rounded, result.clean);
  const numbers: AdversarialNumbers = { ...known(logits.changed, pixels), png, pngReached: png.index === study.target, float, eightBit };
  const { factor } = numbers;
  return {
    numbers,
    pictures: [cleanPicture, ...picturesOf(pixels, factor)],
    files: [{ name: 'changed.npy', bytes: npyBytes(space.toValues(changed), [space.planes, ...crop]) }],
    caption:
      `${picture.name}, seen as ${classWords(subject, numbers.clean.index)} (${percent(numbers.clean.probability)}), changed towards class ${classWords(subject, study.target)} by ${wayWords[study.way]} in ${steps.length - 1} steps: seen as ${classWords(subject, numbers.changed.index)} (${percent(numbers.changed.probability)}), ` +
      `rounded to 8 bit, at the size of the network's input, as ${classWords(subject, png.index)} (${percent(png.probability)}). Change in grey levels: L2 ${short(float.l2)}, largest ${short(float.linf)}; of the rounded picture ${short(eightBit.l2)} and ${short(eightBit.linf)}. The difference is magnified ${factor} times.`,
  };
};

const wayWords = { steepest: 'steps along the gradient', fgsm: 'the fast gradient sign method', iterative: 'the iterative fast gradient sign method' } as const;

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
