/**
 * Does a new face give away the old one? The attacks made for generators (Gao 2025, "Pitfalls of defacing"): a face is
 * too close when it is nearer to the subject's than the population's average is, or than it is to other subjects, or
 * when it departs from the average in the subject's own direction.
 *
 * Being farther than the average proves little for a face drawn at random (any two strangers are farther apart than
 * either is from the average); being nearer, or nearer to its own subject than to others, is a leak. The comparison
 * with other subjects is the one without such a bias.
 *
 * @example
 * const found = closeness(originals, treated, meanShape(trainShapes), 'face', random);
 * found.ownMinusOthers.difference; // mm; 0 when faces know nothing of their subject, below 0 when they do
 */
import { Failure, Refusal } from 'prosopon';
import type { Random } from 'prosopon/imaging';
import { type Correlation, pearson, wilcoxonSignedRank } from '../statistics/significance.js';
import { type Estimate, meanEstimate, signTest } from '../statistics/statistics.js';
import {
  type HeadShape,
  regionPixels,
  SHAPE_VIEWS,
  type ShapeRegion,
  surfaceDistance,
  surfaceDistances,
} from './geometry.js';

/** Two measurements of the same subjects, compared. */
export interface PairedComparison {
  /** Mean of first minus second with its 95 % interval. */
  readonly difference: Estimate;
  /** Subjects with the first below the second, and with the second below the first. */
  readonly lower: number;
  readonly higher: number;
  /** Two-sided, Wilcoxon's signed ranks. */
  readonly wilcoxonP: number;
  /** Two-sided, exact sign test. */
  readonly signP: number;
}

/** Subjects for whom either is NaN are left out. @throws {Failure} internal when the lengths differ */
export function comparePaired(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  random: Random,
): PairedComparison {
  if (first.length !== second.length)
    throw new Failure(
      'internal',
      `a paired comparison needs pairs, found ${first.length} and ${second.length} numbers`,
    );
  const differences = Float64Array.from(first, (v, i) => v - (second[i] as number));
  const { positive, negative, p } = signTest(differences);
  return {
    difference: meanEstimate(differences, random),
    lower: negative,
    higher: positive,
    wilcoxonP: wilcoxonSignedRank(differences).p,
    signP: p,
  };
}

/** One subject's distances in mm (`surfaceDistance`) and correlations. */
export interface SubjectCloseness {
  /** New face to its subject. */
  readonly own: number;
  /** Population average to the subject. */
  readonly average: number;
  /** New face to the other subjects, mean. */
  readonly others: number;
  /** Other subjects' new faces to this subject, mean. */
  readonly othersNew: number;
  /** Correlation over the region's pixels of (new - average) with (subject - average), -1 to 1. */
  readonly ownDirection: number;
  /** The same with the other subjects in the subject's place, mean. */
  readonly otherDirection: number;
}

export interface Closeness {
  readonly subjects: readonly SubjectCloseness[];
  readonly own: Estimate;
  readonly average: Estimate;
  readonly others: Estimate;
  readonly othersNew: Estimate;
  readonly ownDirection: Estimate;
  readonly otherDirection: Estimate;
  /** Gao's bar: below 0, new faces are nearer to their subjects than the average is. */
  readonly ownMinusAverage: PairedComparison;
  /** Below 0: new faces are nearer to their subjects than to other subjects. */
  readonly ownMinusOthers: PairedComparison;
  /** Below 0: subjects are nearer to their own new faces than to other subjects' new faces. */
  readonly ownMinusOthersNew: PairedComparison;
  /** Above 0: new faces depart from the average as their own subjects do. */
  readonly directionOwnMinusOthers: PairedComparison;
  /** Over subjects: is the new face of a subject far from the average also farther away from it? */
  readonly unusualness: Correlation;
}

/** At least this many subjects: with fewer, five of one sign are the least that a signed-rank test can call p = 0.06. */
const LEAST_SUBJECTS = 5;

/**
 * @param originals, generated of the same subjects in the same order
 * @param average `meanShape` of people other than these (the train split)
 * @throws {Refusal} dataset-invalid for fewer than 5 subjects
 * @throws {Failure} internal when the lists differ in length
 */
