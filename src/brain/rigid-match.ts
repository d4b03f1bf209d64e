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
import { detail, softBrain } from './soft-brain.js';

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
const ROUGH = { mm: 4, sigma: 3, iterations: 15 } as const;
const FINE = { mm: 2, sigma: 1.5, iterations: 10 } as const;
/** Structure of this size (mm, a deviation) and above is much the same in everybody. */
const DETAIL_MM = 3;
/** So is the rim, where every brain ends in fluid: only blocks with this share of brain around them count. */
const INNER = 0.97;

function level(
  fixed: SeenBrain,
  moving: SeenBrain,
  { mm, sigma }: { mm: number; sigma: number },
): MatchLevel {
  const soft = ({ volume, mask }: SeenBrain) => softBrain(volume, mask, mm, sigma);
  return matchLevel(soft(fixed), soft(moving), centroid(fixed.mask));
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
  const { fixed, moving, turned } = best.way;
  const fine = level(fixed, moving, FINE);
  const { motion, overlap } = refine(fine, best.motion, FINE.iterations);
  const { predicted, weight } = predictionOf(fine, motion);
  const { grid, values, share } = fine.fixed;
  const inner = weight.map((w, o) => ((share[o] as number) > INNER ? w : 0));
  const likeness = correlationOf(
    detail(grid, values, weight, DETAIL_MM),
    detail(grid, predicted, weight, DETAIL_MM),
    inner,
  );
  return { toFirst: turned ? invert(motion) : motion, likeness, overlap, start: best.start };
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
