/**
 * The numbers of the evaluation: estimates with intervals, agreement of masks and of measurements, order statistics.
 *
 * Every interval is a percentile bootstrap over subjects: answers and pictures of one subject depend on each other,
 * so that resampling them as if they did not would draw intervals that are too narrow.
 *
 * @example
 * const { value, low, high } = bootstrap(dice.length, (s) => mean(Float64Array.from(s, (i) => dice[i] ?? NaN)), random);
 */
import { Failure } from 'prosopon';
import type { Random } from 'prosopon/imaging';

/** A figure with its 95 % interval. NaN where it cannot be computed. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Subjects behind it. */
  readonly n: number;
}

/** Resamples of a bootstrap: the 2.5 % quantile then rests on 50 of them. */
export const RESAMPLES = 2000;

/**
 * A statistic over `n` subjects with its 95 % percentile interval.
 * @param statistic gets subject indices (0 to n - 1, with repeats; the buffer is reused) and returns the figure;
 * resamples in which it is NaN are left out of the interval. Its value for every subject once is the estimate.
 */
export function bootstrap(
  n: number,
  statistic: (sample: Int32Array) => number,
  random: Random,
  resamples: number = RESAMPLES,
): Estimate {
  if (!Number.isInteger(n) || n < 0) throw new Failure('internal', `a bootstrap needs a count, found ${n}`);
  const sample = Int32Array.from({ length: n }, (_, i) => i);
  if (n === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const value = statistic(sample);
  const found: number[] = [];
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) sample[i] = random.below(n);
    const drawn = statistic(sample);
    if (!Number.isNaN(drawn)) found.push(drawn);
  }
  const [low, high] = quantiles(found, [0.025, 0.975]) as [number, number];
  return { value, low, high, n };
}

/** Mean of one number per subject with its bootstrap interval; NaN entries (failures) are left out and not counted. */
export function meanEstimate(values: ArrayLike<number>, random: Random, resamples?: number): Estimate {
  return estimateOf(values, mean, random, resamples);
}

/** Any statistic of one number per subject (`mean`, `median`, `sd`) with its interval; NaN entries are left out. */
export function estimateOf(
  values: ArrayLike<number>,
  statistic: (values: Float64Array) => number,
  random: Random,
  resamples?: number,
): Estimate {
  const kept = Float64Array.from(values).filter((v) => !Number.isNaN(v));
  const drawn = new Float64Array(kept.length);
  return bootstrap(
    kept.length,
    (sample) => {
      for (let i = 0; i < sample.length; i++) drawn[i] = kept[sample[i] as number] as number;
      return statistic(drawn);
    },
    random,
    resamples,
  );
}

