/**
 * The inside of `rigid-match.ts`: Gauss-Newton for the rigid motion with which one brain best predicts another, by a
 * function of its values that is fitted at every step.
 *
 * @example
 * const fit = refine(matchLevel(fixed, moving, centre), IDENTITY, 20);
 */
import { type Affine, at, invert, multiply, rotation, translation, type Vec3 } from '../volume/affine.js';
import { quantile } from '../volume/statistics.js';
import { voxelSizes } from '../volume/volume.js';
import { solveSymmetric } from './linear-solve.js';
import { type SoftBrain, smoothPart } from './soft-brain.js';

/** Two brains at one resolution. */
export interface MatchLevel {
  /** Whose blocks are predicted. */
  readonly fixed: SoftBrain;
  readonly moving: SoftBrain;
  /** About which rotations are counted, fixed world mm. */
  readonly centre: Vec3;
  /** Offsets (fixed voxels, along the thickest axis) whose mean stands for a voxel of the fixed brain. */
  readonly samples: readonly Vec3[];
  /** Least and greatest value of the moving brain that are told apart. */
  readonly range: readonly [number, number];
  /** Smoothing (mm) of the brightness that is fitted beside. */
  readonly smoothMm: number;
}

export interface LevelFit {
  /** Fixed world mm to moving world mm. */
  readonly motion: Affine;
  /** Share of the fixed brain's variance that is explained, 0 to 1. */
  readonly explained: number;
  /** Share of the smaller brain in the other, 0 to 1. */
  readonly overlap: number;
}

/** A voxel that is this much thicker than the other brain's is predicted by more than one sample. */
const SAMPLE_MM = 2;
/**
 * Share of brain from which a block takes part. From 0.5 on the rims of the two masks took part, which lie where the search or
 * the start of the fit has them: errors of up to 0.7 mm in T2w and 1.2 in PD for 0.5 and 1.0 (12 painted images).
 */
const INSIDE = 0.9;

export function matchLevel(fixed: SoftBrain, moving: SoftBrain, centre: Vec3, smoothMm: number): MatchLevel {
  const sizes = voxelSizes(fixed.grid);
  const finest = Math.max(SAMPLE_MM, Math.min(...voxelSizes(moving.grid)));
  const axis = sizes.indexOf(Math.max(...sizes));
  const count = Math.max(1, Math.min(5, Math.round((sizes[axis] as number) / finest)));
  const samples = Array.from({ length: count }, (_, i): Vec3 => {
    const offset = (i + 0.5) / count - 0.5;
    return [axis === 0 ? offset : 0, axis === 1 ? offset : 0, axis === 2 ? offset : 0];
  });
  const inside = moving.values.filter((_, o) => (moving.share[o] as number) > INSIDE);
  const range = [quantile(inside, 0.01), quantile(inside, 0.99)] as const;
  return { fixed, moving, centre, samples, range, smoothMm };
}

/** What the moving brain holds at the places of the fixed one's blocks: its value and slope (per mm, moving world). */
interface Reading {
  readonly value: Float32Array;
  readonly slope: Float32Array;
  /** Share of the fixed block that is brain in both, 0 where less than half of it. */
  readonly weight: Float32Array;
}

