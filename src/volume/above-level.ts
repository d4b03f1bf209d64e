/**
 * Where a volume, read between its voxels, is above a level: a mask of a fine grid from values on a coarse one. Most cells of
 * eight values lie wholly above or below the level, and there nothing is interpolated.
 *
 * @example
 * const brain = aboveLevel(logits, scan.grid, -1.8);
 */
import { at, boxUnder, type Vec3 } from './affine.js';
import { maskBox } from './mask-box.js';
import { gridToGrid } from './resample.js';
import { type Grid, type Mask, type Shape, type Volume, voxelCount } from './volume.js';

/** Values of a cell that are above the level. */
const BELOW = 0;
const ABOVE = 8;

function aboveOf({ grid, data }: Volume, level: number): Mask {
  const set = new Uint8Array(data.length);
  for (let v = 0; v < set.length; v++) set[v] = (data[v] as number) > level ? 1 : 0;
  return { grid, data: set };
}

/** Of each cell between voxel (i, j, k) and its next ones: how many of its eight values are above the level. One axis after the other. */
function cellsOf({ grid, data }: Mask): Uint8Array {
  const out = data.slice();
  const [nx, ny, nz] = grid.shape;
  const [sy, sz] = [nx, nx * ny];
  for (let row = 0; row < out.length; row += nx) {
    const last = row + nx - 1;
    for (let v = row; v < last; v++) out[v] = (out[v] as number) + (out[v + 1] as number);
    out[last] = 2 * (out[last] as number);
  }
  for (let k = 0; k < nz; k++) {
    const end = sz * (k + 1);
    for (let v = sz * k; v < end - sy; v++) out[v] = (out[v] as number) + (out[v + sy] as number);
    for (let v = end - sy; v < end; v++) out[v] = 2 * (out[v] as number);
  }
  for (let v = 0; v < out.length - sz; v++) out[v] = (out[v] as number) + (out[v + sz] as number);
  for (let v = out.length - sz; v < out.length; v++) out[v] = 2 * (out[v] as number);
  return out;
}

/** The voxels of `grid` that what is above the level can reach: between a voxel that is above and the next that is not, values are above up to a voxel away. */
function reach(set: Mask, grid: Grid): { first: Shape; end: Shape } {
  const reached = maskBox(set);
  const by = (v: Shape, step: number): Vec3 => [v[0] + step, v[1] + step, v[2] + step];
  const [low, high] = boxUnder(gridToGrid(set.grid, grid), by(reached.low, -1), by(reached.high, 1));
  const first = low.map((v) => Math.max(0, Math.floor(v))) as [number, number, number];
  const end = high.map((v, a) => Math.min(grid.shape[a] as number, Math.ceil(v) + 1)) as [
    number,
    number,
    number,
  ];
  return { first, end };
}

/**
 * @param volume finite values
 * @returns 1 where `volume`, linear between its voxel centres, is above `level`. Within half a voxel of its edge the edge value
 * holds; beyond, nothing is above
 */
export function aboveLevel(volume: Volume, grid: Grid, level: number): Mask {
  const out = new Uint8Array(voxelCount(grid.shape));
  const set = aboveOf(volume, level);
  const { first, end } = reach(set, grid);
  const cells = cellsOf(set);
  const m = gridToGrid(grid, volume.grid);
  const [dx, dy, dz] = [at(m, 0, 0), at(m, 1, 0), at(m, 2, 0)];
  const [nx, ny] = grid.shape;
  for (let k = first[2]; k < end[2]; k++)
    for (let j = first[1]; j < end[1]; j++) {
      const i = first[0];
      const x = dx * i + at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3);
      const y = dy * i + at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3);
      const z = dz * i + at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3);
      const row = i + nx * (j + ny * k);
      markRow(volume, cells, level, [x, y, z], [dx, dy, dz], out, row, row + end[0] - i);
    }
  return { grid, data: out };
}

/** Whether `count` steps from a point stay between the volume's first and last voxel centres; the margin is for rounding. */
function within(shape: Shape, start: Vec3, step: Vec3, count: number): boolean {
  return shape.every((n, a) => {
    const from = start[a] as number;
    const to = from + (step[a] as number) * (count - 1);
    return Math.min(from, to) >= 1e-6 && Math.max(from, to) < n - 1 - 1e-6;
  });
}

/** A row from a point of the volume on; a function of its own, as in resample.ts. */
function markRow(
  volume: Volume,
  cells: Uint8Array,
  level: number,
  start: Vec3,
  step: Vec3,
  out: Uint8Array,
  from: number,
  end: number,
): void {
  const { data } = volume;
  const [nx, ny, nz] = volume.grid.shape;
  const sy = nx;
  const sz = nx * ny;
  const lastX = nx - 1;
  const lastY = ny - 1;
  const lastZ = nz - 1;
  const dx = step[0];
  const dy = step[1];
  const dz = step[2];
  // Most rows of a brain: no point of them needs to be looked at for the edge.
  const inside = within(volume.grid.shape, start, step, end - from);
  let x = start[0];
  let y = start[1];
  let z = start[2];
  for (let o = from; o < end; o++, x += dx, y += dy, z += dz) {
    let cx = x;
    let cy = y;
    let cz = z;
    if (!inside && !(x >= 0 && y >= 0 && z >= 0 && x < lastX && y < lastY && z < lastZ)) {
      if (!(x > -0.5 && y > -0.5 && z > -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5)) continue;
      cx = x < 0 ? 0 : x > lastX ? lastX : x;
      cy = y < 0 ? 0 : y > lastY ? lastY : y;
      cz = z < 0 ? 0 : z > lastZ ? lastZ : z;
    }
    const ix = cx | 0;
    const iy = cy | 0;
    const iz = cz | 0;
    const b = ix + iy * sy + iz * sz;
    const cell = cells[b] as number;
    if (cell === BELOW) continue;
    if (cell === ABOVE) {
      out[o] = 1;
      continue;
    }
    const ex = ix < lastX ? 1 : 0;
    const ey = iy < lastY ? sy : 0;
    const ez = iz < lastZ ? sz : 0;
    const fx = cx - ix;
    const fy = cy - iy;
    const fz = cz - iz;
    const c00 = (data[b] as number) * (1 - fx) + (data[b + ex] as number) * fx;
    const c10 = (data[b + ey] as number) * (1 - fx) + (data[b + ey + ex] as number) * fx;
    const c01 = (data[b + ez] as number) * (1 - fx) + (data[b + ez + ex] as number) * fx;
    const c11 = (data[b + ez + ey] as number) * (1 - fx) + (data[b + ez + ey + ex] as number) * fx;
    const c0 = c00 * (1 - fy) + c10 * fy;
    const c1 = c01 * (1 - fy) + c11 * fy;
    if (Math.fround(c0 * (1 - fz) + c1 * fz) > level) out[o] = 1;
  }
}
