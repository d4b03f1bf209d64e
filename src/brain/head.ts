/**
 * A head: a scan with its brain mask, and the pose and intensity scale that follow from the brain's voxels alone.
 *
 * @example
 * const head = makeHead(volume, brainMask); // refuses a mask that cannot be a brain
 */
import { requireGiven } from '../errors/require-given.js';
import type { Affine } from '../volume/affine.js';
import type { Mask, Volume } from '../volume/volume.js';
import { brainIntensity } from './intensity.js';
import { GIVEN_LIMITS, measureMask, requirePlausible } from './plausibility.js';

export interface Head {
  /** Values (scaling applied) on the stored grid, counted from air: 0 is air. */
  readonly volume: Volume;
  /** What was taken off: the value of air in the scan's own units, 0 for most. */
  readonly air: number;
  /** On the same grid; 1 = brain. */
  readonly brainMask: Mask;
  /** Rigid, from the brain frame (mm; x right, y front, z up; origin at the brain's centroid) to world mm. */
  readonly pose: Affine;
  /** Size of this brain relative to the average one (a length ratio); not part of the pose. */
  readonly scale: number;
  /** The brain's median above air, in the image's units: intensities are divided by it. */
  readonly brainLevel: number;
}

/**
 * The head of a scan and its brain mask. The mask is used exactly as it is; only its voxels decide pose and level.
 * @param airSaid value that the header names for what is no picture: see `measureIntensity`
 * @throws {Refusal} brain-implausible when it cannot be a brain; mask-empty when no voxel is set; no-signal when the brain is no brighter than air
 */
export function makeHead(volume: Volume, brainMask: Mask, airSaid?: number): Head {
  requireGiven(volume, 'a volume', ['grid', 'data']);
  requireGiven(brainMask, 'a brain mask', ['grid', 'data']);
  const { air, level } = brainIntensity(volume.data, brainMask.data, airSaid);
  const measures = measureMask(brainMask);
  requirePlausible(measures, GIVEN_LIMITS);
  const fromAir = air === 0 ? volume : { grid: volume.grid, data: volume.data.map((v) => v - air) };
  return {
    volume: fromAir,
    air,
    brainMask,
    pose: measures.fit.pose,
    scale: measures.fit.scale,
    brainLevel: level,
  };
}