function read({ fixed, moving, samples }: MatchLevel, motion: Affine): Reading {
  const toMoving = multiply(invert(moving.grid.affine), multiply(motion, fixed.grid.affine));
  const [nx, ny, nz] = fixed.grid.shape;
  const [mx, my, mz] = moving.grid.shape;
  const [sy, sz] = [mx, mx * my];
  const { values, share } = moving;
  const count = nx * ny * nz;
  const value = new Float32Array(count);
  const slope = new Float32Array(3 * count);
  const weight = new Float32Array(count);
  const t = (r: number, c: number): number => at(toMoving, r, c);
  const [t00, t01, t02, t03] = [t(0, 0), t(0, 1), t(0, 2), t(0, 3)];
  const [t10, t11, t12, t13] = [t(1, 0), t(1, 1), t(1, 2), t(1, 3)];
  const [t20, t21, t22, t23] = [t(2, 0), t(2, 1), t(2, 2), t(2, 3)];
  // Slope per voxel of the moving grid to slope per mm of its world: the inverse transposed.
  const w = invert(moving.grid.affine);
  const part = 1 / samples.length;
  const [dx, dy, dz] = [0, 1, 2].map((a) => Float64Array.from(samples, (s) => s[a as 0] as number)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const here = fixed.share[o] as number;
        if (here < INSIDE) continue;
        let [sum, gi, gj, gk, inside] = [0, 0, 0, 0, 0];
        for (let s = 0; s < dx.length; s++) {
          const [fi, fj, fk] = [i + (dx[s] as number), j + (dy[s] as number), k + (dz[s] as number)];
          const x = t00 * fi + t01 * fj + t02 * fk + t03;
          const y = t10 * fi + t11 * fj + t12 * fk + t13;
          const z = t20 * fi + t21 * fj + t22 * fk + t23;
          if (!(x >= 0 && y >= 0 && z >= 0 && x < mx - 1 && y < my - 1 && z < mz - 1)) continue;
          const [ix, iy, iz] = [x | 0, y | 0, z | 0];
          const [fx, fy, fz] = [x - ix, y - iy, z - iz];
          const q = ix + sy * iy + sz * iz;
          const here000 = share[q] as number;
          // Nearest is enough to know whether it is brain.
          const nearest =
            share[q + (fx > 0.5 ? 1 : 0) + (fy > 0.5 ? sy : 0) + (fz > 0.5 ? sz : 0)] ?? here000;
          if (nearest < INSIDE) continue;
          const v000 = values[q] as number;
          const v100 = values[q + 1] as number;
          const v010 = values[q + sy] as number;
          const v110 = values[q + sy + 1] as number;
          const v001 = values[q + sz] as number;
          const v101 = values[q + sz + 1] as number;
          const v011 = values[q + sz + sy] as number;
          const v111 = values[q + sz + sy + 1] as number;
          const a00 = v000 + (v100 - v000) * fx;
          const a10 = v010 + (v110 - v010) * fx;
          const a01 = v001 + (v101 - v001) * fx;
          const a11 = v011 + (v111 - v011) * fx;
          const a0 = a00 + (a10 - a00) * fy;
          const a1 = a01 + (a11 - a01) * fy;
          sum += a0 + (a1 - a0) * fz;
          gk += a1 - a0;
          gj += (a10 - a00) * (1 - fz) + (a11 - a01) * fz;
          gi +=
            ((v100 - v000) * (1 - fy) + (v110 - v010) * fy) * (1 - fz) +
            ((v101 - v001) * (1 - fy) + (v111 - v011) * fy) * fz;
          inside++;
        }
        if (inside * part < INSIDE) continue;
        const one = 1 / inside;
        value[o] = sum * one;
        slope[3 * o] = one * (gi * (w[0] as number) + gj * (w[4] as number) + gk * (w[8] as number));
        slope[3 * o + 1] = one * (gi * (w[1] as number) + gj * (w[5] as number) + gk * (w[9] as number));
        slope[3 * o + 2] = one * (gi * (w[2] as number) + gj * (w[6] as number) + gk * (w[10] as number));
        weight[o] = here * inside * part;
      }
  return { value, slope, weight };
}

/** Knots of the function of values. */
const KNOTS = 24;
/** Of the mean weight of a knot: neighbours hold a knot that hardly any voxel falls to. */
const STIFFNESS = 0.02;

/** Heights at the knots of the linear spline that predicts `target` best. */
function fitSpline(
  target: Float32Array,
  value: Float32Array,
  weight: Float32Array,
  [low, high]: readonly [number, number],
): Float64Array {
  const diagonal = new Float64Array(KNOTS);
  const beside = new Float64Array(KNOTS);
  const right = new Float64Array(KNOTS);
  const scale = (KNOTS - 1) / (high - low || 1);
  let total = 0;
  for (let o = 0; o < value.length; o++) {
    const w = weight[o] as number;
    if (w === 0) continue;
    total += w;
    const p = Math.max(0, Math.min(KNOTS - 1.0001, ((value[o] as number) - low) * scale));
    const a = p | 0;
    const f = p - a;
    const g = 1 - f;
    const b = target[o] as number;
    diagonal[a] = (diagonal[a] as number) + w * g * g;
    diagonal[a + 1] = (diagonal[a + 1] as number) + w * f * f;
    beside[a] = (beside[a] as number) + w * f * g;
    right[a] = (right[a] as number) + w * g * b;
    right[a + 1] = (right[a + 1] as number) + w * f * b;
  }
  const stiff = (STIFFNESS * total) / KNOTS + 1e-9;
  for (let a = 0; a + 1 < KNOTS; a++) {
    diagonal[a] = (diagonal[a] as number) + stiff;
    diagonal[a + 1] = (diagonal[a + 1] as number) + stiff;
    beside[a] = (beside[a] as number) - stiff;
  }
  // Tridiagonal: forward and back.
  for (let a = 1; a < KNOTS; a++) {
    const m = (beside[a - 1] as number) / (diagonal[a - 1] as number);
    diagonal[a] = (diagonal[a] as number) - m * (beside[a - 1] as number);
    right[a] = (right[a] as number) - m * (right[a - 1] as number);
  }
  const heights = new Float64Array(KNOTS);
  for (let a = KNOTS - 1; a >= 0; a--)
    heights[a] =
      ((right[a] as number) - (a + 1 < KNOTS ? (beside[a] as number) * (heights[a + 1] as number) : 0)) /
      (diagonal[a] as number);
  return heights;
}

