/** Cubic upsampling: what it must reproduce, and that it never goes below zero. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upsampleCubic } from './upsample.js';

describe('upsampleCubic', () => {
  it('keeps constants, and quadratics away from the edge', () => {
    const n = 12;
    const at = (v: number, size: number): number => ((v + 0.5) / size) * n - 0.5;
    const f = (x: number, y: number, z: number): number =>
      20 + 2 * x - y + 0.5 * z + 0.1 * x * x + 0.05 * z * x;
    const data = new Float32Array(n ** 3).map((_, o) => f(o % n, ((o / n) | 0) % n, (o / n / n) | 0));
    const fine = upsampleCubic(data, n, 24);
    expect(fine).toHaveLength(24 ** 3);
    for (let k = 4; k < 20; k++)
      for (let j = 4; j < 20; j++)
        for (let i = 4; i < 20; i++)
          expect(fine[i + 24 * (j + 24 * k)]).toBeCloseTo(f(at(i, 24), at(j, 24), at(k, 24)), 3);
    expect(upsampleCubic(new Float32Array(27).fill(0.7), 3, 12).every((v) => Math.abs(v - 0.7) < 1e-6)).toBe(
      true,
    );
  });

  it('answers the same cube when the sizes are equal, without what is below zero', () => {
    const data = Float32Array.from({ length: 8 }, (_, v) => v - 2);
    expect(Array.from(upsampleCubic(data, 2, 2))).toEqual([0, 0, 0, 1, 2, 3, 4, 5]);
  });

  it('does not fall below zero or rise above the most by much', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 }),
        (values) => {
          const fine = upsampleCubic(Float32Array.from(values), 4, 8);
          for (const v of fine) {
            expect(v).toBeGreaterThanOrEqual(0);
            expect(v).toBeLessThan((1 + 0.145) ** 3);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
