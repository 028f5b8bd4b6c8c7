/** `switchback train`: trains a network on labelled images, or goes on with a training that was stopped. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { trainingRecipe } from '../../src-shared/contract/training.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { TrainingNews, TrainingRequest } from '../services/training.ts';
import { decimal, list, wholeNumber } from './options.ts';
import type { Session } from './session.ts';

interface TrainFlags {
  readonly arch: string;
  readonly images: string;
  readonly labels?: string;
  readonly epochs: number;
  readonly checkpoints?: readonly number[];
  readonly width?: number;
  readonly units?: number;
  readonly input?: number;
  readonly out: string;
  readonly finetune?: boolean;
  readonly crops: boolean;
  readonly flips: boolean;
  /** 0: none. */
  readonly filterRms?: number;
  readonly engine: TrainingRequest['engine'];
  readonly device: TrainingRequest['device'];
  readonly json?: boolean;
  readonly [recipe: string]: unknown;
}

export function trainCommand(session: Session): Command {
  return new Command('train')
    .description('train a network on labelled images; the same command goes on where it was stopped')
    .requiredOption('--arch <zfnet|alexnet|file>', 'architecture by name, or a model file whose weights are drawn anew')
    .requiredOption('--images <folder>', 'folder of images; its folders are the classes unless --labels is given')
    .option('--labels <file.tsv>', 'class of each image: columns file, index, wnid or name')
    .requiredOption('--epochs <n>', 'passes over the training images', wholeNumber(1, 10_000))
    .option('--checkpoints <a,b>', 'epochs after which the network is written; the last always is', (text: string) => list(text).map(wholeNumber(0, 10_000)))
    .option('--width <factor>', 'of zfnet and alexnet: multiplies the channels of every hidden layer', decimal)
    .option('--units <n>', 'of each fully connected hidden layer of zfnet and alexnet (4096 times the width)', wholeNumber(1, 16_384))
    .option('--input <N>', 'edge of the square network input in pixels', wholeNumber(8, 1024))
    .option('--batch <n>', 'images per step (128)', wholeNumber(1, 1024))
    .requiredOption('--out <folder>', 'for checkpoints, the record training.json, and what is needed to go on')
    .option('--finetune', 'keep the weights of the file; replace and train the last layer only')
    .option('--learning-rate <rate>', '(0.01)', decimal)
    .option('--patience <epochs>', 'without a better validation error until the learning rate is divided by 10; 0: never (5)', wholeNumber(0, 1000))
    .option('--momentum <share>', '(0.9)', decimal)
    .option('--weight-decay <share>', '(0)', decimal)
    .option('--dropout <share>', 'of the hidden fully connected units; 0: none (0.5)', decimal)
    .addOption(new Option('--initialisation <which>', 'first weights: deviation 0.01, or by the inputs of a unit, which narrow networks need (paper)').choices(['paper', 'he']))
    .option('--input-deviation <n>', 'with he: deviation of the values that the first layer gets; more gives clearer first filters, too much diverges (4)', decimal)
    .option('--filter-rms <radius|none>', 'filters whose root mean square exceeds it are scaled back to it (0.1)', (text: string) => (text === 'none' ? 0 : decimal(text)))
    .addOption(new Option('--mean <which>', 'what is subtracted (pixel)').choices(['pixel', 'colour', 'none']))
    .option('--validation <share>', 'of the images of each class that only judge (0.2)', decimal)
    .option('--no-crops', 'cut the centre, not at random')
    .option('--no-flips', 'mirror no images')
    .option('--seed <n>', '(1)', wholeNumber(0, 2 ** 31 - 1))
    .addOption(new Option('--engine <engine>').choices(['auto', 'onnxruntime', 'tensorflow']).default('auto'))
    .addOption(new Option('--device <device>').choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']).default('auto'))
    .addOption(new Option('--checkpoint-precision <which>', 'of the weights in checkpoints; float16 halves the files (float32)').choices(['float32', 'float16']))
    .option('--json', 'one JSON object at the end')
    .action(async (flags: TrainFlags) => {
      const run = await session.services().training.train(requestOf(flags), (news) => tell(session, news, flags.json ?? false), session.signal);
      if (flags.json) return session.json({ out: flags.out, ...run });
      session.line(`${flags.out}: ${run.epochs.length} epochs, ${run.parameters} weights, ${run.classes.length} classes, ${run.trainingImages} training and ${run.validationImages} validation images`);
      const last = run.epochs.at(-1);
      if (last?.validationError != null) session.line(`validation error ${percent(last.validationError)}, network ${last.checkpoint ?? ''}`);
    });
}

/** Flags that were not given leave the recipe's own values. */
function requestOf({ arch, images, labels, out, engine, device, width, units, input, crops, flips, filterRms, json: _, ...rest }: TrainFlags): TrainingRequest {
  const isNamed = arch === 'zfnet' || arch === 'alexnet';
  const parsed = trainingRecipe.safeParse({ ...rest, randomCrops: crops, flips, ...(filterRms === undefined ? {} : { filterRms: filterRms || null }) });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    const flag = `--${String(path[0]).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new AppError('BAD_REQUEST', `${flag} ${JSON.stringify(rest[String(path[0])])}: ${message}.`, { flag });
  }
  return {
    architecture: isNamed ? { kind: arch, width: width ?? 1, input: input ?? (arch === 'zfnet' ? 224 : 227), ...(units ? { units } : {}) } : { kind: 'file', path: resolve(arch), ...(input ? { input } : {}) },
    recipe: parsed.data,
    imagesPath: images,
    ...(labels ? { labelsPath: labels } : {}),
    outPath: out,
    engine,
    device,
  };
}

function tell(session: Session, news: TrainingNews, quiet: boolean): void {
  if (news.kind === 'reading') return session.progress(`${news.done} of ${news.of} images read`);
  if (news.kind === 'restarted') return session.note(`Note: ${news.reason} Going on from the last save.`);
  if (news.kind === 'training') {
    const left = news.secondsLeft === null ? '' : `, ${Math.round(news.secondsLeft)} s left`;
    return session.progress(`epoch ${news.epoch} of ${news.epochs}, step ${news.step} of ${news.steps}: loss ${news.loss.toFixed(3)}, error ${percent(news.trainingError)}, ${news.imagesPerSecond.toFixed(1)} images per second${left}`);
  }
  const last = news.run.epochs.at(-1);
  if (!last || quiet) return;
  const judged = last.validationError === null ? '' : `, validation loss ${last.validationLoss!.toFixed(3)}, error ${percent(last.validationError)}`;
  session.line(`epoch ${last.epoch}: loss ${last.loss.toFixed(3)}, error ${percent(last.trainingError)}${judged}, rate ${last.learningRate}, ${last.seconds.toFixed(1)} s${last.checkpoint ? `, ${last.checkpoint}` : ''}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