/** What the moving brain predicts of the fixed one, at one motion. */
interface Prediction extends Reading {
  /** Spline of the moving brain's values; 0 where weight is 0. */
  readonly predicted: Float32Array;
  /** Rise of the spline there, per unit of value; 0 beyond its ends, where it is flat. */
  readonly rise: Float32Array;
  /** Smooth part of what is not predicted. */
  readonly smooth: Float32Array;
}

/**
 * Smooth brightness is left out of account, or coils and the share of fluid in a region would shift the fit (by 0.25 to 0.5
 * mm on painted heads).
 * @param before `smooth` of the step before: the two are fitted in turns
 */
function predict(level: MatchLevel, motion: Affine, before: Float32Array | undefined): Prediction {
  const { fixed, range } = level;
  const reading = read(level, motion);
  const { value, weight } = reading;
  let target = fixed.values;
  if (before !== undefined) {
    target = new Float32Array(before.length);
    for (let o = 0; o < target.length; o++) target[o] = (fixed.values[o] as number) - (before[o] as number);
  }
  const heights = fitSpline(target, value, weight, range);
  const [low, high] = range;
  const scale = (KNOTS - 1) / (high - low || 1);
  const predicted = new Float32Array(value.length);
  const rise = new Float32Array(value.length);
  const rest = new Float32Array(value.length);
  for (let o = 0; o < value.length; o++) {
    if (weight[o] === 0) continue;
    const p = ((value[o] as number) - low) * scale;
    const clamped = Math.max(0, Math.min(KNOTS - 1.0001, p));
    const a = clamped | 0;
    const step = (heights[a + 1] as number) - (heights[a] as number);
    predicted[o] = (heights[a] as number) + (clamped - a) * step;
    if (p === clamped) rise[o] = step * scale;
    rest[o] = (fixed.values[o] as number) - (predicted[o] as number);
  }
  return { ...reading, predicted, rise, smooth: smoothPart(fixed.grid, rest, weight, level.smoothMm) };
}

/** What the moving brain predicts for the fixed one's blocks, and where (weight, 0 to 1). */
export function predictionOf(
  level: MatchLevel,
  motion: Affine,
): { predicted: Float32Array; weight: Float32Array } {
  const { smooth } = predict(level, motion, undefined);
  return predict(level, motion, smooth);
}

interface Sums {
  readonly normal: Float64Array;
  readonly right: Float64Array;
  readonly explained: number;
  readonly weight: number;
}