/** NaN when empty. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Sample standard deviation (n - 1); NaN for fewer than two values. */
export function sd(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Quantiles with linear interpolation between ranks (type 7, numpy's default); the values are not changed. NaN when empty. */
export function quantiles(values: ArrayLike<number>, probabilities: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return probabilities.map((p) => {
    if (sorted.length === 0) return Number.NaN;
    const position = (sorted.length - 1) * Math.min(1, Math.max(0, p));
    const below = Math.floor(position);
    const a = sorted[below] as number;
    const b = sorted[Math.min(sorted.length - 1, below + 1)] as number;
    // Equal ends first: the difference of two infinities is not a number.
    return a === b ? a : a + (b - a) * (position - below);
  });
}

export function median(values: ArrayLike<number>): number {
  return quantiles(values, [0.5])[0] as number;
}

function requireNumbers(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++)
    if (Number.isNaN(values[i])) throw new Failure('internal', `${what} needs numbers, found NaN at ${i}`);
}

/**
 * Probability that a positive scores above a negative, ties counted half (area under the ROC curve, Mann-Whitney).
 * Infinities are scores like others. NaN when either is empty.
 * @throws {Failure} internal when a score is NaN: say first what a missing score counts as.
 */
export function rocAuc(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  requireNumbers(positives, 'a ROC curve');
  requireNumbers(negatives, 'a ROC curve');
  if (positives.length === 0 || negatives.length === 0) return Number.NaN;
  const up = Float64Array.from(positives).sort();
  const down = Float64Array.from(negatives).sort();
  let [below, upTo, wins] = [0, 0, 0];
  for (const score of up) {
    while (below < down.length && (down[below] as number) < score) below++;
    while (upTo < down.length && (down[upTo] as number) <= score) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins / (up.length * down.length);
}

/** One corner of a ROC curve: rates among scores at or above `threshold`. */
export interface RocPoint {
  readonly threshold: number;
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

/** From (0, 0) to (1, 1), one point for every different score. @throws {Failure} internal when a score is NaN */
export function rocCurve(positives: ArrayLike<number>, negatives: ArrayLike<number>): RocPoint[] {
  requireNumbers(positives, 'a ROC curve');
  requireNumbers(negatives, 'a ROC curve');
  const up = Float64Array.from(positives).sort().reverse();
  const down = Float64Array.from(negatives).sort().reverse();
  const points: RocPoint[] = [
    { threshold: Number.POSITIVE_INFINITY, falsePositiveRate: 0, truePositiveRate: 0 },
  ];
  let [p, q] = [0, 0];
  while (p < up.length || q < down.length) {
    const threshold = Math.max(up[p] ?? Number.NEGATIVE_INFINITY, down[q] ?? Number.NEGATIVE_INFINITY);
    while (p < up.length && (up[p] as number) >= threshold) p++;
    while (q < down.length && (down[q] as number) >= threshold) q++;
    points.push({ threshold, falsePositiveRate: q / down.length, truePositiveRate: p / up.length });
  }
  return points;
}

function requireSameLength(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  if (a.length !== b.length)
    throw new Failure('internal', `${what} needs two lists of one length, found ${a.length} and ${b.length}`);
}

export { dice } from 'prosopon/imaging';

/** Overlap and sizes of one label in two label maps. */
export interface LabelOverlap {
  readonly label: number;
  /** NaN when neither map has the label. */
  readonly dice: number;
  /** Voxels with the label in the first and in the second map. */
  readonly countA: number;
  readonly countB: number;
}

/** Dice of each of `labels` (integers from 0 to 65535) in two label maps of one grid. @throws {Failure} internal when the lengths differ */
export function diceByLabel(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  labels: readonly number[],
): LabelOverlap[] {
  requireSameLength(a, b, 'Dice');
  const size = 65536;
  const [countA, countB, both] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  for (let i = 0; i < a.length; i++) {
    const la = a[i] as number;
    const lb = b[i] as number;
    countA[la] = (countA[la] as number) + 1;
    countB[lb] = (countB[lb] as number) + 1;
    if (la === lb) both[la] = (both[la] as number) + 1;
  }
  return labels.map((label) => {
    const na = countA[label] ?? 0;
    const nb = countB[label] ?? 0;
    return { label, dice: (2 * (both[label] ?? 0)) / (na + nb), countA: na, countB: nb };
  });
}

/**
 * Intraclass correlation ICC(2,1) of two measurements of each subject: two-way random effects, absolute agreement,
 * single measurement (Shrout and Fleiss 1979). 1 is perfect; NaN for fewer than two subjects or no variation at all.
 * @throws {Failure} internal when the lengths differ
 */
export function icc21(a: ArrayLike<number>, b: ArrayLike<number>): number {
  requireSameLength(a, b, 'ICC');
  const n = a.length;
  if (n < 2) return Number.NaN;
  const [meanA, meanB] = [mean(a), mean(b)];
  const grand = (meanA + meanB) / 2;
  let [rows, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    rows += 2 * ((x + y) / 2 - grand) ** 2;
    total += (x - grand) ** 2 + (y - grand) ** 2;
  }
  const columns = n * ((meanA - grand) ** 2 + (meanB - grand) ** 2);
  const betweenRows = rows / (n - 1);
  // Two measurements: one degree of freedom between them, n - 1 left for the error.
  const error = Math.max(0, total - rows - columns) / (n - 1);
  return (betweenRows - error) / (betweenRows + error + (2 / n) * (columns - error));
}

export interface SignTest {
  readonly positive: number;
  readonly negative: number;
  /** Two-sided, exact; 1 when every difference is 0. */
  readonly p: number;
}

/** Whether differences tend to one side (exact binomial test; zeros and NaN are left out). */
export function signTest(differences: ArrayLike<number>): SignTest {
  let [positive, negative] = [0, 0];
  for (let i = 0; i < differences.length; i++) {
    if ((differences[i] as number) > 0) positive++;
    else if ((differences[i] as number) < 0) negative++;
  }
  const n = positive + negative;
  // log C(n, k) - n log 2, step by step, so that large counts do not overflow.
  let [logTerm, tail] = [-n * Math.LN2, 0];
  for (let k = 0; k <= Math.min(positive, negative); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return { positive, negative, p: Math.min(1, 2 * tail) };
}
