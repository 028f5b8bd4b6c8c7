/** How the strongest image of a channel changes from epoch to epoch (the paper's Figure 4: sudden jumps in appearance come from a change of the strongest image). */

export type ImageChange = 'first' | 'same' | 'other' | 'sudden';

/** Strongest images that count as known to a channel: the paper's top nine. */
export const rememberedImages = 9;

/**
 * One answer per epoch; null where it has no image. Each epoch is compared with the nearest earlier one that has images: `same` where the strongest image is the same; `other` where another one that was among
 * its nine strongest took its place; `sudden` where it was not even among them, so that the channel turned to something else. `first`: nothing to compare with.
 * @param epochs the images of each epoch, strongest first
 */
export function imageChanges(epochs: readonly (readonly string[])[]): readonly (ImageChange | null)[] {
  let before: readonly string[] | null = null;
  return epochs.map((images) => {
    const [strongest] = images;
    if (strongest === undefined) return null;
    const change: ImageChange = before === null ? 'first' : before[0] === strongest ? 'same' : before.slice(0, rememberedImages).includes(strongest) ? 'other' : 'sudden';
    before = images;
    return change;
  });
}
