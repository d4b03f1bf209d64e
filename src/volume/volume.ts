/**
 * The two types that everything passes around: a Grid (shape and voxel-to-world affine) and a
 * Volume (a grid with one number per voxel).
 *
 * World coordinates are RAS millimetres. Voxel (i, j, k) stands at `data[i + nx * (j + ny * k)]`:
 * the first axis runs fastest, as in NIfTI files.
 */
import { type Affine, at, multiply, scaling, translation, type Vec3 } from './affine.js';

export type Shape = readonly [number, number, number];

/** Where voxels stand: counts along each axis and the voxel-index-to-RAS-millimetre affine. */
export interface Grid {
  readonly shape: Shape;
  readonly affine: Affine;
}

export type VoxelArray = Float32Array | Float64Array | Uint8Array | Int16Array | Uint16Array | Int32Array;

export interface Volume<A extends VoxelArray = Float32Array> {
  readonly grid: Grid;
  readonly data: A;
}

/** 1 inside, 0 outside; on the grid of the image it belongs to. */
export type Mask = Volume<Uint8Array>;

export function voxelCount(shape: Shape): number {
  return shape[0] * shape[1] * shape[2];
}

/** Edge lengths of a voxel in mm. */
export function voxelSizes(grid: Grid): Vec3 {
  const size = (c: number): number =>
    Math.hypot(at(grid.affine, 0, c), at(grid.affine, 1, c), at(grid.affine, 2, c));
  return [size(0), size(1), size(2)];
}

/** Volume of one voxel in ml. */
export function voxelMillilitres(grid: Grid): number {
  const a = grid.affine;
  const d =
    at(a, 0, 0) * (at(a, 1, 1) * at(a, 2, 2) - at(a, 1, 2) * at(a, 2, 1)) -
    at(a, 0, 1) * (at(a, 1, 0) * at(a, 2, 2) - at(a, 1, 2) * at(a, 2, 0)) +
    at(a, 0, 2) * (at(a, 1, 0) * at(a, 2, 1) - at(a, 1, 1) * at(a, 2, 0));
  return Math.abs(d) / 1000;
}

/** Same shape, and each entry of the affines moves the far corner by a hundredth of a millimetre at most. */
export function sameGrid(a: Grid, b: Grid, toleranceMm = 1e-2): boolean {
  if (a.shape.some((n, i) => n !== b.shape[i])) return false;
  const reach = Math.max(...a.shape);
  return a.affine.every((v, i) => {
    const column = i % 4;
    return Math.abs(v - (b.affine[i] ?? Number.NaN)) * (column === 3 ? 1 : reach) <= toleranceMm;
  });
}

/** The same voxels somewhere else. @param motion from the grid's world to the new one */
export function movedGrid({ shape, affine }: Grid, motion: Affine): Grid {
  return { shape, affine: multiply(motion, affine) };
}

/** A volume somewhere else, its values untouched. @param motion from its world to the new one */
export function movedBy<A extends VoxelArray>({ grid, data }: Volume<A>, motion: Affine): Volume<A> {
  return { grid: movedGrid(grid, motion), data };
}

/**
 * An axis-aligned cube in the frame of `pose` (a rigid frame-to-world transform), centred at
 * `centre` (mm in that frame), `size` voxels of `spacing` mm a side; first axis to the right,
 * second to the front, third up.
 */
export function cubeGrid(pose: Affine, centre: Vec3, size: number, spacing: number): Grid {
  const half = ((size - 1) / 2) * spacing;
  const local = multiply(
    translation(centre[0] - half, centre[1] - half, centre[2] - half),
    scaling(spacing, spacing, spacing),
  );
  return { shape: [size, size, size], affine: multiply(pose, local) };
}
