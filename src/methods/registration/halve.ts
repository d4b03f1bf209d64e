/**
 * A volume at half its resolution: means of 2^3 blocks, NaN where any of the eight is.
 *
 * @example
 * const at4mm = halve(at2mm);
 */
import { multiply, scaling, translation } from '../../volume/affine.js';
import type { Grid, Volume } from '../../volume/volume.js';

/** The grid of `halve`'s result. */
export function halvedGrid({ shape, affine }: Grid): Grid {
  return {
    shape: [shape[0] >> 1, shape[1] >> 1, shape[2] >> 1],
    affine: multiply(affine, multiply(translation(0.5, 0.5, 0.5), scaling(2, 2, 2))),
  };
}

/** An odd last voxel along an axis is left out. */
export function halve({ grid, data }: Volume): Volume {
  const [nx, ny] = grid.shape;
  const half = halvedGrid(grid);
  const { shape } = half;
  const out = new Float32Array(shape[0] * shape[1] * shape[2]);
  const plane = nx * ny;
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++) {
      let v = 2 * (nx * j + plane * k);
      for (let i = 0; i < shape[0]; i++, o++, v += 2)
        out[o] =
          ((data[v] as number) +
            (data[v + 1] as number) +
            (data[v + nx] as number) +
            (data[v + nx + 1] as number) +
            (data[v + plane] as number) +
            (data[v + plane + 1] as number) +
            (data[v + plane + nx] as number) +
            (data[v + plane + nx + 1] as number)) /
          8;
    }
  return { grid: half, data: out };
}
