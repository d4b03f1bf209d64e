/**
 * Which blocks of a volume hold tissue: half of a head's grid is air, and what samples it linearly passes over blocks
 * that are known to be zero.
 *
 * @example
 * const { map, bx, by } = tissueBlocks(data, shape);
 * const air = map[(x >> BLOCK_SHIFT) + bx * ((y >> BLOCK_SHIFT) + by * (z >> BLOCK_SHIFT))] === 0; // floor of the point
 */
import type { Shape } from './volume.js';

/** Edge of the blocks, in voxels, as a power of two. */
export const BLOCK_SHIFT = 3;
export interface TissueBlocks {
  /** One byte a block, x fastest. */
  readonly map: Uint8Array;
  readonly bx: number;
  readonly by: number;
}

/** 1 where a block of 8^3 voxels, or the first layer of its upper neighbours, holds anything but 0. */
export function tissueBlocks(data: Uint8Array | Float32Array, [nx, ny, nz]: Shape): TissueBlocks {
  const [bx, by, bz] = [nx, ny, nz].map((n) => ((n - 1) >> BLOCK_SHIFT) + 1) as [number, number, number];
  const map = new Uint8Array(bx * by * bz);
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      // A point reads the voxels at and above its floor: a voxel on a block's lower face is read from the block below too.
      const y0 = Math.max(0, (j - 1) >> BLOCK_SHIFT);
      const z0 = Math.max(0, (k - 1) >> BLOCK_SHIFT);
      for (let z = z0; z <= k >> BLOCK_SHIFT; z++)
        for (let y = y0; y <= j >> BLOCK_SHIFT; y++)
          markRow(map, bx * (y + by * z), data, nx * (j + ny * k), nx);
    }
  return { map, bx, by };
}

/** Marks the blocks of one row of blocks that a row of voxels has tissue in; those that are marked are not looked at again. */
function markRow(
  map: Uint8Array,
  row: number,
  data: Uint8Array | Float32Array,
  first: number,
  count: number,
): void {
  for (let from = 0, block = row; from < count; from += 1 << BLOCK_SHIFT, block++) {
    if (map[block] === 1) continue;
    const end = first + Math.min(count, from + (1 << BLOCK_SHIFT) + 1);
    for (let v = first + from; v < end; v++)
      if (data[v] !== 0) {
        map[block] = 1;
        break;
      }
  }
}
