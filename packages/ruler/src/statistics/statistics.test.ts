import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/errors/errors.js';
import { Random } from '../../../../src/volume/random.js';
import {
  bootstrap,
  dice,
  diceByLabel,
  icc21,
  mean,
  meanEstimate,
  quantiles,
  rocAuc,
  rocCurve,
  sd,
  signTest,
} from './statistics.js';

const random = (): Random => new Random(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NEGATIVE_INFINITY));

describe('bootstrap', () => {
  it('has the interval of a mean: 1.96 standard errors', () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => i % 2);
    const { value, low, high, n } = meanEstimate(values, random());
    expect([value, n]).toEqual([0.5, 400]);
    expect(low).toBeCloseTo(0.5 - 1.96 * 0.025, 2);
    expect(high).toBeCloseTo(0.5 + 1.96 * 0.025, 2);
  });

  it('is the same for the same seed', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    expect(meanEstimate(values, random())).toEqual(meanEstimate(values, random()));
  });

  it('leaves out resamples without a value and says NaN when there is nothing', () => {
    const first = bootstrap(2, (s) => (s[0] === s[1] ? Number.NaN : 7), random(), 50);
    expect(first).toEqual({ value: 7, low: 7, high: 7, n: 2 });
    expect(meanEstimate([Number.NaN], random())).toEqual({
      value: Number.NaN,
      low: Number.NaN,
      high: Number.NaN,
      n: 0,
    });
  });
});

describe('rocAuc', () => {
  it('counts pairs, ties half', () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 12 }),
        fc.array(score, { minLength: 1, maxLength: 12 }),
        (a, b) => {
          let wins = 0;
          for (const x of a) for (const y of b) wins += x > y ? 1 : x === y ? 0.5 : 0;
          expect(rocAuc(a, b)).toBeCloseTo(wins / (a.length * b.length), 12);
        },
      ),
    );
  });

  it('is the area under rocCurve', () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 12 }),
        fc.array(score, { minLength: 1, maxLength: 12 }),
        (a, b) => {
          const points = rocCurve(a, b);
          let area = 0;
          points.slice(1).forEach((p, i) => {
            const q = points[i] as (typeof points)[number];
            area +=
              ((p.falsePositiveRate - q.falsePositiveRate) * (p.truePositiveRate + q.truePositiveRate)) / 2;
          });
          expect(area).toBeCloseTo(rocAuc(a, b), 12);
          expect(points.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
        },
      ),
    );
  });

  it('does not guess what a missing score counts as', () => {
    expect(() => rocAuc([Number.NaN], [1])).toThrow(Failure);
    expect(rocAuc([], [1])).toBeNaN();
  });
});

describe('agreement', () => {
  it('Dice: by hand, and empty masks have none', () => {
    expect(dice([1, 1, 0, 0], [0, 255, 1, 1])).toBeCloseTo(2 / 5, 12);
    expect(dice([0, 0], [0, 0])).toBeNaN();
    expect(() => dice([1], [1, 0])).toThrow(Failure);
    expect(diceByLabel([4, 4, 7, 0], [4, 7, 7, 0], [4, 7, 9])).toEqual([
      { label: 4, dice: 2 / 3, countA: 2, countB: 1 },
      { label: 7, dice: 2 / 3, countA: 1, countB: 2 },
      { label: 9, dice: Number.NaN, countA: 0, countB: 0 },
    ]);
  });

  it('ICC(2,1): a shift of all subjects lowers agreement, unlike correlation', () => {
    const a = [1, 2, 3, 4, 5];
    expect(icc21(a, a)).toBe(1);
    // Between subjects 5, error 0, between measurements 2.5: 5 / (5 + 2 / 5 * 2.5) = 5 / 6.
    expect(icc21(a, [2, 3, 4, 5, 6])).toBeCloseTo(5 / 6, 12);
    expect(icc21(a, [5, 4, 3, 2, 1])).toBeLessThan(0);
  });
});

describe('order and spread', () => {
  it('quantiles lie between their neighbours and infinities do no harm', () => {
    expect(quantiles([4, 1, 3, 2], [0, 0.5, 1])).toEqual([1, 2.5, 4]);
    expect(quantiles([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1], [0.25])).toEqual([
      Number.NEGATIVE_INFINITY,
    ]);
    expect(quantiles([], [0.5])).toEqual([Number.NaN]);
    expect([mean([1, 2, 6]), sd([1, 2, 6]), sd([1])]).toEqual([3, Math.sqrt(7), Number.NaN]);
  });

  it('sign test: 8 of 8 and 1 of 6 by hand, zeros and NaN apart', () => {
    expect(signTest([1, 2, 3, 4, 5, 6, 7, 8]).p).toBeCloseTo(2 / 256, 12);
    const one = signTest([-1, -2, 3, -4, -5, -6, 0, Number.NaN]);
    expect([one.positive, one.negative]).toEqual([1, 5]);
    expect(one.p).toBeCloseTo((2 * 7) / 64, 12);
    expect(signTest([0, 0]).p).toBe(1);
  });
});