export function closeness(
  originals: readonly HeadShape[],
  generated: readonly HeadShape[],
  average: HeadShape,
  region: ShapeRegion,
  random: Random,
): Closeness {
  const n = originals.length;
  if (generated.length !== n)
    throw new Failure('internal', `${n} subjects need ${n} new faces, found ${generated.length}`);
  if (n < LEAST_SUBJECTS)
    throw new Refusal('dataset-invalid', `closeness needs at least ${LEAST_SUBJECTS} subjects, found ${n}`);
  const distances = surfaceDistances(generated, originals, region);
  const points = deviationPoints(average, region);
  const [ofOriginals, ofGenerated] = [originals, generated].map((shapes) =>
    shapes.map((shape) => deviation(shape, average, points)),
  ) as [Float64Array[], Float64Array[]];
  const directions = new Float64Array(n * n);
  ofGenerated.forEach((g, i) => {
    ofOriginals.forEach((o, j) => {
      directions[i * n + j] = correlationWhereBoth(g, o);
    });
  });
  const subjects = originals.map((original, i): SubjectCloseness => {
    const but = (values: Float64Array, entry: (j: number) => number): number => {
      let sum = 0;
      let count = 0;
      for (let j = 0; j < n; j++) {
        const v = values[entry(j)] as number;
        if (j === i || Number.isNaN(v)) continue;
        sum += v;
        count++;
      }
      return sum / count;
    };
    return {
      own: distances[i * n + i] as number,
      average: surfaceDistance(average, original, region),
      others: but(distances, (j) => i * n + j),
      othersNew: but(distances, (j) => j * n + i),
      ownDirection: directions[i * n + i] as number,
      otherDirection: but(directions, (j) => i * n + j),
    };
  });
  const column = (key: keyof SubjectCloseness): Float64Array =>
    Float64Array.from(subjects, (subject) => subject[key]);
  const estimate = (key: keyof SubjectCloseness): Estimate => meanEstimate(column(key), random);
  const compare = (a: keyof SubjectCloseness, b: keyof SubjectCloseness): PairedComparison =>
    comparePaired(column(a), column(b), random);
  return {
    subjects,
    own: estimate('own'),
    average: estimate('average'),
    others: estimate('others'),
    othersNew: estimate('othersNew'),
    ownDirection: estimate('ownDirection'),
    otherDirection: estimate('otherDirection'),
    ownMinusAverage: compare('own', 'average'),
    ownMinusOthers: compare('own', 'others'),
    ownMinusOthersNew: compare('own', 'othersNew'),
    directionOwnMinusOthers: compare('ownDirection', 'otherDirection'),
    unusualness: pearson(column('average'), column('own')),
  };
}

/** Per view, the region's pixels in which the average has a surface. */
function deviationPoints(average: HeadShape, region: ShapeRegion): readonly Int32Array[] {
  return SHAPE_VIEWS.map((view) => {
    const inside = regionPixels(view, region);
    return Int32Array.from(inside.keys()).filter((p) => inside[p] === 1 && !Number.isNaN(average[view][p]));
  });
}

/** Depths beyond this many mm from the average are outline, not relief, and are left out. */
const RELIEF_MM = 15;

/**
 * Depth minus the average's (mm), view after view, less each view's mean, which is the pose's doing; NaN where there is no surface or it is not the
 * same one.
 */
function deviation(shape: HeadShape, average: HeadShape, points: readonly Int32Array[]): Float64Array {
  const parts = SHAPE_VIEWS.map((view, v) => {
    const part = Float64Array.from(points[v] as Int32Array, (p) => {
      const d = (shape[view][p] as number) - (average[view][p] as number);
      return Math.abs(d) <= RELIEF_MM ? d : Number.NaN;
    });
    const there = part.filter((d) => !Number.isNaN(d));
    const middle = there.reduce((sum, d) => sum + d, 0) / there.length;
    return part.map((d) => d - middle);
  });
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Pearson's correlation over the entries that are numbers in both; without copies, since all pairs of subjects are compared. */
function correlationWhereBoth(a: Float64Array, b: Float64Array): number {
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const u = a[i] as number;
    const v = b[i] as number;
    if (Number.isNaN(u + v)) continue;
    n++;
    sa += u;
    sb += v;
    saa += u * u;
    sbb += v * v;
    sab += u * v;
  }
  return (n * sab - sa * sb) / Math.sqrt((n * saa - sa * sa) * (n * sbb - sb * sb));
}
