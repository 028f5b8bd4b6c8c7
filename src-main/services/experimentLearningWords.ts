/** What the captions and notes of experiments that learn have in common. */
import type { TrainingRecipe } from '../training/trainNetwork.ts';

/** Parts of the training images that choose C in turn. */
export const penaltyParts = 3;

/** All of a recipe that changes its numbers. */
export function recipeWords(recipe: TrainingRecipe): string {
  const { epochs, batch, learningRate, patience, momentum, weightDecay, dropout, initialisation, inputDeviation, filterRms, randomCrops, flips, mean, validation, seed } = recipe;
  const pictures = [randomCrops ? 'random crops' : 'centre crops', ...(flips ? ['half of them mirrored'] : []), mean === 'none' ? 'nothing subtracted' : `the mean of each ${mean} subtracted`];
  return [
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} in batches of ${batch}`,
    `learning rate ${learningRate}${patience > 0 && validation > 0 ? `, divided by 10 after ${patience} epochs without a better validation error` : ''}`,
    `momentum ${momentum}, weight decay ${weightDecay}, dropout ${dropout}`,
    initialisation === 'he' ? `first weights by He, inputs of deviation ${inputDeviation}` : 'first weights of deviation 0.01',
    filterRms === null ? 'filters not bounded' : `filters bounded to a root mean square of ${filterRms}`,
    pictures.join(', '),
    `${Math.round(1000 * validation) / 10} % for validation`,
    `seed ${seed}`,
  ].join('; ');
}

export function notesOnSkipped(skipped: readonly { readonly image: string; readonly reason: string }[]): readonly string[] {
  if (skipped.length === 0) return [];
  const [{ image, reason }] = skipped as [{ readonly image: string; readonly reason: string }];
  return [`${skipped.length} ${skipped.length === 1 ? 'image was' : 'images were'} left out, the first ${image}: ${reason}`];
}
