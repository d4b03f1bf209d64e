/**
 * The stored axes of a grid as the nearest anatomical ones: which runs from front to back, which from below upwards.
 *
 * @example
 * closestCanonical(grid, voxelSizes(grid)).forEach((voxel, y, z) => { ... }); // y from the front, z from below
 */
import { at, type Vec3 } from '../../volume/affine.js';
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

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** The assignment of stored axes to right, front and up whose directions agree best. */
export function closestCanonical({ shape, affine }: Grid, sizes: Vec3): Canonical {
  const direction = (row: number, axis: number): number => at(affine, row, axis) / (sizes[axis] as number);
  let best: readonly [number, number, number] = ORDERS[0];
  let agreement = -1;
  for (const order of ORDERS) {
    const sum = order.reduce<number>((total, axis, row) => total + Math.abs(direction(row, axis)), 0);
    if (sum > agreement + 1e-9) [agreement, best] = [sum, order];
  }
  const [, front, up] = best;
  const [ny, nz] = [shape[front] as number, shape[up] as number];
  // y counts from the front: it runs against the direction that the affine calls front.
  const yBackwards = direction(1, front) > 0;
  const zBackwards = direction(2, up) < 0;
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
