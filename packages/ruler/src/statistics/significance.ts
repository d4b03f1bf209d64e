/**
 * Tests of paired measurements: Wilcoxon's signed ranks, and correlation. Both are checked against scipy
 * (`scripts/check-statistics-scipy.py`).
 *
 * @example
 * const { p } = wilcoxonSignedRank(differences); // are they about 0?
 */
import { Failure } from 'prosopon';
import { mean } from './statistics.js';

/** Ranks from 1, ties get the mean of theirs; the values are not changed. */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    const value = values[order[from] as number];
    let to = from;
    while (to < order.length && values[order[to] as number] === value) to++;
    for (let i = from; i < to; i++) ranks[order[i] as number] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

export interface SignedRankTest {
  /** Sum of the ranks of positive differences, and of negative ones. */
  readonly positive: number;
  readonly negative: number;
  /** Two-sided; 1 when every difference is 0. */
  readonly p: number;
  /** Differences that are neither 0 nor NaN. */
  readonly n: number;
}

/** Up to this many differences the distribution is exact, beyond it normal: the work grows with the cube of the count. */
const EXACT_UP_TO = 200;

/**
 * Whether paired differences lie about 0 (Wilcoxon 1945). Zeros and NaN are left out. Exact up to 200 differences,
 * ties included (the distribution given the midranks); normal approximation with correction for ties beyond.
 */
export function wilcoxonSignedRank(differences: ArrayLike<number>): SignedRankTest {
  const kept = Float64Array.from(differences).filter((d) => d !== 0 && !Number.isNaN(d));
  const ranks = midRanks(kept.map(Math.abs));
  const n = kept.length;
  let [positive, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    total += ranks[i] as number;
    if ((kept[i] as number) > 0) positive += ranks[i] as number;
  }
  const negative = total - positive;
  const least = Math.min(positive, negative);
  const p = n === 0 ? 1 : n <= EXACT_UP_TO ? exactTail(ranks, least) : normalTail(ranks, least, total);
  return { positive, negative, p: Math.min(1, p), n };
}

/** Twice the share of all sign patterns whose positive ranks sum to `least` or less. Sums are doubled: midranks end in .5. */
function exactTail(ranks: Float64Array, least: number): number {
  const doubled = Int32Array.from(ranks, (rank) => Math.round(2 * rank));
  const sum = doubled.reduce((a, b) => a + b, 0);
  const share = new Float64Array(sum + 1);
  share[0] = 1;
  let reach = 0;
  for (const rank of doubled) {
    reach += rank;
    for (let s = reach; s >= 0; s--)
      share[s] = ((share[s] as number) + (s >= rank ? (share[s - rank] as number) : 0)) / 2;
  }
  let tail = 0;
  for (let s = 0; s <= Math.round(2 * least); s++) tail += share[s] as number;
  return 2 * tail;
}

function normalTail(ranks: Float64Array, least: number, total: number): number {
  // The variance of a sum of signed ranks is a quarter of the sum of their squares, ties or not.
  const variance = ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4;
  return 2 * normalBelow((least - total / 2) / Math.sqrt(variance));
}

/** Standard normal distribution function, through the incomplete gamma function of 1/2. */
function normalBelow(z: number): number {
  const half = 0.5 * upperGammaHalf((z * z) / 2);
  return z < 0 ? half : 1 - half;
}

/** Q(1/2, x) = erfc(sqrt x): series below 1.5, Lentz's continued fraction above. */
function upperGammaHalf(x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(-x) * Math.sqrt(x / Math.PI);
  if (x < 1.5) {
    let [term, sum] = [2, 2];
    for (let a = 1.5; term > sum * 1e-16; a++) {
      term *= x / a;
      sum += term;
    }
    return 1 - front * sum;
  }
  let b = x + 0.5;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 500; i++) {
    const an = -i * (i - 0.5);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * h;
}

export interface Correlation {
  /** -1 to 1; NaN when a list is constant. */
  readonly r: number;
  /** Two-sided, by Student's t with n - 2 degrees of freedom; NaN for fewer than three pairs. */
  readonly p: number;
  readonly n: number;
}

/** Pearson's correlation; pairs with a NaN are left out. @throws {Failure} internal when the lengths differ */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): Correlation {
  const [x, y] = completePairs(a, b);
  const n = x.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [u, v] = [(x[i] as number) - mx, (y[i] as number) - my];
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }
  const r = Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
  if (n < 3) return { r, p: Number.NaN, n };
  // P(|T| > t) = I(nu / (nu + t^2); nu / 2, 1 / 2), and nu / (nu + t^2) is 1 - r^2.
  return { r, p: incompleteBeta(1 - r * r, (n - 2) / 2, 0.5), n };
}

/** Spearman's rank correlation, ties by midranks; pairs with a NaN are left out. @throws {Failure} internal when the lengths differ */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): Correlation {
  const [x, y] = completePairs(a, b);
  return pearson(midRanks(x), midRanks(y));
}

function completePairs(a: ArrayLike<number>, b: ArrayLike<number>): [Float64Array, Float64Array] {
  if (a.length !== b.length)
    throw new Failure('internal', `a correlation needs pairs, found ${a.length} and ${b.length} numbers`);
  const complete = (_: number, i: number): boolean => !Number.isNaN(a[i]) && !Number.isNaN(b[i]);
  return [Float64Array.from(a).filter(complete), Float64Array.from(b).filter(complete)];
}

/** Regularised incomplete beta function I_x(a, b) by Lentz's continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front =
    Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * h;
}

/** Stirling's series after stepping up to 10, where it is exact to the last digit. */
function logGamma(x: number): number {
  let [z, steps] = [x, 0];
  while (z < 10) steps += Math.log(z++);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - steps;
}
