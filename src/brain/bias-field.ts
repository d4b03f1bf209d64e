/**
 * The brightness that a coil lays over a scan, told from the brain alone and carried on outwards, so that what is drawn beyond
 * the skull is as bright there as the brain beside it (promise P1: only brain voxels take part). A polynomial of the second
 * degree in the logarithm is fitted to grey and white matter, each about its own mean; beyond the brain it goes on along the
 * ray from the centre with a slope that dies away.
 *
 * Heads are drawn with the field of the heads that they were learnt from, so it is the difference to theirs that counts, and
 * only what is more than those differ among themselves.
 *
 * @example
 * const found = fitBias(volume, brainMask, pose, scale);
 * const field = found === undefined ? undefined : unusualBias(found.field, found.t1w);
 * if (field !== undefined) brighten(values, grid, field, { pose, scale });
 */
import { type Affine, applyAffine, invert, multiply, scaling, type Vec3 } from '../volume/affine.js';
import type { Grid, Mask, Volume } from '../volume/volume.js';
import { solveSymmetric } from './linear-solve.js';
import { type BrainSample, contrastOf, fitMixture, sampleBrain } from './tissues.js';

/** Of x, y, z, x^2, y^2, z^2, xy, xz, yz, each over {@link UNIT_MM}; the constant is the brain's level. */
export type BiasField = readonly number[];

const TERMS = 9;
const UNIT_MM = 70;
/** About the brain's surface in its frame (mm): beyond it nothing was seen. */
const SURFACE: Vec3 = [66, 84, 64];
/** Over so many mm the slope at the surface dies away. */
const FADE_MM = 30;
/** The logarithm of the field is kept within this: a coil that is twice as bright at the skin is a bad one. */
const MOST = Math.log(2);
/** Tissues and field are fitted in turns; with half as many of either, fields are seen where clean heads have none. */
const ROUNDS = 8;
const MIXTURE_ROUNDS = 8;
/** One in six tells the field as well as one in two, in half of the time (8 heads, `bench/bias-field.mjs`). */
const THINNED = 6;
/** A voxel further from its tissue's mean (logarithm) is another tissue, or a lesion. */
const FAR = 0.5;
/** Draws the terms towards 0, in voxels of unit size: a brain of which half is seen must not tell of the other. */
const RIDGE = 3.3;

function terms(x: number, y: number, z: number, into: Float64Array): void {
  const [a, b, c] = [x / UNIT_MM, y / UNIT_MM, z / UNIT_MM];
  into[0] = a;
  into[1] = b;
  into[2] = c;
  into[3] = a * a;
  into[4] = b * b;
  into[5] = c * c;
  into[6] = a * b;
  into[7] = a * c;
  into[8] = b * c;
}

/**
 * The brain's own field, as it is.
 * @param volume only voxels under `mask` are read @param pose brain frame to world
 * @param scale lengths of this brain over an adult's @param air value of air in the volume
 * @returns the field, and whether the brain is T1-weighted;
 * undefined where its tissues cannot be told apart
 */
export function fitBias(
  volume: Volume,
  mask: Mask,
  pose: Affine,
  scale: number,
  air = 0,
): { field: BiasField; t1w: boolean } | undefined {
  const { values, priors, places } = thinned(sampleBrain(volume, mask, pose, scale));
  const count = values.length;
  const logs = new Float64Array(count);
  const basis = new Float64Array(TERMS * count);
  for (let i = 0; i < count; i++) {
    const value = (values[i] as number) - air;
    values[i] = value;
    logs[i] = value > 0 ? Math.log(value) : Number.NaN;
    const [x, y, z] = [0, 1, 2].map((a) => places[3 * i + a] as number) as [number, number, number];
    terms(x, y, z, basis.subarray(TERMS * i, TERMS * (i + 1)));
  }
  const corrected = values.slice();
  let t1w = false;
  let field = new Float64Array(TERMS);
  const known = new Float64Array(count);
  for (let round = 0; round < ROUNDS; round++) {
    const found = fitMixture({ values: corrected, priors }, MIXTURE_ROUNDS);
    if (found === undefined) return undefined;
    const { grey, white } = found.fit.mean;
    if (!(grey > 0 && white > 0)) return undefined;
    t1w = contrastOf(found.fit) === 't1w';
    field = regress(logs, known, basis, found.weights, [Math.log(grey), Math.log(white)]);
    if (!field.every(Number.isFinite)) return undefined;
    for (let i = 0; i < count; i++) {
      known[i] = dot(field, basis.subarray(TERMS * i, TERMS * (i + 1)));
      corrected[i] = (values[i] as number) * Math.exp(-(known[i] as number));
    }
  }
  return { field: [...field], t1w };
}