/** Of all rotations and shifts (moving world, about `pivot`) the sums of Gauss-Newton at a motion. */
function accumulate(
  { fixed }: MatchLevel,
  { weight, slope, predicted, rise, smooth }: Prediction,
  motion: Affine,
  pivot: Vec3,
): Sums {
  const m = multiply(motion, fixed.grid.affine);
  const [nx, ny, nz] = fixed.grid.shape;
  const normal = new Float64Array(36);
  const right = new Float64Array(6);
  const jac = new Float64Array(6);
  let [n, sb, sbb, left] = [0, 0, 0, 0];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const w = weight[o] as number;
        if (w === 0) continue;
        const b = (fixed.values[o] as number) - (smooth[o] as number);
        const residual = b - (predicted[o] as number);
        n += w;
        sb += w * b;
        sbb += w * b * b;
        left += w * residual * residual;
        const s = rise[o] as number;
        if (s === 0) continue;
        const gx = s * (slope[3 * o] as number);
        const gy = s * (slope[3 * o + 1] as number);
        const gz = s * (slope[3 * o + 2] as number);
        const x = at(m, 0, 0) * i + at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3) - pivot[0];
        const y = at(m, 1, 0) * i + at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3) - pivot[1];
        const z = at(m, 2, 0) * i + at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3) - pivot[2];
        jac[0] = y * gz - z * gy;
        jac[1] = z * gx - x * gz;
        jac[2] = x * gy - y * gx;
        jac[3] = gx;
        jac[4] = gy;
        jac[5] = gz;
        for (let u = 0; u < 6; u++) {
          const wu = w * (jac[u] as number);
          right[u] = (right[u] as number) + wu * residual;
          for (let c = u; c < 6; c++)
            normal[6 * u + c] = (normal[6 * u + c] as number) + wu * (jac[c] as number);
        }
      }
  const variance = sbb - (sb * sb) / Math.max(1e-9, n);
  return { normal, right, explained: variance > 0 ? 1 - left / variance : 0, weight: n };
}

/** Steps end when no point of the brain moves by more (mm). */
const SETTLED_MM = 0.03;
/** A step turns by no more (radians) and shifts by no more (mm). */
const [MOST_TURN, MOST_SHIFT] = [0.15, 10] as const;

function brainMl({ grid, share }: SoftBrain): number {
  const [x, y, z] = voxelSizes(grid);
  let sum = 0;
  for (let o = 0; o < share.length; o++) if ((share[o] as number) >= INSIDE) sum += share[o] as number;
  return (sum * x * y * z) / 1000;
}

/** From `start` (fixed world to moving world) to the nearest motion that explains most. */
export function refine(level: MatchLevel, start: Affine, iterations: number): LevelFit {
  let motion = start;
  let smooth: Float32Array | undefined;
  for (let i = 0; i < iterations; i++) {
    const [px, py, pz] = [0, 1, 2].map(
      (r) =>
        at(motion, r, 0) * level.centre[0] +
        at(motion, r, 1) * level.centre[1] +
        at(motion, r, 2) * level.centre[2] +
        at(motion, r, 3),
    ) as [number, number, number];
    const prediction = predict(level, motion, smooth);
    smooth = prediction.smooth;
    const sums = accumulate(level, prediction, motion, [px, py, pz]);
    const step = solveSymmetric(sums.normal, sums.right, 6, 1e-4);
    const s = (u: number): number => step[u] as number;
    const turn = Math.hypot(s(0), s(1), s(2));
    const shift = Math.hypot(s(3), s(4), s(5));
    if (!Number.isFinite(turn + shift)) break;
    const less = Math.min(1, MOST_TURN / (turn || 1), MOST_SHIFT / (shift || 1));
    const moved = multiply(
      translation(px + less * s(3), py + less * s(4), pz + less * s(5)),
      multiply(rotation([less * s(0), less * s(1), less * s(2)]), translation(-px, -py, -pz)),
    );
    motion = multiply(moved, motion);
    if (turn * 80 + shift < SETTLED_MM) break;
  }
  const last = accumulate(level, predict(level, motion, smooth), motion, [0, 0, 0]);
  const [x, y, z] = voxelSizes(level.fixed.grid);
  const common = (last.weight * x * y * z) / 1000;
  const smaller = Math.min(brainMl(level.fixed), brainMl(level.moving));
  return { motion, explained: last.explained, overlap: smaller > 0 ? Math.min(1, common / smaller) : 0 };
}

/** Weighted correlation, -1 to 1; 0 where one of the two does not vary. */
export function correlationOf(a: Float32Array, b: Float32Array, weight: Float32Array): number {
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let o = 0; o < a.length; o++) {
    const w = weight[o] as number;
    if (w === 0) continue;
    const [x, y] = [a[o] as number, b[o] as number];
    n += w;
    sa += w * x;
    sb += w * y;
    saa += w * x * x;
    sbb += w * y * y;
    sab += w * x * y;
  }
  const [va, vb] = [saa - (sa * sa) / n, sbb - (sb * sb) / n];
  return va > 0 && vb > 0 ? (sab - (sa * sb) / n) / Math.sqrt(va * vb) : 0;
}
