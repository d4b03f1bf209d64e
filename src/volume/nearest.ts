/**
 * Labels on another grid: each voxel of the target takes the source voxel that its centre lies in.
 *
 * @example
 * const labels = sampleNearest(found, volume.grid);
 */
import { at } from './affine.js';
import { gridToGrid } from './resample.js';
import { type Grid, type Volume, type VoxelArray, voxelCount } from './volume.js';

/** @param source whole numbers of 0 to 255. @returns 0 outside the source's field of view */
export function sampleNearest(source: Volume<VoxelArray>, target: Grid): Uint8Array {
  return readNearest(source, target, new Uint8Array(voxelCount(target.shape)));
}

/** The same for values of any kind. @param out as many values as `target` has voxels, 0 where nothing is to be read. @returns `out` */
export function readNearest<A extends VoxelArray>(source: Volume<VoxelArray>, target: Grid, out: A): A {
  const m = gridToGrid(target, source.grid);
  const [nx, ny, nz] = source.grid.shape;
  const [tx, ty, tz] = target.shape;
  let o = 0;
  for (let k = 0; k < tz; k++)
    for (let j = 0; j < ty; j++) {
      const x0 = at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3);
      const y0 = at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3);
      const z0 = at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3);
      for (let i = 0; i < tx; i++, o++) {
        const x = Math.round(x0 + at(m, 0, 0) * i);
        const y = Math.round(y0 + at(m, 1, 0) * i);
        const z = Math.round(z0 + at(m, 2, 0) * i);
        if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue;
        out[o] = source.data[x + nx * (y + ny * z)] as number;
      }
    }
  return out;
}