/** One in {@link THINNED} of a sample: ten unknowns ask for no more. */
function thinned({ values, priors, places }: BrainSample): BrainSample {
  const count = Math.floor(values.length / THINNED);
  const three = (from: Float32Array) =>
    Float32Array.from({ length: 3 * count }, (_, e) => from[3 * THINNED * ((e / 3) | 0) + (e % 3)] as number);
  const few = Float32Array.from({ length: count }, (_, i) => values[THINNED * i] as number);
  return { values: few, priors: three(priors), places: three(places) };
}

/** Least squares over what grey and white matter are off their means by. @param known the field so far: what is far from it is left out */
function regress(
  logs: Float64Array,
  known: Float64Array,
  basis: Float64Array,
  weights: Float64Array,
  means: readonly [number, number],
): Float64Array<ArrayBuffer> {
  const size = TERMS + 1;
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  const each = new Float64Array(size).fill(1);
  for (let i = 0; i < logs.length; i++) {
    let [w, wr] = [0, 0];
    for (let t = 0; t < 2; t++) {
      const rest = (logs[i] as number) - (means[t] as number);
      if (!(Math.abs(rest - (known[i] as number)) < FAR)) continue;
      const share = weights[3 * i + 1 + t] as number;
      w += share;
      wr += share * rest;
    }
    if (w === 0) continue;
    for (let r = 0; r < TERMS; r++) each[r] = basis[TERMS * i + r] as number;
    for (let r = 0; r < size; r++) {
      const e = each[r] as number;
      right[r] = (right[r] as number) + wr * e;
      const we = w * e;
      for (let c = r; c < size; c++)
        normal[size * r + c] = (normal[size * r + c] as number) + we * (each[c] as number);
    }
  }
  for (let r = 0; r < TERMS; r++) normal[size * r + r] = (normal[size * r + r] as number) + RIDGE;
  return Float64Array.from(solveSymmetric(normal, right, size, 1e-6).subarray(0, TERMS));
}

function dot(field: ArrayLike<number>, each: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 0; t < TERMS; t++) sum += (field[t] as number) * (each[t] as number);
  return sum;
}

/** Logarithm of a field anywhere about a brain. @param x, y, z brain frame at an adult's size, mm */
export function biasAt(field: BiasField, x: number, y: number, z: number): number {
  const far = Math.hypot(x / SURFACE[0], y / SURFACE[1], z / SURFACE[2]);
  const each = new Float64Array(TERMS);
  const value = (by: number): number => {
    terms(x * by, y * by, z * by, each);
    return dot(field, each);
  };
  let log: number;
  if (far <= 1) log = value(1);
  else {
    const radius = Math.hypot(x, y, z) / far;
    const here = value(1 / far);
    const slope = (here - value(0.9 / far)) / (0.1 * radius);
    const beyond = (far - 1) * radius;
    log = here + slope * FADE_MM * (1 - Math.exp(-beyond / FADE_MM));
  }
  return Math.max(-MOST, Math.min(MOST, log));
}

/** What clean heads of one kind of contrast have: means, and how much of a term says nothing. */
interface Usual {
  readonly mean: BiasField;
  readonly doubt: BiasField;
}

