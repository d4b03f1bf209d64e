/** The closed-form similarity: whatever turned, sized and moved the points comes back, and it never mirrors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, determinant3, multiply, rotation, translation, type Vec3 } from '../volume/affine.js';
import { Random } from '../volume/random.js';
import { fitSimilarity } from './similarity.js';

function cloud(seed: number, count = 40): Vec3[] {
  const random = new Random(new Uint32Array(8).fill(seed));
  return Array.from({ length: count }, () => [
    60 * random.normal(),
    80 * random.normal(),
    50 * random.normal(),
  ]);
}

const flat = (points: readonly Vec3[]): Float64Array => Float64Array.from(points.flat());
const turn = fc.tuple(
  ...[0, 1, 2].map(() => fc.double({ min: -3.1, max: 3.1, noNaN: true })),
) as unknown as fc.Arbitrary<Vec3>;

describe('fitSimilarity', () => {
  it('finds any rotation, size and shift', () => {
    fc.assert(
      fc.property(
        turn,
        fc.double({ min: 0.2, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 99 }),
        (axis, scale, seed) => {
          const motion = multiply(translation(30, -12, 200), rotation(axis));
          const from = cloud(seed);
          const to = from.map((p) => applyAffine(motion, [scale * p[0], scale * p[1], scale * p[2]]));
          const fit = fitSimilarity(flat(from), flat(to), new Float64Array(from.length).fill(1));
          expect(fit.scale).toBeCloseTo(scale, 8);
          expect(fit.residual).toBeLessThan(1e-4);
          for (const [i, v] of motion.entries()) expect(fit.pose[i]).toBeCloseTo(v, 6);
        },
      ),
    );
  });

  it('gives a rotation, not a mirror, also for mirrored points', () => {
    const from = cloud(5);
    const to = from.map((p): Vec3 => [-p[0], p[1], p[2]]);
    const fit = fitSimilarity(flat(from), flat(to), new Float64Array(from.length).fill(1));
    expect(determinant3(fit.pose)).toBeCloseTo(1, 9);
    expect(fit.residual).toBeGreaterThan(10);
  });

  it('passes over points without weight, and measures the rest in units of the first points', () => {
    const from = cloud(7, 400);
    const random = new Random(new Uint32Array(8).fill(8));
    const to = from.map(
      (p): Vec3 => [
        2 * p[0] + 6 * random.normal(),
        2 * p[1] + 6 * random.normal(),
        2 * p[2] + 6 * random.normal(),
      ],
    );
    const weights = new Float64Array(from.length).fill(1);
    for (let i = 0; i < 100; i++) {
      to[i] = [500, 500, 500];
      weights[i] = 0;
    }
    const fit = fitSimilarity(flat(from), flat(to), weights);
    expect(fit.scale).toBeCloseTo(2, 1);
    // Noise of 6 on each of three axes, at twice the size.
    expect(fit.residual).toBeGreaterThan(0.85 * 3 * Math.sqrt(3));
    expect(fit.residual).toBeLessThan(1.15 * 3 * Math.sqrt(3));
  });
});
