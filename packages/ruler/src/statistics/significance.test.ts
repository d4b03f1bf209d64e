import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/errors/errors.js';
import { midRanks, pearson, spearman, wilcoxonSignedRank } from './significance.js';

describe('wilcoxonSignedRank', () => {
  it('is exact: five of one sign are 2 in 32, and of n = 10 with T = 8 the published table says 0.0488', () => {
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5]).p).toBeCloseTo(1 / 16, 12);
    const { negative, p } = wilcoxonSignedRank([-1, 2, -3, -4, 5, 6, 7, 8, 9, 10]);
    expect(negative).toBe(8);
    expect(p).toBeCloseTo(0.0488, 4);
  });

  it('does not mind order or which side is which, and leaves zeros out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 30 }), (differences) => {
        const there = wilcoxonSignedRank(differences);
        const back = wilcoxonSignedRank([...differences, 0, Number.NaN].reverse().map((d) => -d));
        expect(back.p).toBeCloseTo(there.p, 10);
        expect(back.positive).toBe(there.negative);
        expect(there.p).toBeGreaterThanOrEqual(0);
        expect(there.p).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('goes over to the normal distribution without a step', () => {
    const differences = Array.from({ length: 201 }, (_, i) => ((i * 37) % 201) - 88);
    const [exact, normal] = [differences.slice(1), differences].map((d) => wilcoxonSignedRank(d).p);
    expect(exact).toBeCloseTo(normal as number, 1.5);
  });
});

describe('correlation', () => {
  it('of lines is 1 or -1 and certain, of a constant there is none', () => {
    expect(pearson([1, 2, 3, 4], [3, 5, 7, 9])).toEqual({ r: 1, p: 0, n: 4 });
    expect(spearman([1, 2, 3, 4], [9, 4, 1, 0]).r).toBe(-1);
    expect(pearson([1, 1, 1], [1, 2, 3]).r).toBeNaN();
    expect(pearson([1, 2, Number.NaN, 4], [1, 2, 9, 4]).n).toBe(3);
    expect(() => pearson([1], [1, 2])).toThrow(Failure);
  });

  it('ranks ties by their mean', () => {
    expect([...midRanks([10, 20, 10, 30])]).toEqual([1.5, 3, 1.5, 4]);
  });
});