/**
 * T1-weighted: means of the 113 heads that were learnt from; the doubt is one and a half times what five other scanners' heads
 * differ from them by, and two to four deviations among themselves. The second degree is anatomy for the most part (cortex
 * shares its voxels with fluid: it changes its sign in T2w), so it takes much of it to be believed.
 */
const T1W: Usual = {
  mean: [0.014, 0.1, -0.27, -0.462, -0.279, -0.477, -0.081, -0.019, 0.032],
  doubt: [0.06, 0.15, 0.15, 0.25, 0.25, 0.25, 0.09, 0.09, 0.12],
};
/**
 * Of other contrasts there are two heads, and label heads painted without slope (N = 12 of 6 people, one of the test split;
 * `bench/signal-heads.mjs`): only what is no anatomy in any, and plain, is carried on. Fluid over the frontal lobes of old people
 * makes -0.26 of yz.
 */
const OTHER: Usual = {
  mean: [0, 0, 0, 0, 0, 0, 0, 0, 0],
  doubt: [0.08, 0.15, 0.4, 0.8, 0.6, 0.6, 0.12, 0.12, 0.3],
};

/**
 * What of a brain's field is to be carried on outwards: its terms less those of clean heads, each drawn to 0 by its doubt.
 * @returns undefined where nothing is left, as in most heads
 */
export function unusualBias(field: BiasField, t1w: boolean): BiasField | undefined {
  const { mean, doubt } = t1w ? T1W : OTHER;
  const left = field.map((term, t) => {
    const off = term - (mean[t] as number);
    return off === 0 ? 0 : off * Math.max(0, 1 - ((doubt[t] as number) / off) ** 2);
  });
  return left.some((term) => term !== 0) ? left : undefined;
}

/** Voxels between two places where the field is worked out; it is straight between them. */
const STEP = 8;

/**
 * Multiplies values by a field, in place.
 * @param pose brain frame to the world of `grid` @param scale lengths of this brain over an adult's
 */
export function brighten(
  values: Float32Array,
  grid: Grid,
  field: BiasField,
  { pose, scale }: { readonly pose: Affine; readonly scale: number },
): void {
  const [nx, ny, nz] = grid.shape;
  const [mx, my, mz] = grid.shape.map((n) => Math.ceil((n - 1) / STEP) + 1) as [number, number, number];
  const inFrame = multiply(scaling(1 / scale, 1 / scale, 1 / scale), multiply(invert(pose), grid.affine));
  const nodes = new Float32Array(mx * my * mz);
  for (let k = 0, o = 0; k < mz; k++)
    for (let j = 0; j < my; j++)
      for (let i = 0; i < mx; i++, o++) {
        const [x, y, z] = applyAffine(inFrame, [STEP * i, STEP * j, STEP * k]);
        nodes[o] = Math.exp(biasAt(field, x, y, z));
      }
  const row = new Float32Array(mx + 1);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const [b, c] = [Math.floor(j / STEP), Math.floor(k / STEP)];
      const [f, g] = [j / STEP - b, k / STEP - c];
      const at = (i: number, dj: number, dk: number): number =>
        nodes[i + mx * (Math.min(my - 1, b + dj) + my * Math.min(mz - 1, c + dk))] as number;
      for (let i = 0; i < mx; i++)
        row[i] =
          (at(i, 0, 0) * (1 - f) + at(i, 1, 0) * f) * (1 - g) + (at(i, 0, 1) * (1 - f) + at(i, 1, 1) * f) * g;
      row[mx] = row[mx - 1] as number;
      for (let i = 0; i < nx; i++, o++) {
        const value = values[o] as number;
        if (!(value > 0)) continue;
        const a = (i / STEP) | 0;
        const here = row[a] as number;
        values[o] = value * (here + ((row[a + 1] as number) - here) * (i / STEP - a));
      }
    }
}
