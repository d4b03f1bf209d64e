/**
 * The average face: face and ears of the group average take the place of the subject's, in the subject's intensities,
 * as in mri_reface (Schwarz et al., NeuroImage 2021) and AFNI's refacer (afni_refacer_run, mode reface).
 *
 * What differs from the originals: the average is the mean of 113 registered heads of this project, laid on by an affine
 * registration (12 degrees of freedom) alone, where mri_reface adds a deformation; intensities are matched by one factor, the
 * ratio of the medians of tissue in the region; air before the average face becomes zero; brain voxels are never
 * altered. As in AFNI the replaced region is blurred by a FWHM of 2.7 mm.
 *
 * @example
 * const { values } = await averageFace.alter(head, context);
 */
import type { Head } from '../../brain/head.js';
import { resampleLinear } from '../../volume/resample.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import { quantile } from '../../volume/statistics.js';
import { movedBy } from '../../volume/volume.js';
import type { Alteration, MethodContext, RemovalMethod } from '../method.js';
import { AVERAGE_HEAD_MODEL, alignAverageHead } from '../registration/average-head.js';
import { brainDistance, inEar, inFace, voxelsWhere } from '../registration/face-region.js';

/** Nearer to the average brain nothing is replaced. */
const BRAIN_MARGIN_MM = 8;
/** AFNI's 2.666 mm as a standard deviation. */
const BLUR_SIGMA_MM = 2.666 / 2.3548;
/** In brain levels: tissue, for the match of intensities. */
const TISSUE = 0.25;

export const averageFace: RemovalMethod = {
  kind: 'remove',
  name: 'average-face',
  reference:
    'Schwarz et al., Changing the face of neuroimaging research: comparing a new MRI de-facing technique with popular alternatives, NeuroImage 2021',
  models: [AVERAGE_HEAD_MODEL],
  contrast: 't1w',
  async alter(head: Head, context: MethodContext): Promise<Alteration> {
    const { template, toWorld } = await alignAverageHead(head, context);
    const { grid, data } = head.volume;
    const region = voxelsWhere(grid, toWorld, (x, y, z) => inFace(x, y, z) || inEar(x, y, z));
    const distance = resampleLinear(movedBy(brainDistance(), toWorld), grid, {
      outside: 1000,
      only: region,
    });
    for (let v = 0; v < region.length; v++)
      if (head.brainMask.data[v] === 1 || (distance[v] as number) < BRAIN_MARGIN_MM) region[v] = 0;
    const average = resampleLinear(movedBy(template, toWorld), grid, { only: region });
    const factor = intensityFactor(data, average, region, head.brainLevel);
    const composite = data.slice();
    for (let v = 0; v < region.length; v++)
      if (region[v] === 1) composite[v] = (average[v] as number) * factor;
    const blurred = gaussianSmooth({ grid, data: composite }, BLUR_SIGMA_MM).data;
    for (let v = 0; v < region.length; v++) if (region[v] === 1) composite[v] = blurred[v] as number;
    return { values: { grid, data: composite }, altered: { grid, data: region } };
  },
};

/** Median of the subject's tissue in the region over that of the average's. */
function intensityFactor(
  data: Float32Array,
  average: Float32Array,
  region: Uint8Array,
  brainLevel: number,
): number {
  const own: number[] = [];
  const other: number[] = [];
  for (let v = 0; v < region.length; v++) {
    if (region[v] === 0) continue;
    const [a, b] = [data[v] as number, average[v] as number];
    if (a > TISSUE * brainLevel) own.push(a);
    if (b > TISSUE) other.push(b);
  }
  const ratio = quantile(Float32Array.from(own), 0.5) / quantile(Float32Array.from(other), 0.5);
  // No tissue of the face in the scan: the average's own ratio of face to brain.
  return Number.isFinite(ratio) ? ratio : brainLevel;
}
