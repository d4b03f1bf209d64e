import { describe, expect, it } from 'vitest';
import { applyAffine } from '../../../../src/volume/affine.js';
import { headGrid, syntheticHead } from '../../../../src/volume/testing/synthetic-head.js';
import { dice } from '../statistics/statistics.js';
import { nearestLabels, regridded, regriddedGrid } from './regrid.js';

const grid = headGrid({ spacing: [4, 4, 4] });
const head = syntheticHead({ grid });

describe('the same head, scanned a little differently', () => {
  it('lies half a voxel and one degree off', () => {
    const moved = regriddedGrid(grid);
    const centre = grid.shape.map((n) => (n - 1) / 2) as [number, number, number];
    const [x, y, z] = applyAffine(moved.affine, centre);
    const [a, b, c] = applyAffine(grid.affine, centre);
    // Half a voxel of 4 mm along each axis, turned by next to nothing.
    expect(Math.hypot(x - a, y - b, z - c)).toBeCloseTo(Math.sqrt(12), 6);
    const trace = [0, 5, 10].reduce(
      (sum, i) => sum + (moved.affine[i] as number) / (grid.affine[i] as number),
      0,
    );
    expect((Math.acos((trace - 1) / 2) * 180) / Math.PI).toBeCloseTo(1, 5);
  });

  it('is the same head: its labels come back', () => {
    const moved = regridded(head.volume);
    const labels = nearestLabels(head.brainMask.data, grid, moved.grid);
    const back = nearestLabels(labels, moved.grid, grid);
    expect(dice(back, head.brainMask.data)).toBeGreaterThan(0.93);
    expect(dice(nearestLabels(head.brainMask.data, grid, grid), head.brainMask.data)).toBe(1);
  });
});
