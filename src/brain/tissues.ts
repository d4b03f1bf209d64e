/**
 * How bright fluid, grey and white matter are in this brain, in any contrast, and what contrast that makes it. Three normal
 * distributions are fitted to the brain's voxels (expectation and maximisation) with the frequency of each tissue at each
 * place of the brain frame as its prior, as SPM does; brain voxels and the mask's pose alone take part (promise P1).
 *
 * @example
 * const tissues = fitTissues(head);
 * contrastOf(tissues); // 't1w'
 */
import { type Affine, invert, multiply, scaling, translation } from '../volume/affine.js';
import { readNearest, sampleNearest } from '../volume/nearest.js';
import { resampleLinear } from '../volume/resample.js';
import { type Grid, type Mask, type Volume, voxelCount } from '../volume/volume.js';
import { TISSUE_PRIORS_BASE64 } from './tissue-priors-data.js';

export const TISSUES = ['fluid', 'grey', 'white'] as const;
export type Tissue = (typeof TISSUES)[number];

export interface TissueFit {
  /** Mean of each tissue, in the units of the values. */
  readonly mean: Readonly<Record<Tissue, number>>;
  /** Standard deviation, likewise. */
  readonly spread: Readonly<Record<Tissue, number>>;
  /** Share of the brain's voxels, 0 to 1. */
  readonly share: Readonly<Record<Tissue, number>>;
}

const SHAPE = [30, 36, 30] as const;
const SPACING_MM = 6;
const SAMPLE_MM = 3;
const ROUNDS = 25;
/** Before anything is known a place is believed by half: anatomy varies by more than 6 mm. */
const BELIEF = 0.85;

let cached: readonly Volume[] | undefined;

/** Frequencies 0 to 1 of fluid, grey and white matter in the brain frame, at 6 mm. */
export function tissuePriors(): readonly Volume[] {
  if (cached === undefined) {
    const text = atob(TISSUE_PRIORS_BASE64);
    const half = SHAPE.map((n) => (-SPACING_MM * (n - 1)) / 2) as [number, number, number];
    const affine = multiply(translation(...half), scaling(SPACING_MM, SPACING_MM, SPACING_MM));
    const count = voxelCount(SHAPE);
    cached = TISSUES.map((_, t) => ({
      grid: { shape: SHAPE, affine },
      data: Float32Array.from({ length: count }, (_, v) => text.charCodeAt(t * count + v) / 255),
    }));
  }
  return cached;
}

export interface BrainSample {
  readonly values: Float32Array;
  /** Three a value: fluid, grey, white. */
  readonly priors: Float32Array;
  /** Three a value: where it is in the brain frame, mm, at an adult's size. */
  readonly places: Float32Array;
}

/** Brain voxels on a lattice of 3 mm in the brain frame, at an adult's size, with their priors. */
export function sampleBrain(volume: Volume, mask: Mask, pose: Affine, scale: number): BrainSample {
  const n = [
    Math.ceil((SHAPE[0] * SPACING_MM) / SAMPLE_MM),
    Math.ceil((SHAPE[1] * SPACING_MM) / SAMPLE_MM),
    Math.ceil((SHAPE[2] * SPACING_MM) / SAMPLE_MM),
  ] as const;
  const corner = n.map((k) => (-SAMPLE_MM * (k - 1)) / 2) as [number, number, number];
  const frame: Grid = {
    shape: n,
    affine: multiply(translation(...corner), scaling(SAMPLE_MM, SAMPLE_MM, SAMPLE_MM)),
  };
  const world = { shape: n, affine: multiply(pose, multiply(scaling(scale, scale, scale), frame.affine)) };
  // Nearest neighbours: a linear read at the rim would mix in what is outside the brain.
  const inside = sampleNearest(mask, world);
  const values = readNearest(volume, world, new Float32Array(inside.length));
  const priors = tissuePriors().map((prior) => resampleLinear(prior, frame));
  const count = inside.reduce((sum, v) => sum + v, 0);
  const out = {
    values: new Float32Array(count),
    priors: new Float32Array(3 * count),
    places: new Float32Array(3 * count),
  };
  for (let v = 0, i = 0; v < inside.length; v++) {
    if (inside[v] === 0) continue;
    out.values[i] = values[v] as number;
    const at = priors.map((prior) => prior[v] as number) as [number, number, number];
    for (let t = 0; t < 3; t++) out.priors[3 * i + t] = believed(at, t);
    out.places[3 * i] = (corner[0] as number) + SAMPLE_MM * (v % n[0]);
    out.places[3 * i + 1] = (corner[1] as number) + SAMPLE_MM * (((v / n[0]) | 0) % n[1]);
    out.places[3 * i + 2] = (corner[2] as number) + SAMPLE_MM * ((v / (n[0] * n[1])) | 0);
    i++;
  }
  return out;
}

/**
 * @param volume values on the stored grid; only those under `mask` are read
 * @param pose brain frame to world. @param scale lengths of this brain over an adult's average
 * @returns undefined where there are too few voxels or all are alike
 */
export function fitTissues(volume: Volume, mask: Mask, pose: Affine, scale = 1): TissueFit | undefined {
  return fitMixture(sampleBrain(volume, mask, pose, scale))?.fit;
}

