/** Resampling: exact where it can be, and blind to the order in which a scanner stores its axes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, IDENTITY, multiply, rotation, scaling, translation, type Vec3 } from './affine.js';
import { Random } from './random.js';
import { coverage, resampleLinear } from './resample.js';
import { sha256 } from './sha256.js';
import { cubeGrid, type Grid, type Shape, type Volume, voxelCount } from './volume.js';

function noise(grid: Grid, label = 0): Volume {
  const random = new Random(sha256(Uint8Array.of(label)));
  return { grid, data: Float32Array.from({ length: voxelCount(grid.shape) }, () => random.uniform() * 100) };
}

const grid: Grid = {
  shape: [9, 7, 8],
  affine: multiply(translation(-9, -7, 4), multiply(rotation([0.2, -0.4, 0.3]), scaling(2, 1.5, 3))),
};

function worstDifference(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] as number))), 0);
}

/** The same scan with axis `order[c]` of the original as its axis c, reversed where `flips[c]`. */
function reordered(volume: Volume, order: readonly number[], flips: readonly boolean[]): Volume {
  const { shape } = volume.grid;
  const size = order.map((from) => shape[from] as number) as [number, number, number];
  const toOld = new Array<number>(16).fill(0);
  toOld[15] = 1;
  order.forEach((from, c) => {
    toOld[4 * from + c] = flips[c] === true ? -1 : 1;
    if (flips[c] === true) toOld[4 * from + 3] = (shape[from] as number) - 1;
  });
  const data = new Float32Array(volume.data.length);
  for (let k = 0, o = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++, o++) {
        const [x, y, z] = applyAffine(toOld, [i, j, k]);
        data[o] = volume.data[x + shape[0] * (y + shape[1] * z)] as number;
      }
  return { grid: { shape: size as Shape, affine: multiply(volume.grid.affine, toOld) }, data };
}

describe('resampling', () => {
  it('onto its own grid changes nothing', () => {
    const volume = noise(grid);
    expect(worstDifference(resampleLinear(volume, grid), volume.data)).toBeLessThan(1e-4);
  });

  it('gives a linear function back exactly between voxel centres', () => {
    const f = (p: Vec3): number => 3 * p[0] - 2 * p[1] + 0.5 * p[2] + 40;
    const data = new Float32Array(voxelCount(grid.shape));
    for (let k = 0, o = 0; k < 8; k++)
      for (let j = 0; j < 7; j++)
        for (let i = 0; i < 9; i++, o++) data[o] = f(applyAffine(grid.affine, [i, j, k]));
    const inner: Grid = {
      shape: [5, 4, 6],
      affine: multiply(grid.affine, multiply(translation(0.3, 0.7, 0.1), scaling(1.6, 1.7, 1.3))),
    };
    const out = resampleLinear({ grid, data }, inner);
    for (let k = 0, o = 0; k < 6; k++)
      for (let j = 0; j < 4; j++)
        for (let i = 0; i < 5; i++, o++)
          expect(out[o]).toBeCloseTo(f(applyAffine(inner.affine, [i, j, k])), 3);
  });

  it('does not depend on the order or direction of the stored axes', () => {
    const volume = noise(grid);
    const target = cubeGrid(multiply(translation(3, 0, 10), rotation([0.5, 0.1, -0.7])), [0, 0, 0], 12, 2.2);
    const expected = resampleLinear(volume, target, { outside: -5 });
    const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 });
    const flips = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(orders, flips, (order, flip) => {
        const other = resampleLinear(reordered(volume, order, flip), target, { outside: -5 });
        expect(worstDifference(other, expected)).toBeLessThan(1e-3);
      }),
      { numRuns: 48 },
    );
  });

  it('and permuting the target permutes the result', () => {
    const volume = noise(grid);
    const target = noise(cubeGrid(rotation([0.1, 0.2, 0.3]), [1, 2, 12], 10, 2));
    const straight: Volume = { grid: target.grid, data: resampleLinear(volume, target.grid) };
    const turned = reordered(straight, [2, 0, 1], [true, false, true]);
    expect(worstDifference(resampleLinear(volume, turned.grid), turned.data)).toBeLessThan(1e-3);
  });

  it('holds the edge value for half a voxel, then gives what stands for outside', () => {
    const line: Volume = { grid: { shape: [3, 1, 1], affine: IDENTITY }, data: Float32Array.of(10, 20, 40) };
    const target: Grid = { shape: [9, 1, 1], affine: multiply(translation(-1, 0, 0), scaling(0.5, 1, 1)) };
    expect([...resampleLinear(line, target, { outside: -1 })]).toEqual([-1, -1, 10, 15, 20, 30, 40, -1, -1]);
    const near: Grid = {
      shape: [2, 1, 1],
      affine: multiply(translation(-0.49, 0.49, 0), scaling(2.98, 1, 1)),
    };
    expect([...resampleLinear(line, near)]).toEqual([10, 40]);
    expect([...coverage(line.grid, target)]).toEqual([0, 0, 1, 1, 1, 1, 1, 0, 0]);
  });

  it('computes only what is asked: chosen voxels, a slab', () => {
    const volume = noise(grid);
    const target = cubeGrid(IDENTITY, [0, 0, 12], 8, 2);
    const all = resampleLinear(volume, target);
    const only = new Uint8Array(512).map((_, i) => (i % 3 === 0 ? 1 : 0));
    expect(resampleLinear(volume, target, { only })).toEqual(all.map((v, i) => (only[i] === 1 ? v : 0)));
    expect(resampleLinear(volume, target, { slab: [3, 6] })).toEqual(all.slice(3 * 64, 6 * 64));
    expect(resampleLinear(volume, target, { slab: [3, 6], only })).toEqual(
      all.map((v, i) => (only[i] === 1 ? v : 0)).slice(3 * 64, 6 * 64),
    );
  });
});
