/**
 * A volume at a coarser resolution: means of blocks of voxels, each value changed first where that is asked for (clipped,
 * say, so that one hot voxel does not fill its block). What is not finite counts as `floor`.
 *
 * @example
 * const at2mm = blockMeans(volume, [2, 2, 2]);
 */
import { multiply, scaling, translation } from './affine.js';
import { type Grid, type Shape, type Volume, type VoxelArray, voxelSizes } from './volume.js';

/** value -> clip((value - low) / (high - low), 0, ceiling); the default leaves values as they are. */
export interface BlockOptions {
  readonly low?: number;
  readonly high?: number;
  readonly ceiling?: number;
}

/** How many voxels along each axis come nearest to `mm`, at least one. */
export function blocksOf(grid: Grid, mm: number): Shape {
  const [x, y, z] = voxelSizes(grid).map((size) => Math.max(1, Math.floor(mm / size + 1e-3))) as [
    number,
    number,
    number,
  ];
  return [x, y, z];
}

/** The last block of an axis may be a part of one; its mean is of what there is. */
export function blockMeans(
  volume: Volume<VoxelArray>,
  factors: Shape,
  { low = 0, high = 1, ceiling = Number.POSITIVE_INFINITY }: BlockOptions = {},
): Volume {
  const [nx, ny, nz] = volume.grid.shape;
  const [fx, fy, fz] = factors;
  const shape: Shape = [Math.ceil(nx / fx), Math.ceil(ny / fy), Math.ceil(nz / fz)];
  const plain = low === 0 && high === 1 && ceiling === Number.POSITIVE_INFINITY;
  const factor = 1 / (high - low);
  const [mx, my] = shape;
  const data = new Float32Array(mx * my * shape[2]);
  const { data: from } = volume;
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const row = mx * (((j / fy) | 0) + my * ((k / fz) | 0));
      for (let i = 0, block = row, left = fx; i < nx; i++, v++) {
        let value = from[v] as number;
        if (!plain) {
          value = (value - low) * factor;
          value = value > 0 ? (value < ceiling ? value : ceiling) : 0;
        } else if (!Number.isFinite(value)) value = 0;
        data[block] = (data[block] as number) + value;
        if (--left === 0) {
          block++;
          left = fx;
        }
      }
    }
  const rest = (n: number, f: number, o: number): number => Math.min(f, n - o * f);
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < my; j++) {
      const plane = rest(ny, fy, j) * rest(nz, fz, k);
      for (let i = 0; i < mx; i++, o++) data[o] = (data[o] as number) / (plane * rest(nx, fx, i));
    }
  const affine = multiply(
    volume.grid.affine,
    multiply(translation((fx - 1) / 2, (fy - 1) / 2, (fz - 1) / 2), scaling(fx, fy, fz)),
  );
  return { grid: { shape, affine }, data };
}
