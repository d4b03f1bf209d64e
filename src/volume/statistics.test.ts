/** Order statistics. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';
import { quantile, valuesInside } from './statistics.js';

describe('statistics', () => {
  it('takes finite values inside the mask, in order', () => {
    const data = Float32Array.of(1, Number.NaN, 3, 4, Number.POSITIVE_INFINITY);
    expect([...valuesInside(data, Uint8Array.of(1, 1, 0, 1, 1))]).toEqual([1, 4]);
    expect(valuesInside(data, new Uint8Array(5))).toHaveLength(0);
  });

  it('has the median in the middle, the ends at the ends, and is never outside them', () => {
    expect(quantile(Float32Array.of(9, 1, 5), 0.5)).toBe(5);
    expect(quantile(Float32Array.of(4, 1, 2, 3), 0.5)).toBe(2.5);
    expect(quantile(new Float32Array(0), 0.5)).toBeNaN();
    const values = fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (v, p, q) => {
          const data = Float32Array.from(v);
          const [low, high] = [quantile(data, Math.min(p, q)), quantile(data, Math.max(p, q))];
          expect(low).toBeLessThanOrEqual(high);
          expect(quantile(data, 0)).toBe(Math.min(...data));
          expect(quantile(data, 1)).toBe(Math.max(...data));
        },
      ),
    );
  });

  it('gives the same of many values, counted in buckets first, as a sort does', () => {
    const many = fc.record({
      seed: fc.integer({ min: 0, max: 1e6 }),
      n: fc.integer({ min: 1 << 16, max: (1 << 16) + 9 }),
      // Whole numbers as scanners give them, a z-score, one value 10,000 times as bright as the rest, and one value alone.
      kind: fc.constantFrom('whole', 'scored', 'hot', 'one'),
    });
    const share = fc.oneof(fc.constantFrom(0, 0.005, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(many, share, ({ seed, n, kind }, q) => {
        const random = new Random(new Uint32Array(8).fill(seed));
        const data = Float32Array.from({ length: n }, () => {
          if (kind === 'one') return 7;
          return kind === 'whole' ? Math.floor(400 * random.uniform()) : 3 * random.uniform() - 1.5;
        });
        if (kind === 'hot') data[n >> 1] = 1e4;
        const sorted = data.slice().sort();
        const at = (n - 1) * q;
        const low = sorted[Math.floor(at)] as number;
        const high = sorted[Math.ceil(at)] as number;
        expect(quantile(data, q)).toBeCloseTo(low + (high - low) * (at - Math.floor(at)), 10);
      }),
      { numRuns: 30 },
    );
  });
});
