/** Grids: sizes, sameness, the cube in a pose. */
import { describe, expect, it } from 'vitest';
import { applyAffine, IDENTITY, multiply, rotation, scaling, translation } from './affine.js';
import { cubeGrid, type Grid, sameGrid, voxelCount, voxelMillilitres, voxelSizes } from './volume.js';

const oblique: Grid = {
  shape: [10, 20, 30],
  affine: multiply(
    translation(5, -6, 7),
    multiply(rotation([0.3, -0.2, 0.5]), multiply(scaling(-1, 1, 1), scaling(0.9, 1.5, 3))),
  ),
};

describe('grids', () => {
  it('gives voxel edges and volume whatever the orientation', () => {
    const [x, y, z] = voxelSizes(oblique);
    expect([x, y, z].map((v) => Number(v.toFixed(9)))).toEqual([0.9, 1.5, 3]);
    expect(voxelMillilitres(oblique)).toBeCloseTo(0.00405, 12);
    expect(voxelCount(oblique.shape)).toBe(6000);
  });

  it('sees a hundredth of a millimetre at the far corner, and forgives rounding to float32', () => {
    const rounded: Grid = { shape: oblique.shape, affine: Array.from(Float32Array.from(oblique.affine)) };
    expect(sameGrid(oblique, rounded)).toBe(true);
    const shifted: Grid = { ...oblique, affine: multiply(translation(0.02, 0, 0), oblique.affine) };
    expect(sameGrid(oblique, shifted)).toBe(false);
    const turned: Grid = { ...oblique, affine: multiply(oblique.affine, rotation([0, 0, 0.002])) };
    expect(sameGrid(oblique, turned)).toBe(false);
    expect(sameGrid(oblique, { ...oblique, shape: [10, 20, 31] })).toBe(false);
  });

  it('centres a cube in its pose, axes right, front, up', () => {
    const pose = multiply(translation(11, 12, 13), rotation([0.1, 0.2, -0.3]));
    const grid = cubeGrid(pose, [0, 22, -30], 64, 4);
    const middle = applyAffine(grid.affine, [31.5, 31.5, 31.5]);
    const expected = applyAffine(pose, [0, 22, -30]);
    middle.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i] as number, 9);
    });
    expect(applyAffine(cubeGrid(IDENTITY, [0, 0, 0], 2, 2).affine, [1, 0, 0])).toEqual([1, -1, -1]);
  });
});
