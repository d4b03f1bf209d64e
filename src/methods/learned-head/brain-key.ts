/**
 * A short text that tells one brain from another and stays the same where only last digits differ: the same scan with its axes in
 * another order, or through a converter, has the same brain to a few ten-millionths, and with the same seed it should get the same face.
 *
 * @example
 * const random = new Random(seed).fork(`cp-mae ${brainKey(brainBlocks(gamma))}`);
 */

import { FIELD_SHAPE } from '../../contract/contract.js';
import { hex, sha256 } from '../../volume/sha256.js';

/** Blocks along an edge of a cell: 32 mm. Some 150 cells lie on a brain's rim and differ from one person to the next. */
const CELL = 8;
/** Shares of cells are counted in steps of this: a difference of 2e-7 then changes the key of one scan in several hundred. */
const STEP = 0.02;

/** @param blocks of `brainBlocks`: mask fractions, [2, 64, 64, 48]; the second channel is not looked at @returns 64 hexadecimal digits */
export function brainKey(blocks: Float32Array): string {
  const [nx, ny, nz] = FIELD_SHAPE;
  const [cx, cy] = [nx / CELL, ny / CELL];
  const sums = new Float64Array((cx * cy * nz) / CELL);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const cell = Math.floor(i / CELL) + cx * (Math.floor(j / CELL) + cy * Math.floor(k / CELL));
        sums[cell] = (sums[cell] as number) + (blocks[o] as number);
      }
  return hex(sha256(Uint8Array.from(sums, (sum) => Math.round(sum / CELL ** 3 / STEP))));
}
