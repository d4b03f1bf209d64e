/** Identities of affine algebra, over random voxel-to-world transforms. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../errors/errors.js';
import {
  type Affine,
  applyAffine,
  determinant3,
  IDENTITY,
  invert,
  multiply,
  rotation,
  scaling,
  translation,
  type Vec3,
} from './affine.js';

const number = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
const vector = (reach: number): fc.Arbitrary<Vec3> =>
  fc.tuple(number(-reach, reach), number(-reach, reach), number(-reach, reach));
const spacing = fc.tuple(number(0.2, 6), fc.boolean()).map(([s, flip]) => (flip ? -s : s));
/** Any scan's grid: oblique, anisotropic, either hand. */
const affines: fc.Arbitrary<Affine> = fc
  .tuple(vector(3), fc.tuple(spacing, spacing, spacing), vector(300))
  .map(([turn, [x, y, z], [tx, ty, tz]]) =>
    multiply(translation(tx, ty, tz), multiply(rotation(turn), scaling(x, y, z))),
  );

function expectClose(a: readonly number[], b: readonly number[], tolerance: number): void {
  expect(a).toHaveLength(b.length);
  const worst = a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? Number.NaN))), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe('affines', () => {
  it('an inverse undoes its matrix from both sides', () => {
    fc.assert(
      fc.property(affines, (m) => {
        expectClose(multiply(invert(m), m), IDENTITY, 1e-9);
        expectClose(multiply(m, invert(m)), IDENTITY, 1e-9);
      }),
    );
  });

  it('products associate, have the identity, and invert in reverse', () => {
    fc.assert(
      fc.property(affines, affines, affines, (a, b, c) => {
        expectClose(multiply(multiply(a, b), c), multiply(a, multiply(b, c)), 1e-6);
        expectClose(multiply(a, IDENTITY), a, 1e-12);
        expectClose(invert(multiply(a, b)), multiply(invert(b), invert(a)), 1e-6);
      }),
    );
  });

  it('applying a product is applying one after the other', () => {
    fc.assert(
      fc.property(affines, affines, vector(200), (a, b, p) => {
        expectClose(applyAffine(multiply(a, b), p), applyAffine(a, applyAffine(b, p)), 1e-8);
      }),
    );
  });

  it('rotations keep lengths and hands, and are undone by the opposite vector', () => {
    fc.assert(
      fc.property(vector(3), vector(150), (turn, p) => {
        const m = rotation(turn);
        expect(determinant3(m)).toBeCloseTo(1, 10);
        expect(Math.hypot(...applyAffine(m, p))).toBeCloseTo(Math.hypot(...p), 8);
        expectClose(multiply(rotation([-turn[0], -turn[1], -turn[2]]), m), IDENTITY, 1e-10);
      }),
    );
  });

  it('a quarter turn about the third axis takes the first axis to the second', () => {
    expectClose(applyAffine(rotation([0, 0, Math.PI / 2]), [1, 0, 0]), [0, 1, 0], 1e-12);
  });

  it('the determinant of a grid is the signed volume of its voxel', () => {
    expect(determinant3(scaling(-0.5, 2, 3))).toBeCloseTo(-3, 12);
  });

  it('a singular matrix is a failure of ours, not NaN', () => {
    expect(() => invert(scaling(1, 0, 1))).toThrow(Failure);
    expect(() => invert(scaling(1, Number.NaN, 1))).toThrow(/singular/);
  });
});
