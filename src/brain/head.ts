/**
 * A head: a scan with its brain mask, and the pose and intensity scale that follow from the brain's voxels alone.
 *
 * @example
 * const head = makeHead(volume, brainMask); // refuses a mask that cannot be a brain
 */
import type { Affine } from '../volume/affine.js';
import type { Mask, Volume } from '../volume/volume.js';

export interface Head {
  /** Values (scaling applied) on the stored grid. */
  readonly volume: Volume;
  /** On the same grid; 1 = brain. */
  readonly brainMask: Mask;
  /** Rigid, from the brain frame (mm; x right, y front, z up; origin at the brain's centroid) to world mm. */
  readonly pose: Affine;
  /** Robust level of the brain (median of its voxels), in the image's units: intensities are divided by it. */
  readonly brainLevel: number;
}
