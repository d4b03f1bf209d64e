/**
 * Overlap of two masks of one grid.
 *
 * @example
 * const agreement = dice(given.data, found.data);
 */
import { Failure } from '../errors/errors.js';

/** Dice overlap of what is not 0 in two masks of one grid, 0 to 1; NaN when both are empty. @throws {Failure} internal when the lengths differ */
export function dice(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new Failure('internal', `Dice needs two lists of one length, found ${a.length} and ${b.length}`);
  let [both, sum] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const inA = a[i] !== 0;
    const inB = b[i] !== 0;
    if (inA) sum++;
    if (inB) sum++;
    if (inA && inB) both++;
  }
  return (2 * both) / sum;
}
