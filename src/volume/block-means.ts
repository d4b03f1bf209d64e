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
  // One type of array, as in resample.ts.
  const from = volume.data instanceof Float32Array ? volume.data : new Float32Array(volume.data);
  // Most scans are of 1 mm: blocks of eight at once, whose sums are then written once instead of four times.
  const eights = !plain && fx === 2 && fy === 2 && fz === 2;
  const [evenY, evenZ] = eights ? [ny - (ny % 2), nz - (nz % 2)] : [0, 0];
  for (let k = 0; k < evenZ; k += 2)
    for (let j = 0; j < evenY; j += 2)
      addEights(
        from,
        nx * (j + ny * k),
        nx,
        nx * ny,
        data,
        mx * (j / 2 + (my * k) / 2),
        low,
        factor,
        ceiling,
      );
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, v += nx) {
      if (k < evenZ && j < evenY) continue;
      const row = mx * (((j / fy) | 0) + my * ((k / fz) | 0));
      if (plain) addRow(from, v, nx, fx, data, row);
      else addClipped(from, v, nx, fx, data, row, low, factor, ceiling);
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

/** Adds `nx` values to the blocks that they lie in, rounding each sum as the array does. */
function addRow(
  from: Float32Array,
  v: number,
  nx: number,
  fx: number,
  data: Float32Array,
  row: number,
): void {
  for (let block = row, end = v + nx; v < end; block++) {
    const stop = Math.min(v + fx, end);
    let sum = data[block] as number;
    for (; v < stop; v++) {
      const value = from[v] as number;
      if (Number.isFinite(value)) sum = Math.fround(sum + value);
    }
    data[block] = sum;
  }
}

/** Two rows of two slices; in the order, and with the rounding, of adding row after row. */
function addEights(
  from: Float32Array,
  first: number,
  nx: number,
  slice: number,
  data: Float32Array,
  row: number,
  low: number,
  factor: number,
  ceiling: number,
): void {
  const last = first + nx - 1;
  let block = row;
  for (let v = first; v < last; v += 2, block++) {
    let sum = 0;
    for (let plane = v, n = 0; n < 2; plane += slice, n++)
      for (let at = plane; at <= plane + nx; at += nx) {
        const one = ((from[at] as number) - low) * factor;
        const two = ((from[at + 1] as number) - low) * factor;
        if (one > 0) sum = Math.fround(sum + (one < ceiling ? one : ceiling));
        if (two > 0) sum = Math.fround(sum + (two < ceiling ? two : ceiling));
      }
    data[block] = sum;
  }
  // An odd row ends in half a block.
  if (nx % 2 === 1)
    for (let plane = last, n = 0; n < 2; plane += slice, n++)
      for (let at = plane; at <= plane + nx; at += nx)
        addClipped(from, at, 1, 1, data, block, low, factor, ceiling);
}

function addClipped(
  from: Float32Array,
  v: number,
  nx: number,
  fx: number,
  data: Float32Array,
  row: number,
  low: number,
  factor: number,
  ceiling: number,
): void {
  for (let block = row, end = v + nx; v < end; block++) {
    const stop = Math.min(v + fx, end);
    let sum = data[block] as number;
    for (; v < stop; v++) {
      const value = ((from[v] as number) - low) * factor;
      if (value > 0) sum = Math.fround(sum + (value < ceiling ? value : ceiling));
    }
    data[block] = sum;
  }
}