/** The fit, and the chances of each value to be fluid, grey and white, three a value. */
export function fitMixture(
  { values, priors }: Pick<BrainSample, 'values' | 'priors'>,
  rounds = ROUNDS,
): { fit: TissueFit; weights: Float64Array } | undefined {
  const count = values.length;
  if (count < 2000) return undefined;
  const sorted = values.slice().sort();
  const low = sorted[Math.floor(0.01 * count)] as number;
  const high = sorted[Math.floor(0.99 * count)] as number;
  if (!(high > low)) return undefined;
  const least = ((high - low) / 50) ** 2;
  const mean = [0, 0, 0];
  const variance = [0, 0, 0];
  const share = [0, 0, 0];
  const weights = new Float64Array(priors);
  for (let round = 0; round <= rounds; round++) {
    const [sum, square, total] = [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let i = 0; i < count; i++) {
      const v = Math.min(high, Math.max(low, values[i] as number));
      for (let t = 0; t < 3; t++) {
        const w = weights[3 * i + t] as number;
        total[t] = (total[t] as number) + w;
        sum[t] = (sum[t] as number) + w * v;
        square[t] = (square[t] as number) + w * v * v;
      }
    }
    for (let t = 0; t < 3; t++) {
      const n = Math.max(1e-9, total[t] as number);
      mean[t] = (sum[t] as number) / n;
      variance[t] = Math.max(least, (square[t] as number) / n - (mean[t] as number) ** 2);
      share[t] = n / count;
    }
    if (round === rounds) break;
    for (let i = 0; i < count; i++) {
      const v = values[i] as number;
      let all = 0;
      for (let t = 0; t < 3; t++) {
        const s = variance[t] as number;
        const p =
          ((priors[3 * i + t] as number) * Math.exp((-0.5 * (v - (mean[t] as number)) ** 2) / s)) /
          Math.sqrt(s);
        weights[3 * i + t] = p;
        all += p;
      }
      // Further than all three reach: it says nothing.
      for (let t = 0; t < 3; t++) weights[3 * i + t] = all > 1e-30 ? (weights[3 * i + t] as number) / all : 0;
    }
  }
  const named = (from: readonly number[]): Record<Tissue, number> => ({
    fluid: from[0] as number,
    grey: from[1] as number,
    white: from[2] as number,
  });
  const fit = { mean: named(mean), spread: named(variance.map(Math.sqrt)), share: named(share) };
  return { fit, weights };
}

/** What is believed of a place before its value is looked at: three shares that sum to 1. */
function believed(at: readonly [number, number, number], t: number): number {
  const sum = at[0] + at[1] + at[2];
  return (1 - BELIEF) / 3 + BELIEF * (sum > 0.05 ? (at[t] as number) / sum : 1 / 3);
}

/**
 * The chance of each voxel to be fluid, grey or white matter, whether it is brain or not.
 * @param volume values in the fit's units @param pose, scale as of the fit
 * @param only voxels where this is above 0.5 are looked at; the others have no shares
 * @returns three a voxel, summing to 1
 */
export function tissueShares(
  volume: Volume,
  pose: Affine,
  scale: number,
  fit: TissueFit,
  only: Float32Array,
): Float32Array {
  const inFrame = multiply(
    scaling(1 / scale, 1 / scale, 1 / scale),
    multiply(invert(pose), volume.grid.affine),
  );
  const priors = tissuePriors().map((prior) =>
    resampleLinear(prior, { shape: volume.grid.shape, affine: inFrame }),
  );
  const out = new Float32Array(3 * volume.data.length);
  const [fluid, grey, white] = priors as [Float32Array, Float32Array, Float32Array];
  for (let v = 0; v < volume.data.length; v++) {
    if (!((only[v] as number) > 0.5)) continue;
    const value = volume.data[v] as number;
    const at = [fluid[v] as number, grey[v] as number, white[v] as number] as const;
    let all = 0;
    for (let t = 0; t < 3; t++) {
      const tissue = TISSUES[t] as Tissue;
      const far = (value - fit.mean[tissue]) / fit.spread[tissue];
      const p = (believed(at, t) * Math.exp(-0.5 * far * far)) / fit.spread[tissue];
      out[3 * v + t] = p;
      all += p;
    }
    for (let t = 0; t < 3; t++)
      out[3 * v + t] = all > 1e-30 ? (out[3 * v + t] as number) / all : believed(at, t);
  }
  return out;
}

export const CONTRASTS = ['t1w', 't2w', 'flair', 'pdw'] as const;
/** `unknown`: the three tissues have no order that one of the others has. */
export type Contrast = (typeof CONTRASTS)[number] | 'unknown';

/**
 * By the order of the three: white over grey over fluid is T1-weighted; fluid darkest and white not over grey FLAIR; fluid
 * over grey over white T2-weighted (T2* too); fluid like grey, white less: proton density.
 */
export function contrastOf({ mean }: TissueFit, air = 0): Contrast {
  const [fluid, grey, white] = [mean.fluid - air, mean.grey - air, mean.white - air];
  if (!(grey > 0 && white > 0)) return 'unknown';
  const [f, w] = [fluid / grey, white / grey];
  if (w > 1.03) return f < 0.95 ? 't1w' : 'unknown';
  if (f < 0.8) return 'flair';
  if (f > 1.2) return 't2w';
  return 'pdw';
}
