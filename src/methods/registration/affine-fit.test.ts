/** A known affine is found again: on a head of blobs, so that no network and no data are needed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  applyAffine,
  IDENTITY,
  invert,
  multiply,
  rotation,
  scaling,
  translation,
  type Vec3,
} from '../../volume/affine.js';
import { cubeGrid, type Volume } from '../../volume/volume.js';
import { fitAffine } from './affine-fit.js';

const grid = cubeGrid(IDENTITY, [0, 10, -20], 112, 2);

/** Skull, scalp, nose and a brain with folds, as a smooth function of place. */
function headAt(p: Vec3): number {
  const radius = (c: Vec3, r: Vec3): number =>
    Math.hypot((p[0] - c[0]) / r[0], (p[1] - c[1]) / r[1], (p[2] - c[2]) / r[2]);
  const soft = (r: number, width: number): number => 1 / (1 + Math.exp((r - 1) / width));
  const brain = soft(radius([0, 0, 5], [62, 78, 58]), 0.04);
  const scalp = soft(radius([0, 0, 2], [76, 96, 74]), 0.03) - soft(radius([0, 0, 2], [70, 90, 68]), 0.03);
  const face = soft(radius([0, 45, -60], [50, 50, 55]), 0.05);
  const nose = soft(radius([0, 98, -55], [12, 18, 20]), 0.1);
  const folds = 1 + 0.2 * Math.sin(p[0] / 11) * Math.sin(p[1] / 14 + 1) * Math.sin(p[2] / 12);
  return brain * folds + 0.8 * scalp + 0.6 * Math.max(face, nose) * (1 - brain);
}

/** The head where `motion` brings it, as bright as `gain` makes it. */
function moved(motion: Affine, gain = 1): Volume {
  const back = invert(motion);
  const [nx, ny, nz] = grid.shape;
  const data = new Float32Array(nx * ny * nz);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++)
        data[o] = gain * headAt(applyAffine(back, applyAffine(grid.affine, [i, j, k])));
  return { grid, data };
}

const fixed = moved(IDENTITY);
const PLACES: Vec3[] = [
  [0, 110, -55],
  [0, -95, 0],
  [74, 0, 0],
  [-74, 0, 0],
  [0, 0, 75],
  [0, 80, -100],
];

function worstMm(a: Affine, b: Affine): number {
  return Math.max(
    ...PLACES.map((p) => {
      const [u, v] = [applyAffine(a, p), applyAffine(b, p)];
      return Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]);
    }),
  );
}

describe('fitAffine', () => {
  it('finds a known affine again within 1.5 mm over the head', () => {
    const number = (reach: number): fc.Arbitrary<number> =>
      fc.double({ min: -reach, max: reach, noNaN: true });
    const motions = fc.tuple(
      fc.tuple(number(8), number(8), number(8)),
      fc.tuple(number(0.12), number(0.1), number(0.1)),
      fc.tuple(number(0.1), number(0.1), number(0.1)),
      number(0.06),
      fc.double({ min: 0.6, max: 1.6, noNaN: true }),
    );
    fc.assert(
      fc.property(motions, ([shift, turn, size, shear, gain]) => {
        const sheared = [1, shear, 0, 0, 0, 1, shear, 0, 0, 0, 1, 0, 0, 0, 0, 1];
        const scaled = multiply(scaling(1 + size[0], 1 + size[1], 1 + size[2]), sheared);
        const motion = multiply(translation(...shift), multiply(rotation(turn), scaled));
        const { affine, correlation } = fitAffine(fixed, moved(motion, gain));
        expect(worstMm(affine, motion)).toBeLessThan(1.5);
        expect(correlation).toBeGreaterThan(0.95);
      }),
      { seed: 7, numRuns: 3 },
    );
  });

  it('finds it where the scan ends at the chin and the top is cut off', () => {
    const motion = multiply(
      translation(4, -5, 3),
      multiply(rotation([0.08, 0, 0.05]), scaling(1.05, 0.96, 1.03)),
    );
    const cut = moved(motion);
    const plane = 112 * 112;
    cut.data.fill(Number.NaN, 0, 25 * plane);
    cut.data.fill(Number.NaN, 98 * plane);
    expect(worstMm(fitAffine(fixed, cut).affine, motion)).toBeLessThan(1.5);
  });

  it('stays where it started when there is nothing to see', () => {
    const nothing = { grid, data: new Float32Array(fixed.data.length) };
    expect(fitAffine(fixed, nothing)).toEqual({ affine: IDENTITY, correlation: 0 });
  });
});
