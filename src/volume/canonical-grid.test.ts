/** The 2 mm grid in RAS order, and labels carried to it and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, at, multiply, rotation, scaling, translation, type Vec3 } from './affine.js';
import { canonicalGrid } from './canonical-grid.js';
import { sampleNearest } from './nearest.js';
import { resampleLinear } from './resample.js';
import { type Grid, voxelCount, voxelSizes } from './volume.js';

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** A grid of 2 mm whose axes run along the world's in any order and sense, turned a little. */
const grids = fc
  .record({
    order: fc.constantFrom(...ORDERS),
    flips: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    shape: fc.tuple(
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 2, max: 7 }),
    ),
    turn: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -0.2, max: 0.2, noNaN: true }))),
  })
  .map(({ order, flips, shape, turn }): Grid => {
    const axes = new Array<number>(16).fill(0);
    axes[15] = 1;
    order.forEach((world, axis) => {
      axes[4 * world + axis] = flips[axis] === true ? -2 : 2;
    });
    return {
      shape,
      affine: multiply(translation(3, -5, 7), multiply(rotation(turn as unknown as Vec3), axes)),
    };
  });

describe('the canonical grid', () => {
  it('runs right, front and up, and copies the voxels of a 2 mm scan without interpolation', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const target = canonicalGrid(grid);
        expect([...target.shape].sort()).toEqual([...grid.shape].sort());
        for (const axis of [0, 1, 2]) expect(at(target.affine, axis, axis)).toBeGreaterThan(1.8);
        const data = Float32Array.from({ length: voxelCount(grid.shape) }, (_, i) => i % 251);
        const there = resampleLinear({ grid, data }, target);
        expect([...there].map(Math.round).sort()).toEqual([...data].sort());
        for (const v of there) expect(Math.abs(v - Math.round(v))).toBeLessThan(1e-4);
        const labels = sampleNearest({ grid, data }, target);
        expect([...labels]).toEqual([...there].map(Math.round));
        expect([...sampleNearest({ grid: target, data: labels }, grid)]).toEqual([...data]);
      }),
      { numRuns: 60 },
    );
  });

  it('covers the field of view of any other scan in 2 mm along the world', () => {
    const affine = multiply(rotation([0.3, 0, 0.2]), scaling(-1, 1.2, 0.9));
    const grid: Grid = { shape: [30, 20, 40], affine };
    const target = canonicalGrid(grid);
    expect(voxelSizes(target)).toEqual([2, 2, 2]);
    const corner: Vec3 = [29.5, -0.5, 39.5];
    const [x, y, z] = applyAffine(affine, corner);
    const low = applyAffine(target.affine, [-0.5, -0.5, -0.5]);
    [x, y, z].forEach((v, axis) => {
      expect(v).toBeGreaterThanOrEqual((low[axis] as number) - 1e-9);
      expect(v).toBeLessThanOrEqual((low[axis] as number) + 2 * (target.shape[axis] as number) + 1e-9);
    });
  });
});
