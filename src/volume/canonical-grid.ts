/**
 * A 2 mm grid whose axes run right, front and up, for what reads a scan in its own voxels (the segmentation network).
 *
 * A scan of about 2 mm voxels keeps them: its axes are permuted and flipped, so that labels and values are copied, not
 * interpolated (resampling a label map by half a voxel costs several hundredths of Dice on cortex at 2 mm).
 *
 * @example
 * const grid = canonicalGrid(volume.grid);
 * const values = resampleLinear(volume, grid);
 */
import { type Affine, AXIS_ORDERS, at, boxUnder, multiply, scaling, translation } from './affine.js';
import { type Grid, type Shape, voxelSizes } from './volume.js';

export const CANONICAL_MM = 2;
/** Voxel edges (mm) that count as 2 mm: the network was trained with changes of scale of this size. */
const KEPT: readonly [number, number] = [1.9, 2.1];

type Order = readonly [number, number, number];

/** Which voxel axes run nearest to right, front and up, in either direction; the first of equals. */
export function closestAxes(grid: Grid): Order {
  const sizes = voxelSizes(grid);
  const cosine = (row: number, column: number): number =>
    at(grid.affine, row, column) / (sizes[column] as number);
  const score = (order: Order): number =>
    order.reduce((sum, column, row) => sum + Math.abs(cosine(row, column)), 0);
  return AXIS_ORDERS.reduce((best, next) => (score(next) > score(best) + 1e-9 ? next : best));
}

/** The scan's own voxels with the axes nearest to right, front, up. */
function reoriented(grid: Grid): Grid {
  const order = closestAxes(grid);
  // Columns: which voxel axis of the scan each new axis is, backwards where that one runs left, back or down.
  const turn = new Array<number>(16).fill(0);
  turn[15] = 1;
  const shape = order.map((source, axis) => {
    const n = grid.shape[source] as number;
    const backwards = at(grid.affine, axis, source) < 0;
    turn[source * 4 + axis] = backwards ? -1 : 1;
    if (backwards) turn[source * 4 + 3] = n - 1;
    return n;
  }) as unknown as Shape;
  return { shape, affine: multiply(grid.affine, turn) };
}

/** Along the world's axes, over the whole field of view. */
function worldAligned(grid: Grid): Grid {
  const [nx, ny, nz] = grid.shape;
  const [low, high] = boxUnder(grid.affine, [-0.5, -0.5, -0.5], [nx - 0.5, ny - 0.5, nz - 0.5]);
  const shape = low.map((v, axis) =>
    Math.max(1, Math.ceil(((high[axis] as number) - v) / CANONICAL_MM - 1e-6)),
  ) as unknown as Shape;
  const origin = low.map((v) => v + CANONICAL_MM / 2) as [number, number, number];
  const affine: Affine = multiply(translation(...origin), scaling(CANONICAL_MM, CANONICAL_MM, CANONICAL_MM));
  return { shape, affine };
}

/** The scan's own voxels reoriented when all edges are 1.9 to 2.1 mm, else 2 mm voxels along the world's axes. */
export function canonicalGrid(grid: Grid): Grid {
  return voxelSizes(grid).every((mm) => mm >= KEPT[0] && mm <= KEPT[1])
    ? reoriented(grid)
    : worldAligned(grid);
}
