/**
 * Resampling of cubes as in C-DeID-GAN (section 3.2, resampling blocks): plain averages for intensities; for binary
 * volumes the average is the probability of a coin, so that they stay binary and keep their proportion in expectation.
 * Every scale is drawn from the full resolution, never from another scale: so its law is exact.
 *
 * Cubes of n^3 values, the first axis fastest.
 *
 * @example
 * const hull16 = probabilisticPool(hull, 128, 8, random); // 128^3 to 16^3, zeros and ones
 */
import type { Random } from '../../volume/random.js';

/** Means of factor^3 blocks; n must be a multiple of the factor. The input itself when the factor is 1. */
export function averagePool(data: Float32Array | Uint8Array, n: number, factor: number): Float32Array {
  if (factor === 1) return Float32Array.from(data);
  const m = n / factor;
  const sums = new Float64Array(m ** 3);
  for (let k = 0, v = 0; k < n; k++)
    for (let j = 0; j < n; j++) {
      const row = m * (((j / factor) | 0) + m * ((k / factor) | 0));
      for (let i = 0; i < m; i++) {
        let sum = 0;
        for (let t = 0; t < factor; t++) sum += data[v++] as number;
        sums[row + i] = (sums[row + i] as number) + sum;
      }
    }
  return Float32Array.from(sums, (sum) => sum / factor ** 3);
}

/**
 * Zeros and ones, each one with the probability that is its block's mean.
 * @param binary zeros and ones. A block of nothing but one of them uses no random number.
 */
export function probabilisticPool(
  binary: Uint8Array,
  n: number,
  factor: number,
  random: Random,
): Float32Array {
  const out = averagePool(binary, n, factor);
  for (let v = 0; v < out.length; v++) {
    const p = out[v] as number;
    if (p > 0 && p < 1) out[v] = random.uniform() < p ? 1 : 0;
  }
  return out;
}

/** Each value factor^3 times: n^3 to (n factor)^3. */
export function upsampleNearest(data: Float32Array, n: number, factor: number): Float32Array {
  const m = n * factor;
  const out = new Float32Array(m ** 3);
  for (let k = 0, o = 0; k < m; k++)
    for (let j = 0; j < m; j++) {
      const row = n * (((j / factor) | 0) + n * ((k / factor) | 0));
      for (let i = 0; i < m; i++) out[o++] = data[row + ((i / factor) | 0)] as number;
    }
  return out;
}
