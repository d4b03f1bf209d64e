/**
 * A mask against the true one, for benches.
 *
 * @example
 * const { dice, missed } = scoresOf(truth, mask);
 */
import { dice } from '../../dist/volume/dice.js';

/** Dice, and the share of the truth that the mask leaves out; both masks of 0 and 1. */
export function scoresOf(truth, mask) {
  let [missed, size] = [0, 0];
  for (let v = 0; v < truth.data.length; v++) {
    size += truth.data[v];
    missed += truth.data[v] & (1 - mask.data[v]);
  }
  return { dice: dice(truth.data, mask.data), missed: missed / size };
}
