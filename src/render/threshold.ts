/**
 * The level that parts a head from the air around it.
 *
 * Otsu's threshold of the values splits air from tissue; the skin's surface lies lower, because
 * the scalp is darker than its fat, the coil's sensitivity falls towards chin and neck, and Otsu's split is drawn up
 * by bright fat. So the level is air + 0.45 * (Otsu - air), but never inside the air's noise: at least the median of
 * the values below Otsu plus 3 robust standard deviations, and never above Otsu.
 *
 * @example
 * const { threshold } = surfaceLevels(volume.data);
 */
import { Refusal } from '../errors/errors.js';

const SAMPLES = 150_000;
const BINS = 512;

/** Otsu's threshold (the split of greatest between-class variance) of sorted values, outer 0.1 % clipped. */
function otsuOfSorted(sorted: Float32Array): number {
  const n = sorted.length;
  const low = sorted[Math.floor(0.001 * (n - 1))] as number;
  const high = sorted[Math.ceil(0.999 * (n - 1))] as number;
  if (!(high > low)) return Number.NaN;
  const histogram = new Float64Array(BINS);
  const scale = (BINS - 1) / (high - low);
  let total = 0;
  for (const value of sorted) {
    const bin = Math.round((Math.min(high, Math.max(low, value)) - low) * scale);
    histogram[bin] = (histogram[bin] as number) + 1;
    total += bin;
  }
  let below = 0;
  let sumBelow = 0;
  let best = -1;
  let split = 0;
  for (let bin = 0; bin < BINS - 1; bin++) {
    below += histogram[bin] as number;
    sumBelow += bin * (histogram[bin] as number);
    if (below === 0 || below === n) continue;
    const gap = sumBelow / below - (total - sumBelow) / (n - below);
    const between = below * (n - below) * gap * gap;
    if (between > best) {
      best = between;
      split = bin;
    }
  }
  return low + (split + 0.5) / scale;
}

export interface Levels {
  /** Where the surface is drawn, in the values' units. */
  readonly threshold: number;
  /** Median of the air: what stands for "nothing here". */
  readonly air: number;
}

/**
 * Non-finite values count for nothing. About 150,000 values are looked at, evenly spread.
 * @throws {Refusal} no-signal when the values are constant or not finite.
 */
export function surfaceLevels(values: Float32Array): Levels {
  const stride = Math.max(1, Math.floor(values.length / SAMPLES));
  // An odd stride that divides no common row length, or whole columns of the grid would be missed.
  const step = stride > 1 ? stride | 1 : 1;
  let n = 0;
  let sample = new Float32Array(Math.ceil(values.length / step));
  for (let i = 0; i < values.length; i += step)
    if (Number.isFinite(values[i])) sample[n++] = values[i] as number;
  sample = sample.subarray(0, n).sort();
  const otsu = n > 1 ? otsuOfSorted(sample) : Number.NaN;
  if (!Number.isFinite(otsu))
    throw new Refusal(
      'no-signal',
      'a surface needs values that differ, found a constant or non-finite image',
    );
  const airCount = Math.max(1, lowerBound(sample, otsu));
  const air = sample[airCount >> 1] as number;
  const spread = Float32Array.from(sample.subarray(0, airCount), (v) => Math.abs(v - air)).sort();
  const noise = 1.4826 * (spread[airCount >> 1] as number);
  return { air, threshold: Math.min(otsu, Math.max(air + 0.45 * (otsu - air), air + 3 * noise)) };
}

/** Number of sorted values below `limit`. */
function lowerBound(sorted: Float32Array, limit: number): number {
  let [a, b] = [0, sorted.length];
  while (a < b) {
    const middle = (a + b) >> 1;
    if ((sorted[middle] as number) < limit) a = middle + 1;
    else b = middle;
  }
  return a;
}
