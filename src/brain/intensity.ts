/**
 * What values mean in a scan, from the brain's voxels alone: where air lies and how bright the brain is above it. A magnitude
 * image has its air at 0; one that was normalised (mean 0, deviation 1) or shifted (-1024) has it elsewhere, and the
 * darkest of the brain tells where (promise P1: no voxel outside the mask is asked).
 *
 * @example
 * const { air, level } = brainIntensity(values, brainMask); // (value - air) / level: 0 is air, 1 the brain's median
 */
import { Refusal } from '../errors/errors.js';
import { quantile, valuesInside } from '../volume/statistics.js';

export interface BrainIntensity {
  /** Value of air; exactly 0 unless the brain's own values say that it cannot be. */
  readonly air: number;
  /** The brain's median above air; greater than 0. */
  readonly level: number;
}

const DARKEST = 0.005;
/** Of the brain's median: its darkest two hundredth in 60 IXI train heads (0.047 to 0.174, deviation 0.028). */
const DARKEST_SHARE = 0.11;
/** Interpolation rings to about a hundredth below 0; what is further below is no magnitude image. */
const NEGATIVE_SHARE = 0.03;
/** Darker than three quarters of its median is every brain that is measured from air, proton density included. */
const RAISED_SHARE = 0.75;

/** A header's word is taken where the brain's darkest has such a share of its median: wider than those 60 heads, as other contrasts are. */
const DARKEST_SHARES = [0.02, 0.35] as const;

/**
 * @param values in the scan's units
 * @param said value that the file's header names for what is no picture (a padding value): taken for air where it lies below 0 and
 *   fits the brain better than 0 does
 * @returns undefined where the brain is of one value that is not above 0, or the mask holds nothing finite
 */
export function measureIntensity(
  values: Float32Array,
  mask: Uint8Array,
  said?: number,
): BrainIntensity | undefined {
  const inside = valuesInside(values, mask);
  if (inside.length === 0) return undefined;
  const median = quantile(inside, 0.5);
  const darkest = quantile(inside, DARKEST);
  const spread = median - darkest;
  const magnitude = darkest >= -NEGATIVE_SHARE * spread && darkest <= RAISED_SHARE * median;
  if (said !== undefined && said < 0 && fitsBetter(said, darkest, median))
    return { air: said, level: median - said };
  if (median > 0 && (magnitude || !(spread > 0))) return { air: 0, level: median };
  if (!(spread > 0)) return undefined;
  const air = darkest - (DARKEST_SHARE / (1 - DARKEST_SHARE)) * spread;
  return { air, level: median - air };
}

/** Whether the brain's darkest part lies as it does in other brains when air is counted from there, and less so from 0. */
function fitsBetter(air: number, darkest: number, median: number): boolean {
  const share = (darkest - air) / (median - air);
  if (!(median > air && share >= DARKEST_SHARES[0] && share <= DARKEST_SHARES[1])) return false;
  return !(median > 0) || Math.abs(share - DARKEST_SHARE) < Math.abs(darkest / median - DARKEST_SHARE);
}

/** As {@link measureIntensity}. @throws {Refusal} mask-empty, no-signal */
export function brainIntensity(values: Float32Array, mask: Uint8Array, said?: number): BrainIntensity {
  const found = measureIntensity(values, mask, said);
  if (found !== undefined) return found;
  const inside = valuesInside(values, mask);
  if (inside.length === 0)
    throw new Refusal('mask-empty', 'expected a brain mask over finite voxels, found none in it');
  throw darkBrain(`${quantile(inside, 0.5)} in half of it and more`);
}

/** The one sentence for a brain that cannot be seen. */
export function darkBrain(found: string): Refusal {
  return new Refusal('no-signal', `expected a brain that is brighter than air, found ${found}`);
}
