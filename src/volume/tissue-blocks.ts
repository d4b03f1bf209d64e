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
/** Of an index: 0 on a block's lower face. */
const INSIDE = (1 << BLOCK_SHIFT) - 1;

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
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        if (data[v] === 0) continue;
        if ((i & INSIDE) !== 0 && (j & INSIDE) !== 0 && (k & INSIDE) !== 0) {
          map[(i >> BLOCK_SHIFT) + bx * ((j >> BLOCK_SHIFT) + by * (k >> BLOCK_SHIFT))] = 1;
          continue;
        }
        // A point reads the voxels at and above its floor: a voxel on a block's lower face is read from the block below too.
        const x0 = (i - 1) >> BLOCK_SHIFT;
        const y0 = (j - 1) >> BLOCK_SHIFT;
        const z0 = (k - 1) >> BLOCK_SHIFT;
        for (let z = Math.max(0, z0); z <= k >> BLOCK_SHIFT; z++)
          for (let y = Math.max(0, y0); y <= j >> BLOCK_SHIFT; y++)
            for (let x = Math.max(0, x0); x <= i >> BLOCK_SHIFT; x++) map[x + bx * (y + by * z)] = 1;
      }
  return { map, bx, by };
}
