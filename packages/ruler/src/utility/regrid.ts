/**
 * The same head as if it had been scanned again, lying a little differently: half a voxel along each axis and one
 * degree about each. What attackers and segmenters make of it bounds what can be asked of a de-identified head.
 *
 * @example
 * const again = regridded(volume);
 * const back = nearestLabels(labels, again.grid, volume.grid);
 */
import {
  applyAffine,
  at,
  type Grid,
  gridToGrid,
  multiply,
  resampleLinear,
  rotation,
  translation,
  type Volume,
} from 'prosopon/imaging';

/** One degree in all, about an axis between the three. */
const TURN = Math.PI / 180 / Math.sqrt(3);

/** A grid of the same shape, moved by half a voxel along each axis and turned by one degree about its centre. */
export function regriddedGrid(grid: Grid): Grid {
  const half = translation(0.5, 0.5, 0.5);
  const [i, j, k] = grid.shape.map((n) => (n - 1) / 2) as [number, number, number];
  const [x, y, z] = applyAffine(grid.affine, [i, j, k]);
  const turn = multiply(
    translation(x, y, z),
    multiply(rotation([TURN, TURN, TURN]), translation(-x, -y, -z)),
  );
  return { shape: grid.shape, affine: multiply(turn, multiply(grid.affine, half)) };
}

export function regridded(volume: Volume): Volume {
  const grid = regriddedGrid(volume.grid);
  return { grid, data: resampleLinear(volume, grid) };
}

/** Labels of the nearest voxel; 0 outside. */
export function nearestLabels(labels: ArrayLike<number>, from: Grid, to: Grid): Uint16Array {
  const m = gridToGrid(to, from);
  const [nx, ny, nz] = from.shape;
  const [tx, ty, tz] = to.shape;
  const out = new Uint16Array(tx * ty * tz);
  for (let k = 0, o = 0; k < tz; k++)
    for (let j = 0; j < ty; j++)
      for (let i = 0; i < tx; i++, o++) {
        const x = Math.round(at(m, 0, 0) * i + at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3));
        const y = Math.round(at(m, 1, 0) * i + at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3));
        const z = Math.round(at(m, 2, 0) * i + at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3));
        if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz)
          out[o] = labels[x + nx * (y + ny * z)] as number;
      }
  return out;
}
