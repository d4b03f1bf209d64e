import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure, Refusal } from '../../../../src/errors/errors.js';
import { Random } from '../../../../src/volume/random.js';
import { identify, identifyShuffled, pairScores, queryOutcomes } from './identification.js';

const random = (word = 1): Random => new Random(Uint32Array.of(word, 2, 3, 4, 5, 6, 7, 8));
const matrix = (n: number, value: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, p) => value(Math.floor(p / n), p % n));

/** Every choice of four distractors, one after another. */
function fiveWayByHand(row: readonly number[], own: number): number {
  const score = (j: number): number => {
    const s = row[j] as number;
    return Number.isNaN(s) ? Number.NEGATIVE_INFINITY : s;
  };
  const others = row.map((_, j) => j).filter((j) => j !== own);
  let [sum, count] = [0, 0];
  const choose = (from: number, chosen: readonly number[]): void => {
    if (chosen.length === 4) {
      count++;
      const best = Math.max(...chosen.map(score), score(own));
      const tied = chosen.filter((j) => score(j) === best).length;
      if (score(own) === best) sum += 1 / (1 + tied);
      return;
    }
    for (let o = from; o < others.length; o++) choose(o + 1, [...chosen, others[o] as number]);
  };
  choose(0, []);
  return sum / count;
}

describe('queryOutcomes', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NaN));
  it('five-way is the mean over all choices of four distractors, ties and unusable pictures included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 9 }).chain((n) => fc.array(value, { minLength: n * n, maxLength: n * n })),
        (scores) => {
          const n = Math.sqrt(scores.length);
          queryOutcomes(Float64Array.from(scores), n).forEach(({ fiveWay }, i) => {
            expect(fiveWay).toBeCloseTo(fiveWayByHand(scores.slice(i * n, (i + 1) * n), i), 12);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ranks by hand: second of seven, and tied for first with one other', () => {
    const second = matrix(7, (i, j) => (i === j ? 5 : j === (i + 1) % 7 ? 6 : 0));
    for (const { rank1, rank5 } of queryOutcomes(second, 7)) expect([rank1, rank5]).toEqual([0, 1]);
    const tied = matrix(7, (i, j) => (i === j || j === (i + 1) % 7 ? 6 : 0));
    for (const { rank1, rank5 } of queryOutcomes(tied, 7)) expect([rank1, rank5]).toEqual([0.5, 1]);
    // Six equal candidates beside the truth: the fifth place or better in 5 of 7 orders.
    for (const { rank5 } of queryOutcomes(new Float64Array(49), 7)) expect(rank5).toBeCloseTo(5 / 7, 12);
  });
});

describe('identify', () => {
  it('knows everyone, and no one', () => {
    const all = identify(
      matrix(12, (i, j) => (i === j ? 1 : 0)),
      12,
      random(),
    );
    for (const key of ['fiveWay', 'rank1', 'rank5', 'auc'] as const)
      expect(all[key]).toEqual({ value: 1, low: 1, high: 1, n: 12 });
    const none = identify(
      matrix(12, () => 0),
      12,
      random(),
    );
    expect(none.fiveWay.value).toBeCloseTo(0.2, 12);
    expect([none.rank1.value, none.rank5.value]).toEqual([
      expect.closeTo(none.chance.rank1, 12),
      expect.closeTo(none.chance.rank5, 12),
    ]);
    expect(none.auc.value).toBe(0.5);
  });

  it('an unusable gallery is a random guess, and rows without a score are counted', () => {
    const found = identify(new Float64Array(64).fill(Number.NaN), 8, random());
    expect([found.fiveWay.value, found.auc.value, found.unusable]).toEqual([expect.closeTo(0.2, 12), 0.5, 8]);
  });

  it('stands at chance for an attacker who knows nothing, however many pictures are unusable', () => {
    const draws = random(9);
    const rates = Array.from({ length: 400 }, () => {
      const unusable = Array.from({ length: 10 }, () => draws.uniform() < 0.5);
      const scores = matrix(10, (_, j) => (unusable[j] === true ? Number.NaN : draws.uniform()));
      return identify(scores, 10, draws, 1);
    });
    const average = (pick: (r: (typeof rates)[number]) => number): number =>
      rates.reduce((sum, r) => sum + pick(r), 0) / rates.length;
    expect(average((r) => r.fiveWay.value)).toBeCloseTo(0.2, 1.5);
    expect(average((r) => r.rank1.value)).toBeCloseTo(0.1, 1.5);
    expect(average((r) => r.auc.value)).toBeCloseTo(0.5, 1.5);
  });

  it('has intervals that hold the truth about as often as they say', () => {
    // Own score: normal about 1; others: normal about 0. The true AUC is Phi(1 / sqrt 2) = 0.7602.
    const draws = random(5);
    let [auc, fiveWay] = [0, 0];
    const trials = 60;
    for (let t = 0; t < trials; t++) {
      const found = identify(
        matrix(30, (i, j) => (i === j ? 1 : 0) + draws.normal()),
        30,
        draws,
        200,
      );
      if (found.auc.low <= 0.7602 && 0.7602 <= found.auc.high) auc++;
      // Phi(x)^4 averaged over x normal about 1: 0.4937 (numerical integration).
      if (found.fiveWay.low <= 0.4937 && 0.4937 <= found.fiveWay.high) fiveWay++;
    }
    expect(auc / trials).toBeGreaterThan(0.85);
    expect(fiveWay / trials).toBeGreaterThan(0.85);
  });

  it('refuses a cohort that is too small, and a matrix that is not square', () => {
    expect(() => identify(new Float64Array(16), 4, random())).toThrow(Refusal);
    expect(() => identify(new Float64Array(30), 6, random())).toThrow(Failure);
  });
});

describe('controls', () => {
  it('shuffled labels sit at chance even where everyone is known', () => {
    const found = identifyShuffled(
      matrix(18, (i, j) => (i === j ? 1 : 0.01 * ((i * 7 + j * 3) % 11))),
      18,
      random(),
    );
    expect(found.fiveWay.value).toBeCloseTo(0.2, 1);
    expect(found.rank1.value).toBeCloseTo(1 / 18, 1);
    expect(found.auc.value).toBeCloseTo(0.5, 1);
    expect(found.fiveWay.low).toBeLessThan(0.2);
    expect(found.fiveWay.high).toBeGreaterThan(0.2);
  });

  it('hands own pairs and other pairs to the ROC curve', () => {
    const { own, others } = pairScores(
      matrix(5, (i, j) => 10 * i + j),
      5,
    );
    expect([...own]).toEqual([0, 11, 22, 33, 44]);
    expect(others).toHaveLength(20);
    expect([...others]).not.toContain(22);
  });
});
