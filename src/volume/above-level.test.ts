/** The mask is what a resampling says, voxel by voxel, whatever grid and level. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aboveLevel } from './above-level.js';
import { IDENTITY, multiply, rotation, scaling, translation } from './affine.js';
import { Random } from './random.js';
import { resampleLinear } from './resample.js';
import type { Grid, Volume } from './volume.js';

const numbers = (low: number, high: number) => fc.double({ min: low, max: high, noNaN: true });

function lumps([nx, ny, nz]: readonly [number, number, number], seed: number): Volume {
  const random = new Random(new Uint32Array(8).fill(seed));
  const data = Float32Array.from({ length: nx * ny * nz }, () => 4 * random.normal());
  return { grid: { shape: [nx, ny, nz], affine: scaling(2, 2, 2) }, data };
}

describe('aboveLevel', () => {
  it('is what a resampling is above the level', () => {
    const size = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(
        fc.tuple(size, size, size),
        fc.integer({ min: 0, max: 999 }),
        fc.tuple(numbers(-1, 1), numbers(-1, 1), numbers(-1, 1)),
        numbers(0.5, 3),
        numbers(-6, 6),
        (shape, seed, turn, spacing, level) => {
          const volume = lumps(shape, seed);
          const affine = multiply(translation(-3, -2, -4), multiply(rotation(turn), scaling(spacing, 1, 1)));
          const grid: Grid = { shape: [17, 19, 18], affine };
          const values = resampleLinear(volume, grid, { outside: -1e30 });
          const { data } = aboveLevel(volume, grid, level);
          // Sums of steps differ in the last digits: where a value is the level to a millionth, or lies on the edge, either is right.
          const sure = values.map((v) => (Math.abs(v - level) < 1e-4 ? 0 : 1));
          const shaken = [1e-9, -1e-9].map((by) =>
            resampleLinear(
              volume,
              { shape: grid.shape, affine: multiply(translation(by, by, by), affine) },
              { outside: -1e30 },
            ),
          );
          const wrong = [...data.keys()].filter(
            (o) =>
              sure[o] === 1 &&
              shaken.every((other) => Math.abs((other[o] as number) - (values[o] as number)) < 1e-4) &&
              data[o] !== ((values[o] as number) > level ? 1 : 0),
          );
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds nothing where nothing is above', () => {
    const { data } = aboveLevel(lumps([4, 4, 4], 1), { shape: [8, 8, 8], affine: IDENTITY }, 1e6);
    expect(data.includes(1)).toBe(false);
  });
});
