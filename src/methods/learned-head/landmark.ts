/**
 * Where a drawn head has what lies at a known place of the learned head: its chin, the tip of its nose.
 *
 * @example
 * const chin = pointReading(displacement, [0, 72, -107]);
 */
import { FIELD_COUNT as COUNT, FIELD_SHAPE as SHAPE, FIELD_MM as VOXEL_MM } from '../../contract/contract.js';
import type { Vec3 } from '../../volume/affine.js';

/** mm that one unit of a displacement is along each axis. */
export const UNIT_MM = SHAPE.map((n) => (VOXEL_MM / 2) * n) as unknown as Vec3;

/** The middle of a point of the fields, in mm from the cube's centre (right, front, up). */
export function fieldPointMm(i: number, j: number, k: number): Vec3 {
  const [nx, ny, nz] = SHAPE;
  return [VOXEL_MM * (i - (nx - 1) / 2), VOXEL_MM * (j - (ny - 1) / 2), VOXEL_MM * (k - (nz - 1) / 2)];
}

/**
 * @param displacement [3, 64, 64, 48] in normalised coordinates, x, y, z, where each point reads the learned head
 * @param place of the learned head, and returned of the drawn one: mm from the cube's centre (right, front, up)
 */
export function pointReading(displacement: Float32Array, place: Vec3): [number, number, number] {
  let best = Number.POSITIVE_INFINITY;
  const found: [number, number, number] = [...place];
  const [nx, ny, nz] = SHAPE;
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const [x0, y, z] = fieldPointMm(0, j, k);
      for (let i = 0; i < nx; i++, v++) {
        const x = x0 + VOXEL_MM * i;
        const mx = place[0] - x - (displacement[v] as number) * UNIT_MM[0];
        const my = place[1] - y - (displacement[COUNT + v] as number) * UNIT_MM[1];
        const mz = place[2] - z - (displacement[2 * COUNT + v] as number) * UNIT_MM[2];
        const far = mx * mx + my * my + mz * mz;
        if (far >= best) continue;
        best = far;
        // what the nearest of the points misses it by, to first order
        [found[0], found[1], found[2]] = [x + mx, y + my, z + mz];
      }
    }
  return found;
}
