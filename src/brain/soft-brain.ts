/**
 * A brain as registration reads it: means of its own voxels on a coarser lattice, smoothed among themselves. Where no
 * brain is there is no value, and no other voxel takes part (promise P1).
 *
 * @example
 * const soft = softBrain(volume, brainMask, 2, 1.5); // 2 mm blocks, smoothed by 1.5 mm
 */
import { multiply, scaling, translation } from '../volume/affine.js';
import { blockMeans, blocksOf } from '../volume/block-means.js';
import { maskBox } from '../volume/mask-box.js';
import { resampleLinear } from '../volume/resample.js';
import { gaussianSmooth } from '../volume/smooth.js';
import { type Grid, type Mask, type Volume, type VoxelArray, voxelCount } from '../volume/volume.js';

export interface SoftBrain {
  /** Blocks of the image's voxels about the brain. */
  readonly grid: Grid;
  /** Mean of the brain's values near each block; 0 where none is near. */
  readonly values: Float32Array;
  /** Share of brain near each block, 0 to 1. */
  readonly share: Float32Array;
}

/** Blocks round the box of the brain, so that smoothing has room. */
const ROOM = 2;
/** Share of brain below which a mean would be of hardly anything. */
const LEAST_SHARE = 0.02;

/** Sums of the mask's voxels and of their values in blocks of about `mm`. */
function blockSums(volume: Volume<VoxelArray>, mask: Mask, mm: number): SoftBrain {
  const [nx, ny] = mask.grid.shape;
  const factors = blocksOf(mask.grid, mm);
  const { low, high } = maskBox(mask);
  const first = low.map((v, a) => Math.floor(v / (factors[a] as number)) - ROOM) as [number, number, number];
  const shape = high.map(
    (v, a) => Math.floor(v / (factors[a] as number)) + ROOM + 1 - (first[a] as number),
  ) as [number, number, number];
  const [fx, fy, fz] = factors;
  const [x0, y0, z0] = first;
  const values = new Float32Array(voxelCount(shape));
  const share = new Float32Array(values.length);
  const one = 1 / (fx * fy * fz);
  // Columns are looked up: a division a voxel costs as much as the rest.
  const column = Int32Array.from({ length: nx }, (_, i) => Math.floor(i / fx) - x0);
  const { data } = volume;
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      const row = shape[0] * (Math.floor(j / fy) - y0 + shape[1] * (Math.floor(k / fz) - z0));
      for (let i = low[0], v = low[0] + nx * (j + ny * k); i <= high[0]; i++, v++) {
        if (mask.data[v] === 0) continue;
        const o = row + (column[i] as number);
        values[o] = (values[o] as number) + one * (data[v] as number);
        share[o] = (share[o] as number) + one;
      }
    }
  const affine = multiply(
    mask.grid.affine,
    multiply(
      translation(x0 * fx + (fx - 1) / 2, y0 * fy + (fy - 1) / 2, z0 * fz + (fz - 1) / 2),
      scaling(fx, fy, fz),
    ),
  );
  return { grid: { shape, affine }, values, share };
}

/** Values smoothed with the share of brain as their weight. @param values times share */
function normalised(grid: Grid, values: Float32Array, share: Float32Array, sigmaMm: number): SoftBrain {
  const mean = gaussianSmooth({ grid, data: values }, sigmaMm).data;
  const soft = gaussianSmooth({ grid, data: share }, sigmaMm).data;
  for (let o = 0; o < mean.length; o++) {
    const weight = soft[o] as number;
    mean[o] = weight > LEAST_SHARE ? (mean[o] as number) / weight : 0;
  }
  return { grid, values: mean, share: soft };
}

/** Smooth brightness of the coil, 25 mm and wider, is no anatomy. */
const FIELD_MM = 25;
/** Of the lattice on which it is measured. */
const FIELD_SPACING_MM = 8;

/** Mean value of the brain within 25 mm or so of each block of `grid`; 0 further away. */
function brightness(volume: Volume<VoxelArray>, mask: Mask, grid: Grid): Float32Array {
  const coarse = blockSums(volume, mask, FIELD_SPACING_MM);
  const field = normalised(coarse.grid, coarse.values, coarse.share, FIELD_MM);
  return resampleLinear({ grid: field.grid, data: field.values }, grid);
}

/**
 * Values over those of 25 mm around, so that the brightness of the coil does not count: 1 in the mean.
 * @param mask at least one voxel set, values finite under it
 * @param mm edge of the blocks, or the image's own voxels where these are larger
 * @param sigmaMm of the smoothing
 */
export function softBrain(volume: Volume<VoxelArray>, mask: Mask, mm: number, sigmaMm: number): SoftBrain {
  const { grid, values: sums, share: counts } = blockSums(volume, mask, mm);
  const { values, share } = normalised(grid, sums, counts, sigmaMm);
  const level = brightness(volume, mask, grid);
  for (let o = 0; o < values.length; o++) {
    const here = level[o] as number;
    values[o] = here > 0 ? (values[o] as number) / here : 0;
  }
  return { grid, values, share };
}

/** Loops here: the callbacks of map cost 60 ns a voxel. */
function times(values: Float32Array, share: Float32Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let o = 0; o < out.length; o++) out[o] = (values[o] as number) * (share[o] as number);
  return out;
}

/** What is left of values when those of `sigmaMm` around are taken off: detail, which tells one brain from another. */
export function detail(grid: Grid, values: Float32Array, share: Float32Array, sigmaMm: number): Float32Array {
  const smooth = normalised(grid, times(values, share), share, sigmaMm);
  const out = smooth.values;
  for (let o = 0; o < out.length; o++) out[o] = (values[o] as number) - (out[o] as number);
  return out;
}

/**
 * The smooth part of values, 0 where nothing is near.
 * @param share weight of each value @param sigmaMm of the smoothing; what varies within two and a half of it stays out
 */
export function smoothPart(
  grid: Grid,
  values: Float32Array,
  share: Float32Array,
  sigmaMm: number,
): Float32Array {
  const factors = blocksOf(grid, sigmaMm < 6 ? 4 : 8);
  const weighted = times(values, share);
  const sums = blockMeans({ grid, data: weighted }, factors);
  const counts = blockMeans({ grid, data: share }, factors);
  const part = normalised(sums.grid, sums.data, counts.data, sigmaMm);
  const only = new Uint8Array(share.length);
  for (let o = 0; o < only.length; o++) if ((share[o] as number) > 0) only[o] = 1;
  return resampleLinear({ grid: sums.grid, data: part.values }, grid, { only });
}
