/**
 * A head: a scan with its brain mask, and the pose and intensity scale that follow from the brain's voxels alone.
 *
 * @example
 * const head = makeHead(volume, brainMask); // refuses a mask that cannot be a brain
 */
import { Refusal } from '../errors/errors.js';
import type { Affine } from '../volume/affine.js';
import { quantile, valuesInside } from '../volume/statistics.js';
import type { Mask, Volume } from '../volume/volume.js';
import { GIVEN_LIMITS, measureMask, requirePlausible } from './plausibility.js';

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

/**
 * The head of a scan and its brain mask. The mask is used exactly as it is; only its voxels decide pose and level.
 * @throws {Refusal} brain-implausible when it cannot be a brain; mask-empty when no voxel is set; no-signal when the brain's median is not above zero
 */
export function makeHead(volume: Volume, brainMask: Mask): Head {
  const inside = valuesInside(volume.data, brainMask.data);
  if (inside.length === 0)
    throw new Refusal('mask-empty', 'expected a brain mask over finite voxels, found none in it');
  const brainLevel = quantile(inside, 0.5);
  if (!(brainLevel > 0))
    throw new Refusal('no-signal', `expected a brain whose median is above 0, found ${brainLevel}`);
  const measures = measureMask(brainMask);
  requirePlausible(measures, GIVEN_LIMITS);
  return { volume, brainMask, pose: measures.fit.pose, brainLevel };
}
