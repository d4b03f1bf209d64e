/**
 * From scores of likeness to rates of identification: five-way forced choice, rank-1, rank-5 and area under the ROC
 * curve, each with an interval over subjects.
 *
 * Ties are broken at random, in expectation. A score that is NaN (no face found, nothing to see) is set below all
 * scores and ties with the other NaN, for the truth and for distractors alike: a query without any usable score is
 * a random guess, and an attacker who knows nothing stands exactly at chance however many pictures are unusable.
 * Counting an unusable truth as a guess and unusable distractors as beaten would put him at 27 % of five-way choices
 * when half of the pictures are unusable.
 *
 * @example
 * const { fiveWay, rank1, chance } = identify(similarity, subjects.length, random); // row: original, column: treated
 */
import { Failure, Refusal } from 'prosopon';
import type { Random } from 'prosopon/imaging';
import { bootstrap, type Estimate, mean, quantiles, rocAuc } from '../statistics/statistics.js';

export interface Identification {
  /** Rate of right answers among the subject's own picture and four others', 0 to 1. */
  readonly fiveWay: Estimate;
  /** Rate at which the own picture is the most alike of all n. */
  readonly rank1: Estimate;
  readonly rank5: Estimate;
  /** Own pairs against pairs of two subjects, one threshold for all, 0.5 is chance. */
  readonly auc: Estimate;
  readonly chance: { readonly fiveWay: 0.2; readonly rank1: number; readonly rank5: number };
  /** Queries whose own score is NaN. */
  readonly unusable: number;
}

/** What one query came to, in expectation over distractors and ties. */
export interface QueryOutcome {
  readonly fiveWay: number;
  readonly rank1: number;
  readonly rank5: number;
}

/** Candidates of a forced choice: the own one and four distractors. */
const CHOICES = 5;

function checked(similarity: Float64Array, n: number): Float64Array {
  if (similarity.length !== n * n)
    throw new Failure('internal', `${n} subjects need ${n * n} scores, found ${similarity.length}`);
  if (n < CHOICES)
    throw new Refusal('dataset-invalid', `a five-way choice needs at least 5 subjects, found ${n}`);
  return similarity.map((s) => (Number.isNaN(s) ? Number.NEGATIVE_INFINITY : s));
}

/**
 * Chance that the truth wins against 4 of its distractors drawn without replacement, of which `better` score higher
 * and `tied` the same: the sum over k tied ones drawn of C(tied, k) C(worse, 4 - k) / C(all, 4) / (k + 1).
 */
function winsFiveWay(better: number, tied: number, worse: number): number {
  const choose = (m: number, k: number): number => {
    let product = 1;
    for (let i = 0; i < k; i++) product *= (m - i) / (i + 1);
    return product;
  };
  let sum = 0;
  for (let k = 0; k < CHOICES; k++) sum += (choose(tied, k) * choose(worse, CHOICES - 1 - k)) / (k + 1);
  return sum / choose(better + tied + worse, CHOICES - 1);
}

/** Chance that the truth is among the first `rank` when it stands anywhere among the tied. */
function ranksWithin(rank: number, better: number, tied: number): number {
  return Math.max(0, Math.min(1, (rank - better) / (tied + 1)));
}

/**
 * Every query's outcome against the whole gallery; for box plots and paired comparisons of methods.
 * @param similarity see `identify`
 */
export function queryOutcomes(similarity: Float64Array, n: number): QueryOutcome[] {
  return outcomesOf(checked(similarity, n), n);
}

function outcomesOf(scores: Float64Array, n: number): QueryOutcome[] {
  return Array.from({ length: n }, (_, i) => {
    const truth = scores[i * n + i] as number;
    let [better, tied] = [0, -1];
    for (let j = 0; j < n; j++) {
      const score = scores[i * n + j] as number;
      if (score > truth) better++;
      else if (score === truth) tied++;
    }
    return {
      fiveWay: winsFiveWay(better, tied, n - 1 - better - tied),
      rank1: ranksWithin(1, better, tied),
      rank5: ranksWithin(5, better, tied),
    };
  });
}

/**
 * Rates of identification with 95 % intervals over subjects.
 *
 * `fiveWay` is the exact expectation over all choices of four distractors. How a resample of subjects treats those
 * that it draws more than once: every draw is a query of its own; a subject is never a distractor of himself; five-way
 * distractors are the different other subjects of the resample, each once (a pool must not offer a face twice; when
 * fewer than four remain, the whole cohort is the pool); rank-1 and rank-5 always search the whole gallery of n,
 * because a resample holds only 63 % of the subjects and is an easier search; pairs for the ROC curve count as often
 * as they are drawn.
 *
 * @param similarity n x n row-major: row = query subject (original), column = candidate subject (treated), higher =
 * more alike, truth on the diagonal. NaN = a picture that cannot be used: ranked last (see the head of this file).
 * @throws {Refusal} dataset-invalid for fewer than 5 subjects  @throws {Failure} internal when the length is not n x n
 */
