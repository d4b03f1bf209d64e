/**
 * Defacing by an atlas, after Bischoff-Grethe et al. (mri_deface; Human Brain Mapping 2007): what lies where the atlas
 * has face, and may not be brain, is blanked. The brain of the atlas, 7 mm wider, is spared; in the 7 mm after that a
 * voxel is spared that looks like grey or white matter.
 *
 * What differs from the original: the atlas is the mean of 113 registered heads, fitted by an affine registration of
 * intensities instead of class likelihoods; its face is a region drawn by geometry instead of labels; the classes come
 * from three means of this image's brain voxels; brain voxels are never altered. The ears stay, as there.
 *
 * @example
 * const { altered } = await deface.alter(head, context);
 */
import type { Head } from '../../brain/head.js';
import { resampleLinear } from '../../volume/resample.js';
import { valuesInside } from '../../volume/statistics.js';
import { movedBy } from '../../volume/volume.js';
import type { Alteration, MethodContext, RemovalMethod } from '../method.js';
import { AVERAGE_HEAD_MODEL, alignAverageHead } from '../registration/average-head.js';
import { brainDistance, inFace, voxelsWhere } from '../registration/face-region.js';
import { type TissueClass, tissueClasses } from './tissue.js';

/** Both the margin of the brain and the width of the shell, in mm: the original's default. */
export const RADIUS_MM = 7;
/** Standard deviations from the mean of grey or of white matter within which a voxel of the shell is spared. */
const MAX_MAHALANOBIS = 2;

export const deface: RemovalMethod = {
  kind: 'remove',
  name: 'deface',
  reference:
    'Bischoff-Grethe et al., A technique for the deidentification of structural brain MR images, Human Brain Mapping 2007',
  models: [AVERAGE_HEAD_MODEL],
  contrast: 't1w',
  async alter(head: Head, context: MethodContext): Promise<Alteration> {
    const { toWorld } = await alignAverageHead(head, context);
    const { grid, data } = head.volume;
    const face = voxelsWhere(grid, toWorld, inFace);
    // Beyond the atlas' own grid there is no brain either.
    const distance = resampleLinear(movedBy(brainDistance(), toWorld), grid, { outside: 1000, only: face });
    const classes = tissueClasses(valuesInside(data, head.brainMask.data));
    const altered = new Uint8Array(data.length);
    const values = data.slice();
    for (let v = 0; v < altered.length; v++) {
      if (face[v] === 0 || head.brainMask.data[v] === 1) continue;
      const mm = distance[v] as number;
      if (mm <= RADIUS_MM) continue;
      if (mm <= 2 * RADIUS_MM && likeTissue(data[v] as number, classes)) continue;
      altered[v] = 1;
      values[v] = 0;
    }
    return { values: { grid, data: values }, altered: { grid, data: altered } };
  },
};

function likeTissue(value: number, classes: readonly TissueClass[]): boolean {
  return classes.some(({ mean, deviation }) => Math.abs(value - mean) <= MAX_MAHALANOBIS * deviation);
}
