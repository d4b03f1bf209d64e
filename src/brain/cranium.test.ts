/** What `--keep cranium` keeps: a plane that goes with the brain, and the skin above it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  applyAffine,
  IDENTITY,
  invert,
  multiply,
  rotation,
  translation,
} from '../volume/affine.js';
import { cubeGrid, type Volume } from '../volume/volume.js';
import { aboveBrow, craniumMask, directionOf, RINGS, ROUND, skinRadii } from './cranium.js';

const pose: Affine = multiply(translation(7, -12, 30), rotation([0.2, -0.1, 0.3]));

describe('craniumMask', () => {
  it('lies above the brow of the posed brain, in any grid', () => {
    const grid = cubeGrid(multiply(pose, rotation([-0.4, 0.3, 0.1])), [3, 9, -20], 20, 12);
    const { data } = craniumMask(pose, grid);
    const back = multiply(invert(pose), grid.affine);
    fc.assert(
      fc.property(fc.tuple(...[0, 0, 0].map(() => fc.integer({ min: 0, max: 19 }))), (at) => {
        const [i, j, k] = at as [number, number, number];
        const [, y, z] = applyAffine(back, [i, j, k]);
        expect(data[i + 20 * (j + 20 * k)]).toBe(aboveBrow(y, z) ? 1 : 0);
      }),
    );
    // nose, eyes and ears of the mean head; its crown
    for (const [y, z] of [
      [125, -60],
      [95, -32],
      [0, -50],
      [100, -18],
    ] as const)
      expect(aboveBrow(y, z)).toBe(false);
    expect(aboveBrow(0, 70)).toBe(true);
  });
});

describe('skinRadii', () => {
  /** A ball of radius 90 mm about the brain's centre, brightness 100, and a bright nose below the plane. */
  const ball: Volume = (() => {
    const grid = cubeGrid(IDENTITY, [7, -12, 30], 128, 2);
    const back = multiply(invert(pose), grid.affine);
    const data = new Float32Array(128 ** 3);
    for (let k = 0, o = 0; k < 128; k++)
      for (let j = 0; j < 128; j++)
        for (let i = 0; i < 128; i++, o++) {
          const [x, y, z] = applyAffine(back, [i, j, k]);
          if (Math.hypot(x, y, z) < 90 || Math.hypot(x, y - 110, z + 60) < 20) data[o] = 100;
        }
    return { grid, data };
  })();

  it('finds a ball where it is, above the plane alone', () => {
    const radii = skinRadii(ball, 100, pose);
    let known = 0;
    for (let ring = 0; ring < RINGS; ring++)
      for (let place = 0; place < ROUND; place++) {
        const r = radii[ring * ROUND + place] as number;
        const [, y, z] = directionOf(ring, place);
        if (Number.isNaN(r)) expect([80, 90, 100].every((mm) => aboveBrow(mm * y, mm * z - 4))).toBe(false);
        else {
          known++;
          expect(Math.abs(r - 90)).toBeLessThan(3);
          expect(aboveBrow(r * y, r * z)).toBe(true);
        }
      }
    expect(known).toBeGreaterThan(0.5 * radii.length);
  });

  it('does not look at what lies below the plane', () => {
    const { data } = craniumMask(pose, ball.grid);
    const other = { grid: ball.grid, data: ball.data.map((v, o) => (data[o] === 1 ? v : 500 - 3 * v)) };
    expect(skinRadii(other, 100, pose)).toEqual(skinRadii(ball, 100, pose));
  });
});
