/**
 * Scanner-like noise for synthesised voxels: its level is measured in the brain alone, so that it says nothing of the
 * rest of the scan, and its draws come from the seed.
 *
 * Without it a network's smooth skin beside a grainy brain shows where the scan ends and the synthesis begins.
 *
 * @example
 * const sigma = noiseLevel({ grid, data }, brainMask.data);
 * addNoise(values, sigma, 0.3 * level, outside, new Random(seed).fork('scanner noise'));
 */
import type { Random } from '../volume/random.js';
import { quantile } from '../volume/statistics.js';
import type { Volume } from '../volume/volume.js';

/** A line's second difference x[i] - (x[i-1] + x[i+1]) / 2 of white noise has a deviation of sqrt(1.5) sigma. */
const SECOND_DIFFERENCE = Math.sqrt(1.5);
/** Median absolute deviation to standard deviation of a normal distribution. */
const MAD_TO_SIGMA = 1.4826;
/** Enough for a median to within 1 %, and few enough to sort in 20 ms. */
const MOST_SAMPLES = 50_000;

/**
 * Standard deviation of the noise inside `mask`, in the values' units; 0 when it cannot be measured.
 * Anatomy adds to every axis' estimate, so the lowest of the three is taken.
 */
export function noiseLevel(volume: Volume, mask: Uint8Array): number {
  const [nx, ny] = volume.grid.shape;
  const { data } = volume;
  let size = 0;
  for (let o = 0; o < mask.length; o++) if (mask[o] !== 0) size++;
  const inside = new Int32Array(size);
  size = 0;
  for (let o = 0; o < mask.length; o++) if (mask[o] !== 0) inside[size++] = o;
  const between = new Int32Array(size);
  let lowest = Number.POSITIVE_INFINITY;
  for (const stride of [1, nx, nx * ny]) {
    let count = 0;
    for (let i = 0; i < size; i++) {
      const o = inside[i] as number;
      if (o < stride || o >= mask.length - stride) continue;
      if (mask[o - stride] !== 0 && mask[o + stride] !== 0) between[count++] = o;
    }
    if (count < 100) continue;
    const step = Math.max(1, Math.floor(count / MOST_SAMPLES));
    const found: number[] = [];
    for (let i = 0; i < count; i += step) {
      const o = between[i] as number;
      const d = (data[o] as number) - ((data[o - stride] as number) + (data[o + stride] as number)) / 2;
      if (Number.isFinite(d)) found.push(Math.abs(d));
    }
    lowest = Math.min(lowest, (MAD_TO_SIGMA * quantile(Float32Array.from(found), 0.5)) / SECOND_DIFFERENCE);
  }
  return Number.isFinite(lowest) ? lowest : 0;
}

/** Powers of two, so that random bits index it. */
const TABLE_SIZE = 1 << 14;

/**
 * Share of the noise that air gets. Most scanners mask or filter air: over 12 IXI train heads its mean is 2 to 7 % of
 * what the brain's noise would give, over the heads of other scanners 0 to 37 % (one 142 %). With all of it, a network
 * that reads a brain's age took every result for 5 years older.
 */
const AIR_SHARE = 0.05;

/**
 * Rician noise in place where `where` is set: the length of (value + n1, n2). Negative values keep their sign and
 * get n1 alone. From `tissue` on all of `sigma` is used, below it ever less, in air (0) a twentieth. About 10 ns a voxel: a table of normals indexed by a cheap generator, both keyed from `random`, which
 * is a one-way fork of the seed.
 */
export function addNoise(
  values: Float32Array,
  sigma: number,
  tissue: number,
  where: Uint8Array,
  random: Random,
): void {
  if (!(sigma > 0)) return;
  const table = Float32Array.from({ length: TABLE_SIZE }, () => sigma * random.normal());
  let state = random.word() | 1;
  for (let o = 0; o < values.length; o++) {
    if (where[o] === 0) continue;
    // xorshift32: period 2^32 - 1, longer than any image.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const v = values[o] as number;
    const share = AIR_SHARE + (1 - AIR_SHARE) * (v < tissue ? Math.max(0, v) / tissue : 1);
    const real = v + share * (table[state & (TABLE_SIZE - 1)] as number);
    const imaginary = share * (table[(state >>> 14) & (TABLE_SIZE - 1)] as number);
    values[o] = v < 0 ? real : Math.sqrt(real * real + imaginary * imaginary);
  }
}
