/**
 * A short text that tells one brain from another and stays the same where only last digits differ: the same scan with its axes in
 * another order, or through a converter, has the same brain to a few ten-millionths, and with the same seed it should get the same face.
 *
 * @example
 * const random = new Random(seed).fork(`cp-mae ${brainKey(brainBlocks(gamma))}`);
 */

import { FIELD_COUNT, FIELD_SHAPE } from '../../contract/contract.js';
import { IDENTITY } from '../../volume/affine.js';
import { blockMeans } from '../../volume/block-means.js';
import { hex, sha256 } from '../../volume/sha256.js';

/** Blocks along an edge of a cell: 32 mm. Some 150 cells lie on a brain's rim and differ from one person to the next. */
const CELL = 8;
/** Shares of cells are counted in steps of this: a difference of 2e-7 then changes the key of one scan in several hundred. */
const STEP = 0.02;

/** @param blocks of `brainBlocks`: mask fractions, [2, 64, 64, 48]; the second channel is not looked at @returns 64 hexadecimal digits */
export function brainKey(blocks: Float32Array): string {
  const share = { grid: { shape: FIELD_SHAPE, affine: IDENTITY }, data: blocks.subarray(0, FIELD_COUNT) };
  const { data } = blockMeans(share, [CELL, CELL, CELL]);
  return hex(sha256(Uint8Array.from(data, (mean) => Math.round(mean / STEP))));
}
