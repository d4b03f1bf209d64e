/**
 * One person's brain in two images of any contrasts and grids: the rigid motion between them, from brain voxels and the
 * headers alone (promise P1), and whether it is one brain at all.
 *
 * The finer image predicts the coarser one by a function of its values (a linear spline, fitted with the motion), which
 * is what the correlation ratio measures: bright fluid or dark, both are functions of T1. Gauss-Newton on what is left,
 * at 4 and 2 mm. A thick slice is predicted by the mean over its thickness.
 *
 * @example
 * const { toFirst, likeness } = matchBrains(t1, flair); // throws Refusal('brains-differ') for somebody else's
 * applyAffine(toFirst, [x, y, z]);                      // world mm of flair to world mm of t1
 */
import { Refusal } from '../errors/errors.js';
import { type Affine, IDENTITY, invert, multiply } from '../volume/affine.js';
import type { Mask, Volume, VoxelArray } from '../volume/volume.js';
import { voxelSizes } from '../volume/volume.js';
import { correlationOf, type MatchLevel, matchLevel, predictionOf, refine } from './match-fit.js';
import { centroid } from './pose.js';
import { detail, type SoftBrain, softBrain } from './soft-brain.js';

/** A brain in an image. */
export interface SeenBrain {
  /** Values on the stored grid, finite under the mask; no other is read. */
  readonly volume: Volume<VoxelArray>;
  readonly mask: Mask;
  /** Brain frame to world, from the mask (`fitPose`): a second start, for when the person got up between the images. */
  readonly pose: Affine;
}

export interface BrainMatch {
  /** World mm of the second image to world mm of the first, rigid. */
  readonly toFirst: Affine;
  /** Correlation of the inner brain's finer structure (below 3 mm) with what the other image predicts, -1 to 1. */
  readonly likeness: number;
  /** Share of the smaller brain that lies in the other after the fit, 0 to 1. */
  readonly overlap: number;
  /** Which start led there: the header's world coordinates, or the brains' poses. */
  readonly start: 'header' | 'pose';
}

/** Below these two brains are not one: one person's reach 0.60 and more, others' 0.39 at most (docs/sessions.md). */
export const LEAST_LIKENESS = 0.48;
export const LEAST_OVERLAP = 0.8;

/** Blocks and smoothing of the two levels, mm; iterations at most. */
interface Resolution {
  readonly mm: number;
  readonly sigma: number;
  readonly iterations: number;
  /** Smoothing of the brightness that is fitted beside, mm. */
  readonly smoothMm: number;
}
const ROUGH: Resolution = { mm: 4, sigma: 3, iterations: 15, smoothMm: 8 };
const FINE: Resolution = { mm: 2, sigma: 1.5, iterations: 6, smoothMm: 8 };
/**
 * Edges alone: with a smoothing of 1.5 mm and smooth brightness of 2 cm errors were 0.5 mm (T1w, T2w, FLAIR) and 1.0 (PD) at
 * most, with these 0.4; with 0.6 mm PD's noise comes through (0.6). Twelve painted images, docs/sessions.md.
 */
const FINEST: Resolution = { mm: 2, sigma: 1, iterations: 8, smoothMm: 5 };
/** Structure of this size (mm, a deviation) and above is much the same in everybody. */
const DETAIL_MM = 3;
/** So is the rim, where every brain ends in fluid: only blocks with this share of brain around them count. */
const INNER = 0.97;

/** A first brain is laid on each image of its session: what is read of it is made once. */
const read = new WeakMap<SeenBrain, Map<Resolution, SoftBrain>>();

function soft(brain: SeenBrain, at: Resolution): SoftBrain {
  const known = read.get(brain) ?? new Map<Resolution, SoftBrain>();
  read.set(brain, known);
  const found = known.get(at) ?? softBrain(brain.volume, brain.mask, at.mm, at.sigma);
  known.set(at, found);
  return found;
}

function level(fixed: SeenBrain, moving: SeenBrain, at: Resolution): MatchLevel {
  return matchLevel(soft(fixed, at), soft(moving, at), centroid(fixed.mask), at.smoothMm);
}

