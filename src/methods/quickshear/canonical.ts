/**
 * The stored axes of a grid as the nearest anatomical ones: which runs from front to back, which from below upwards.
 *
 * @example
 * closestCanonical(grid, voxelSizes(grid)).forEach((voxel, y, z) => { ... }); // y from the front, z from below
 */
import { at, type Vec3 } from '../../volume/affine.js';
import { closestAxes } from '../../volume/canonical-grid.js';
import type { Grid } from '../../volume/volume.js';

export interface Canonical {
  /** Voxels from front to back and from below upwards, and their sizes. */
  readonly ny: number;
  readonly nz: number;
  readonly yMm: number;
  readonly zMm: number;
  readonly count: number;
  /** Calls back for every voxel of the stored grid. */
  forEach(visit: (voxel: number, y: number, z: number) => void): void;
}

/** The assignment of stored axes to right, front and up whose directions agree best. */
export function closestCanonical(grid: Grid, sizes: Vec3): Canonical {
  const { shape, affine } = grid;
  const [, front, up] = closestAxes(grid);
  const [ny, nz] = [shape[front] as number, shape[up] as number];
  // y counts from the front: it runs against the direction that the affine calls front.
  const yBackwards = at(affine, 1, front) > 0;
  const zBackwards = at(affine, 2, up) < 0;
  return {
    ny,
    nz,
    yMm: sizes[front] as number,
    zMm: sizes[up] as number,
    count: shape[0] * shape[1] * shape[2],
    forEach(visit) {
      const index = [0, 0, 0];
      let v = 0;
      for (let k = 0; k < shape[2]; k++) {
        index[2] = k;
        for (let j = 0; j < shape[1]; j++) {
          index[1] = j;
          for (let i = 0; i < shape[0]; i++, v++) {
            index[0] = i;
            const y = index[front] as number;
            const z = index[up] as number;
            visit(v, yBackwards ? ny - 1 - y : y, zBackwards ? nz - 1 - z : z);
          }
        }
      }
    },
  };
}
