/** The range of a scan: from a sample that no order of its axes changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IDENTITY } from '../volume/affine.js';
import { Random } from '../volume/random.js';
import type { Shape, Volume } from '../volume/volume.js';
import { intensityRange } from './levels.js';

function noise(shape: Shape, seed: number): Volume {
  const random = new Random(new Uint32Array(8).fill(seed));
  const data = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.normal());
  return { grid: { shape, affine: IDENTITY }, data };
}

/** The same voxels with the axes in another order, some of them run backwards. */
function stored({ grid, data }: Volume, order: Shape, backwards: readonly boolean[]): Volume {
  const shape = order.map((a) => grid.shape[a]) as unknown as Shape;
  const out = new Float32Array(data.length);
  for (let k = 0, v = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let i = 0; i < shape[0]; i++, v++) {
        const from = [0, 0, 0];
        [i, j, k].forEach((at, a) => {
          from[order[a] as number] = backwards[a] === true ? (shape[a] as number) - 1 - at : at;
        });
        const [x, y, z] = from as unknown as Shape;
        out[v] = data[x + grid.shape[0] * (y + grid.shape[1] * z)] as number;
      }
  return { grid: { shape, affine: IDENTITY }, data: out };
}

describe('intensityRange', () => {
  it('is the same to the last bit however the axes are stored', () => {
    const size = fc.integer({ min: 1, max: 140 });
    const orders = fc.constantFrom<Shape>([0, 1, 2], [2, 0, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0]);
    fc.assert(
      fc.property(
        fc.tuple(size, size, size),
        orders,
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        fc.integer({ min: 0, max: 1e6 }),
        (shape, order, backwards, seed) => {
          const volume = noise(shape, seed);
          expect(intensityRange(stored(volume, order, backwards))).toEqual(intensityRange(volume));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('has the percentiles of all voxels to a few thousandths of their rank', () => {
    const { low, high } = intensityRange(noise([150, 161, 147], 7));
    // The 1st percentile of a standard normal is -2.326; there a thousandth of rank is 0.037.
    expect(low).toBeCloseTo(-2.326, 1);
    expect(high).toBeCloseTo(2.326, 1);
  });

  it('is of finite voxels alone, and nothing where there are none', () => {
    const volume = noise([4, 5, 6], 3);
    volume.data.fill(Number.NaN, 0, 60);
    const { low, high } = intensityRange(volume);
    expect(Number.isFinite(low) && high > low).toBe(true);
    expect(intensityRange({ ...volume, data: new Float32Array(120).fill(Number.NaN) })).toEqual({
      low: 0,
      high: 0,
    });
  });
});
