/** The published algorithm on masks whose line is known; scripts/check-quickshear.py compares with the package. */
import { describe, expect, it } from 'vitest';
import type { Grid, Mask } from '../../volume/volume.js';
import { closestCanonical } from './canonical.js';
import { lowerHull, sheared, shearLine, warningsFor } from './quickshear.js';

/** RAS, 20 x 40 x 40 voxels of 3 mm. */
const grid: Grid = { shape: [20, 40, 40], affine: [3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] };
const sizes = [3, 3, 3] as const;

/** Brain above the line that falls by one voxel for each voxel to the back, from 10 in front of the image's front. */
function wedge(): Mask {
  const data = new Uint8Array(20 * 40 * 40);
  for (let z = 0; z < 40; z++)
    for (let front = 8; front < 25; front++)
      for (let x = 5; x < 15; x++)
        if (z >= 30 - (front - 8) && z < 35) data[x + 20 * (39 - front + 40 * z)] = 1;
  return { grid, data };
}

describe('quickshear', () => {
  it('draws the lower hull from front to back', () => {
    expect(
      lowerHull([
        [0, 5],
        [0, 8],
        [1, 3],
        [2, 2],
        [3, 1],
        [4, 4],
        [5, 3],
      ]),
    ).toEqual([
      [0, 5],
      [1, 3],
      [3, 1],
      [5, 3],
    ]);
  });

  it('cuts along the front of the mask, 10 mm below it', () => {
    const canonical = closestCanonical(grid, sizes);
    const line = shearLine(wedge(), canonical);
    expect(line.slope).toBeCloseTo(-1, 1);
    const out = sheared(canonical, line);
    expect(out.some((v, o) => v === 1 && wedge().data[o] === 1)).toBe(false);
    // 20 voxels (60 mm) in front of and below the mask is gone, the back is kept.
    expect(out[10 + 20 * (39 - 2 + 40 * 5)]).toBe(1);
    expect(out[10 + 20 * (2 + 40 * 5)]).toBe(0);
  });

  it('does the same in every order and direction of the stored axes', () => {
    const mask = wedge();
    const count = (m: Mask): number => {
      const canonical = closestCanonical(m.grid, sizes);
      return sheared(canonical, shearLine(m, canonical)).reduce((a, b) => a + b, 0);
    };
    const turned: Grid = {
      shape: [40, 40, 20],
      affine: [0, 0, 3, 0, -3, 0, 0, 117, 0, -3, 0, 117, 0, 0, 0, 1],
    };
    const data = new Uint8Array(mask.data.length);
    for (let z = 0; z < 40; z++)
      for (let y = 0; y < 40; y++)
        for (let x = 0; x < 20; x++)
          data[39 - y + 40 * (39 - z + 40 * x)] = mask.data[x + 20 * (y + 40 * z)] as number;
    expect(count({ grid: turned, data })).toBe(count(mask));
  });

  it('refuses a mask without a lower front', () => {
    const data = new Uint8Array(20 * 40 * 40);
    expect(() => shearLine({ grid, data }, closestCanonical(grid, sizes))).toThrow(
      expect.objectContaining({ tag: 'brain-implausible' }),
    );
  });

  it('warns of an unstable or a steep cut, and of no other', () => {
    const line = { slope: -2, intercept: 0, edgeMm: 6, turn: 8 };
    expect(warningsFor(line)).toEqual([]);
    expect(warningsFor({ ...line, turn: 31 })).toHaveLength(1);
    expect(warningsFor({ ...line, slope: -9 })).toHaveLength(1);
    expect(warningsFor({ ...line, slope: 0.2 })).toHaveLength(1);
  });
});
