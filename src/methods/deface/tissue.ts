/**
 * Means and deviations of grey and white matter, by three means (Lloyd) of the brain's voxels.
 *
 * @example
 * const [grey, white] = tissueClasses(valuesInside(volume.data, brainMask.data));
 */
import { quantile } from '../../volume/statistics.js';

export interface TissueClass {
  readonly mean: number;
  readonly deviation: number;
}

const ROUNDS = 30;

/** The two brighter of three classes. @param values sorted in place */
export function tissueClasses(values: Float32Array): readonly [TissueClass, TissueClass] {
  const means = [0.08, 0.4, 0.8].map((q) => quantile(values, q)) as [number, number, number];
  const counts = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const [low, high] = [(means[0] + means[1]) / 2, (means[1] + means[2]) / 2];
    const sums = [0, 0, 0];
    counts.fill(0);
    squares.fill(0);
    for (const value of values) {
      const c = value < low ? 0 : value < high ? 1 : 2;
      counts[c] = (counts[c] as number) + 1;
      sums[c] = (sums[c] as number) + value;
      squares[c] = (squares[c] as number) + value * value;
    }
    for (const c of [0, 1, 2] as const)
      if ((counts[c] as number) > 0) means[c] = (sums[c] as number) / (counts[c] as number);
  }
  const classAt = (c: 1 | 2): TissueClass => {
    const n = counts[c] as number;
    const variance = n > 1 ? (squares[c] as number) / n - means[c] ** 2 : 0;
    return { mean: means[c], deviation: Math.sqrt(Math.max(0, variance)) };
  };
  return [classAt(1), classAt(2)];
}
