/** The words of the paper's experiments (method.md section 9), without schemas, so that a page can have them. */

/** `error`: Table 2. `invariance`: Figure 5. `correspondence`: Table 1. `ablation`: Table 3. `generalise`: Tables 4-6. `features`: Table 7. `evidence`: channels whose scores tell a class apart. */
export const experimentKinds = ['error', 'invariance', 'correspondence', 'evidence', 'features', 'generalise', 'ablation'] as const;
export type ExperimentKind = (typeof experimentKinds)[number];

/** Ways in which an invariance study moves a picture. */
export const transformKinds = ['shift', 'scale', 'rotation'] as const;
export type TransformKind = (typeof transformKinds)[number];

/** `centre`: the crop of the preprocessing. `ten`: its size at the corners and in the centre of the resized picture, each also mirrored; class probabilities are averaged. */
export const cropViews = ['centre', 'ten'] as const;
export type CropView = (typeof cropViews)[number];
