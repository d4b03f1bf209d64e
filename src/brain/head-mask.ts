/**
 * The filled outline of a whole head, used only where the whole head may be looked at: preparing training data and
 * evaluating. Never called while de-identifying under a given mask.
 *
 * @example
 * const inside = headMask(volume, brainLevel);
 */
import { largestComponent } from '../volume/components.js';
import { closeMm, fillHoles } from '../volume/morphology.js';
import { gaussianSmooth } from '../volume/smooth.js';
import { quantile, valuesInside } from '../volume/statistics.js';
import type { Mask, Volume } from '../volume/volume.js';

/** Share of the brain's level above which a smoothed voxel counts as tissue, at least three times the air's level. */
const TISSUE_SHARE = 0.16;

export function headMask(volume: Volume, brainLevel: number): Mask {
  const soft = gaussianSmooth(volume, 1.5);
  const everything = new Uint8Array(soft.data.length).fill(1);
  const dark = quantile(valuesInside(soft.data, everything), 0.2);
  const threshold = Math.max(TISSUE_SHARE * brainLevel, 3 * dark);
  const raw: Mask = { grid: volume.grid, data: Uint8Array.from(soft.data, (v) => (v > threshold ? 1 : 0)) };
  return fillHoles(closeMm(largestComponent(raw), 6));
}
