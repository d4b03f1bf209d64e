/** Order statistics. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
});