export function identify(
  similarity: Float64Array,
  n: number,
  random: Random,
  resamples?: number,
): Identification {
  const scores = checked(similarity, n);
  const outcomes = outcomesOf(scores, n);
  const pick = (key: keyof QueryOutcome): Estimate =>
    bootstrap(
      n,
      (sample) => {
        let sum = 0;
        for (const i of sample) sum += (outcomes[i] as QueryOutcome)[key];
        return sum / n;
      },
      random,
      resamples,
    );
  let unusable = 0;
  for (let i = 0; i < n; i++) if (Number.isNaN(similarity[i * n + i])) unusable++;
  return {
    fiveWay: bootstrap(n, fiveWayOf(scores, outcomes, n), random, resamples),
    rank1: pick('rank1'),
    rank5: pick('rank5'),
    auc: bootstrap(n, aucOf(scores, n), random, resamples),
    chance: { fiveWay: 0.2, rank1: 1 / n, rank5: 5 / n },
    unusable,
  };
}

function fiveWayOf(
  scores: Float64Array,
  outcomes: readonly QueryOutcome[],
  n: number,
): (s: Int32Array) => number {
  const draws = new Int32Array(n);
  return (sample) => {
    draws.fill(0);
    for (const i of sample) draws[i] = (draws[i] as number) + 1;
    const different: number[] = [];
    for (let i = 0; i < n; i++) if (draws[i] !== 0) different.push(i);
    let sum = 0;
    for (const i of different) {
      const row = i * n;
      const truth = scores[row + i] as number;
      let [better, tied] = [0, -1];
      for (const j of different) {
        const score = scores[row + j] as number;
        if (score > truth) better++;
        else if (score === truth) tied++;
      }
      const others = different.length - 1;
      const wins =
        others >= CHOICES - 1
          ? winsFiveWay(better, tied, others - better - tied)
          : (outcomes[i] as QueryOutcome).fiveWay;
      sum += (draws[i] as number) * wins;
    }
    return sum / n;
  };
}

/** Pairs are counted as often as they are drawn, by the ranks of all scores, which are sorted once. */
function aucOf(scores: Float64Array, n: number): (s: Int32Array) => number {
  const order = Int32Array.from({ length: n * n }, (_, i) => i).sort(
    // Infinities of one sign differ by NaN.
    (a, b) => {
      const [x, y] = [scores[a] as number, scores[b] as number];
      return x < y ? -1 : x > y ? 1 : 0;
    },
  );
  const draws = new Int32Array(n);
  return (sample) => {
    draws.fill(0);
    for (const i of sample) draws[i] = (draws[i] as number) + 1;
    let [wins, negatives, positives] = [0, 0, 0];
    for (let from = 0; from < order.length; ) {
      const score = scores[order[from] as number] as number;
      let [up, down] = [0, 0];
      let to = from;
      for (; to < order.length && scores[order[to] as number] === score; to++) {
        const pair = order[to] as number;
        const row = (pair / n) | 0;
        const column = pair - row * n;
        if (row === column) up += draws[row] as number;
        else down += (draws[row] as number) * (draws[column] as number);
      }
      wins += up * (negatives + down / 2);
      positives += up;
      negatives += down;
      from = to;
    }
    return wins / (positives * negatives);
  };
}

/** The scores of own pairs and of pairs of two subjects, NaN as minus infinity: what `rocCurve` takes. */
export function pairScores(
  similarity: Float64Array,
  n: number,
): { readonly own: Float64Array; readonly others: Float64Array } {
  const scores = checked(similarity, n);
  return {
    own: Float64Array.from({ length: n }, (_, i) => scores[i * n + i] as number),
    others: scores.filter((_, i) => i % (n + 1) !== 0),
  };
}

/**
 * The control with shuffled labels: candidates are dealt to subjects at random, `shuffles` times. `value` is the mean
 * over the shuffles and must sit at chance; `low` and `high` hold 95 % of the single shuffles: what luck alone does
 * in a cohort of this size.
 * @throws {Refusal} dataset-invalid for fewer than 5 subjects  @throws {Failure} internal when the length is not n x n
 */
export function identifyShuffled(
  similarity: Float64Array,
  n: number,
  random: Random,
  shuffles = 1000,
): Identification {
  const scores = checked(similarity, n);
  const found = {
    fiveWay: [] as number[],
    rank1: [] as number[],
    rank5: [] as number[],
    auc: [] as number[],
  };
  const dealt = new Float64Array(n * n);
  const column = Int32Array.from({ length: n }, (_, i) => i);
  for (let s = 0; s < shuffles; s++) {
    for (let i = n - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const kept = column[i] as number;
      column[i] = column[j] as number;
      column[j] = kept;
    }
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) dealt[i * n + j] = scores[i * n + (column[j] as number)] as number;
    const outcomes = outcomesOf(dealt, n);
    for (const key of ['fiveWay', 'rank1', 'rank5'] as const)
      found[key].push(mean(outcomes.map((o) => o[key])));
    const { own, others } = pairScores(dealt, n);
    found.auc.push(rocAuc(own, others));
  }
  const spread = (values: number[]): Estimate => {
    const [low, high] = quantiles(values, [0.025, 0.975]) as [number, number];
    return { value: mean(values), low, high, n };
  };
  return {
    fiveWay: spread(found.fiveWay),
    rank1: spread(found.rank1),
    rank5: spread(found.rank5),
    auc: spread(found.auc),
    chance: { fiveWay: 0.2, rank1: 1 / n, rank5: 5 / n },
    unusable: 0,
  };
}