/** Differences of the thickest voxel edge (mm) above which the finer image predicts. */
const FINER_MM = 0.25;

interface Way {
  readonly fixed: SeenBrain;
  readonly moving: SeenBrain;
  /** The first image is the one that is predicted. */
  readonly turned: boolean;
}

/** Who may predict whom: a fine image can be averaged over a slice, a coarse one not sharpened; of two alike either may. */
function waysOf(first: SeenBrain, second: SeenBrain): Way[] {
  const thickest = ({ mask }: SeenBrain): number => Math.max(...voxelSizes(mask.grid));
  const difference = thickest(first) - thickest(second);
  const ways: Way[] = [];
  if (difference <= FINER_MM) ways.push({ fixed: second, moving: first, turned: false });
  if (difference >= -FINER_MM) ways.push({ fixed: first, moving: second, turned: true });
  return ways;
}

/** The motion and how well it fits, without a verdict. */
export function fitMatch(first: SeenBrain, second: SeenBrain): BrainMatch {
  const fits = waysOf(first, second).flatMap((way) => {
    const rough = level(way.fixed, way.moving, ROUGH);
    const starts = [
      { start: 'header', motion: IDENTITY },
      { start: 'pose', motion: multiply(way.moving.pose, invert(way.fixed.pose)) },
    ] as const;
    return starts.map(({ start, motion }) => {
      const fit = refine(rough, motion, ROUGH.iterations);
      return { way, start, motion: fit.motion, worth: fit.explained * fit.overlap };
    });
  });
  const best = fits.reduce((a, b) => (b.worth > a.worth + 1e-3 ? b : a));
  return fineMatch(best.way, best.motion, best.start);
}

/** @param from fixed world to moving world, near the truth */
function fineMatch({ fixed, moving, turned }: Way, from: Affine, start: BrainMatch['start']): BrainMatch {
  const fine = level(fixed, moving, FINE);
  const near = refine(fine, from, FINE.iterations);
  const { motion, overlap } = refine(level(fixed, moving, FINEST), near.motion, FINEST.iterations);
  const { predicted, weight } = predictionOf(fine, motion);
  const { grid, values, share } = fine.fixed;
  const inner = weight.map((w, o) => ((share[o] as number) > INNER ? w : 0));
  const likeness = correlationOf(
    detail(grid, values, weight, DETAIL_MM),
    detail(grid, predicted, weight, DETAIL_MM),
    inner,
  );
  return { toFirst: turned ? invert(motion) : motion, likeness, overlap, start };
}

/**
 * Where the second brain lies, roughly, if it lies about where the first does by their headers. For a second image of which
 * only the inside of the brain is known.
 * @returns second world to first
 */
export function roughMotion(first: SeenBrain, second: SeenBrain): Affine {
  const { fixed, moving, turned } = waysOf(first, second)[0] as Way;
  const { motion } = refine(level(fixed, moving, ROUGH), IDENTITY, ROUGH.iterations);
  return turned ? invert(motion) : motion;
}

/** As {@link fitMatch}, from a motion that is known roughly. @param toFirst second world to first */
export function fitNear(first: SeenBrain, second: SeenBrain, toFirst: Affine): BrainMatch {
  const way = waysOf(first, second)[0] as Way;
  return fineMatch(way, way.turned ? invert(toFirst) : toFirst, 'header');
}

/**
 * @throws {Refusal} brains-differ when the two brains do not match: another person, or hardly any brain in common
 */
export function matchBrains(first: SeenBrain, second: SeenBrain): BrainMatch {
  const match = fitMatch(first, second);
  if (match.overlap < LEAST_OVERLAP)
    throw new Refusal(
      'brains-differ',
      `expected the brains of both images to lie in one another (${LEAST_OVERLAP} of the smaller), found ${match.overlap.toFixed(2)}; are both of one person?`,
    );
  if (!(match.likeness >= LEAST_LIKENESS))
    throw new Refusal(
      'brains-differ',
      `expected one person's brain in both images (a likeness of at least ${LEAST_LIKENESS}), found ${match.likeness.toFixed(2)}; are both of one person?`,
    );
  return match;
}
