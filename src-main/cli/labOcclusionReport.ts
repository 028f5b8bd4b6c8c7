/** An occlusion sweep as one document that says how it was made, with a list of pictures, here of one: the shape in which other programs write such sweeps. */
import { basename } from 'node:path';
import type { LabNumbers, LabStudyOf } from '../services/labStudy.ts';

type Numbers = Extract<LabNumbers, { readonly kind: 'occlusion' }>;

export function occlusionReport(model: string, image: string, study: LabStudyOf<'occlusion'>, numbers: Numbers) {
  const [before, after] = [Math.floor(study.size / 2), study.size - Math.floor(study.size / 2)];
  return {
    model: basename(model),
    occluder: study.size,
    stride: study.stride,
    colour: numbers.colour,
    positions: `row centres ${numbers.rows.join(',')}, column centres ${numbers.columns.join(',')}; box [c-${before},c+${after}) clipped to the image`,
    class: study.class === undefined ? 'the most probable class of the clean image' : `class ${study.class}`,
    map: study.channel === undefined ? `channel of ${numbers.layer} with the largest total on the clean image` : `channel ${study.channel} of ${numbers.layer}`,
    probability: 'softmax of the class scores',
    images: [
      {
        image,
        class: numbers.class.index,
        cleanProbability: numbers.class.probability,
        channel: numbers.channel,
        cleanTotal: numbers.cleanTotal,
        probability: numbers.probability,
        label: numbers.label,
        total: numbers.total,
      },
    ],
  };
}
