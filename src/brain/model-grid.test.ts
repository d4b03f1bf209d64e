/** The cube of the design. */
import { describe, expect, it } from 'vitest';
import { applyAffine, IDENTITY, invert, multiply, rotation, translation } from '../volume/affine.js';
import { voxelSizes } from '../volume/volume.js';
import { MODEL_CENTRE, modelGrid } from './model-grid.js';

describe('the model grid', () => {
  it('is a 256 mm cube at either resolution, 22 mm before and 30 mm below the brain', () => {
    for (const resolution of [128, 256]) {
      const spacing = 256 / resolution;
      const grid = modelGrid(IDENTITY, resolution);
      expect(grid.shape).toEqual([resolution, resolution, resolution]);
      expect(voxelSizes(grid)).toEqual([spacing, spacing, spacing]);
      const last = resolution - 0.5;
      expect(applyAffine(grid.affine, [-0.5, -0.5, -0.5])).toEqual([-128, 22 - 128, -30 - 128]);
      expect(applyAffine(grid.affine, [last, last, last])).toEqual([128, 22 + 128, -30 + 128]);
    }
  });

  it('goes with the pose', () => {
    const pose = multiply(translation(5, 6, 7), rotation([0.2, 0.3, -0.1]));
    const grid = modelGrid(pose, 128);
    const middle = applyAffine(multiply(invert(pose), grid.affine), [63.5, 63.5, 63.5]);
    middle.forEach((v, i) => {
      expect(v).toBeCloseTo(MODEL_CENTRE[i] as number, 9);
    });
  });
});
