/** The codebook: every index has its values and comes back. PyTorch's twin: test/geometry-scipy.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPLEMENT_LEVELS } from '../../contract/contract.js';
import { FsqCodebook } from './fsq.js';

describe('the codebook', () => {
  it('has as many codes as the product of its levels, all different, all within -1 to 1', () => {
    for (const levels of [[8, 6, 5], [8, 5, 5, 5], [2], [3, 2]]) {
      const book = new FsqCodebook(levels);
      expect(book.size).toBe(levels.reduce((a, b) => a * b, 1));
      const seen = new Set<string>();
      for (let index = 0; index < book.size; index++) {
        const values = book.values(index);
        expect(values).toHaveLength(levels.length);
        // the bound is widened by a thousandth, so the ends stand a thousandth beyond
        for (const v of values) expect(Math.abs(v)).toBeLessThan(1.0011);
        expect(book.index(values)).toBe(index);
        seen.add(values.join());
      }
      expect(seen.size).toBe(book.size);
    }
    expect(new FsqCodebook(COMPLEMENT_LEVELS).size).toBe(240);
  });

  it('takes the nearest code for values between', () => {
    const book = new FsqCodebook([8, 6, 5]);
    const value = fc.double({ min: -1.2, max: 1.2, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(value, value, value), (point) => {
        const distance = (index: number): number =>
          Math.hypot(...book.values(index).map((v, c) => v - (point[c] as number)));
        const found = book.index(point);
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThan(book.size);
        const nearest = Math.min(...Array.from({ length: book.size }, (_, i) => distance(i)));
        expect(distance(found)).toBeLessThan(nearest + 1e-9);
      }),
    );
  });
});
