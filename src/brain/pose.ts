/**
 * The pose of a brain: a rigid fit of its mask to the average brain of the training heads, so that the model grid
 * stands on every head alike (a nod of 10 degrees moves the tip of the nose by 25 mm).
 *
 * Only the mask enters: any contrast has one, and P1 asks that nothing outside the brain decides the pose.
 * Gauss-Newton on squared differences of masks smoothed by 4 mm; a common scale is fitted beside the six rigid
 * parameters, because a small brain would else be turned to fill the template, and then dropped.
 *
 * @example
 * const { pose, correlation } = fitPose(brainMask, brainTemplate());
 */
import {
  type Affine,
  AXIS_ORDERS,
  applyAffine,
  at,
  IDENTITY,
  invert,
  multiply,
  rotation,
  translation,
  type Vec3,
} from '../volume/affine.js';
import { maskBox } from '../volume/mask-box.js';
import { gaussianSmooth } from '../volume/smooth.js';
import { cubeGrid, type Mask, type Volume, voxelMillilitres } from '../volume/volume.js';
import { solveSymmetric } from './linear-solve.js';

export interface PoseFit {
  /** Brain frame (mm) to world (mm), rigid. */
  readonly pose: Affine;
  /** Correlation of the smoothed mask with the template after the fit, -1 to 1; 0.97 and more for IXI heads. */
  readonly correlation: number;
  /** Size of this brain relative to the template (a length ratio); not part of the pose. */
  readonly scale: number;
}

/** Mean world position of the mask's voxels (mm). The mask must not be empty. */
export function centroid(mask: Mask): Vec3 {
  const [nx, ny] = mask.grid.shape;
  const { low, high } = maskBox(mask);
  let [x, y, z, n] = [0, 0, 0, 0];
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      const row = nx * (j + ny * k);
      for (let i = low[0]; i <= high[0]; i++) {
        if (mask.data[row + i] === 0) continue;
        x += i;
        y += j;
        z += k;
        n++;
      }
    }
  return applyAffine(mask.grid.affine, [x / n, y / n, z / n]);
}

/** Of the cube on which poses are fitted; at 4 mm the linear reads between voxels turned heads by up to 1 degree. */
const FINE_MM = 2;
/** Good enough to know where to look again: an eighth of the voxels. */
const ROUGH_MM = 4;
const SOFT_EDGE_MM = 224;

/**
 * The mask on a cube of 224 mm centred at `centre`, world axes, as fractions, smoothed by about 4 mm. Every set voxel is
 * shared out among the eight cube voxels around it: a pass over the brain instead of a resampling of the cube.
 * @param spacing mm, a divisor of 224; by default that on which poses are fitted
 */
export function softMask(mask: Mask, centre: Vec3, spacing = FINE_MM): Volume {
  const size = SOFT_EDGE_MM / spacing;
  const grid = cubeGrid(IDENTITY, centre, size, spacing);
  const data = new Float32Array(size ** 3);
  const m = multiply(invert(grid.affine), mask.grid.affine);
  const [nx, ny] = mask.grid.shape;
  const { low, high } = maskBox(mask);
  const share = voxelMillilitres(mask.grid) / (spacing ** 3 / 1000);
  const column: Vec3 = [at(m, 0, 0), at(m, 1, 0), at(m, 2, 0)];
  const start = new Float64Array(3);
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      for (let r = 0; r < 3; r++) start[r] = at(m, r, 1) * j + at(m, r, 2) * k + at(m, r, 3);
      shareOut(mask.data, nx * (j + ny * k), low[0], high[0], start, column, share, data, size);
    }
  // Sharing out is a tent, which at 2 mm has a deviation of 0.8 mm: with it, 4 mm in all.
  return gaussianSmooth({ grid, data }, Math.sqrt(4 ** 2 - spacing ** 2 / 6));
}

/**
 * Shares the set voxels of one row out among the voxels of a cube. Neighbours that fall into the same eight are gathered first
 * (sums of their fractions and of products of them), as each of the eight is a read and a write of memory.
 * @param start where voxel 0 of the row lies in the cube, in its voxels; `column` the step to the next
 */
function shareOut(
  mask: Uint8Array,
  row: number,
  first: number,
  end: number,
  start: Float64Array,
  column: Vec3,
  share: number,
  cube: Float32Array,
  size: number,
): void {
  const x0 = start[0] as number;
  const y0 = start[1] as number;
  const z0 = start[2] as number;
  const [dx, dy, dz] = column;
  const last = size - 1;
  const plane = size * size;
  let cell = -1;
  let n = 0;
  let sx = 0;
  let sy = 0;
  let sz = 0;
  let sxy = 0;
  let sxz = 0;
  let syz = 0;
  let sxyz = 0;
  // One step more than there are voxels: what was gathered last is written in the same place.
  for (let i = first; i <= end + 1; i++) {
    const set = i <= end;
    if (set && mask[row + i] === 0) continue;
    const x = x0 + dx * i;
    const y = y0 + dy * i;
    const z = z0 + dz * i;
    if (set && !(x >= 0 && y >= 0 && z >= 0 && x < last && y < last && z < last)) continue;
    const ix = x | 0;
    const iy = y | 0;
    const iz = z | 0;
    const here = set ? ix + size * iy + plane * iz : -1;
    if (here !== cell) {
      if (n > 0) {
        const o = cell;
        const up = o + plane;
        cube[o] = (cube[o] as number) + share * (n - sx - sy - sz + sxy + sxz + syz - sxyz);
        cube[o + 1] = (cube[o + 1] as number) + share * (sx - sxy - sxz + sxyz);
        cube[o + size] = (cube[o + size] as number) + share * (sy - sxy - syz + sxyz);
        cube[o + size + 1] = (cube[o + size + 1] as number) + share * (sxy - sxyz);
        cube[up] = (cube[up] as number) + share * (sz - sxz - syz + sxyz);
        cube[up + 1] = (cube[up + 1] as number) + share * (sxz - sxyz);
        cube[up + size] = (cube[up + size] as number) + share * (syz - sxyz);
        cube[up + size + 1] = (cube[up + size + 1] as number) + share * sxyz;
      }
      cell = here;
      n = 0;
      sx = 0;
      sy = 0;
      sz = 0;
      sxy = 0;
      sxz = 0;
      syz = 0;
      sxyz = 0;
    }
    const fx = x - ix;
    const fy = y - iy;
    const fz = z - iz;
    const fxy = fx * fy;
    n++;
    sx += fx;
    sy += fy;
    sz += fz;
    sxy += fxy;
    sxz += fx * fz;
    syz += fy * fz;
    sxyz += fxy * fz;
  }
}

/** A head is posed twice, with one template. */
const pointsOf = new WeakMap<Volume, Float32Array>();

/** x, y, z (mm) and value of every template voxel, on a checkerboard: half of them tell as much at 4 mm smoothing. */
function templatePoints(template: Volume): Float32Array {
  const known = pointsOf.get(template);
  if (known !== undefined) return known;
  const [nx, ny, nz] = template.grid.shape;
  const a = template.grid.affine;
  const all = new Float32Array(4 * nx * ny * nz);
  let n = 0;
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        if (((i + j + k) & 1) === 1) continue;
        for (let r = 0; r < 3; r++)
          all[n++] = at(a, r, 0) * i + at(a, r, 1) * j + at(a, r, 2) * k + at(a, r, 3);
        all[n++] = template.data[o] as number;
      }
  const points = all.slice(0, n);
  pointsOf.set(template, points);
  return points;
}

interface State {
  readonly rotation: Affine;
  readonly shift: Vec3;
  readonly scale: number;
}

type Fit = State & { readonly correlation: number };

interface FitEffort {
  readonly iterations: number;
  /** Looks at one template point of so many. */
  readonly every: number;
  /** Ends when the brain's surface moves by less than this (mm). */
  readonly tolerance: number;
}

const ROUGH: FitEffort = { iterations: 20, every: 7, tolerance: 0.2 };
/** Which of 24 ways round: a few hundredths of a second each. */
const SEARCH: FitEffort = { iterations: 10, every: 11, tolerance: 0.5 };
const FULL: FitEffort = { iterations: 30, every: 3, tolerance: 0.01 };

/** Layout of the sums over the points: the normal matrix (7 x 7, upper half), its right side, and what a correlation needs. */
const [RIGHT, SA, SB, SAA, SBB, SAB, N, SUMS] = [49, 56, 57, 58, 59, 60, 61, 62];

/**
 * One pass over the points: `turn` holds scale times rotation (row by row), then the shift (mm). A function of its own,
 * called some twenty times a head: as the middle of a longer one it was interpreted for half of its time.
 */
function accumulate(
  soft: Volume,
  points: Float32Array,
  turn: Float64Array,
  every: number,
  sums: Float64Array,
): void {
  const size = soft.grid.shape[0];
  const spacing = SOFT_EDGE_MM / size;
  const half = (size - 1) / 2;
  const data = soft.data;
  const sy = size;
  const sz = size * size;
  const t = (e: number): number => turn[e] as number;
  const [r00, r01, r02, r10, r11, r12] = [t(0), t(1), t(2), t(3), t(4), t(5)];
  const [r20, r21, r22, sx0, sy0, sz0] = [t(6), t(7), t(8), t(9), t(10), t(11)];
  const jac = new Float64Array(7);
  let [sa, sb, saa, sbb, sab, n] = [0, 0, 0, 0, 0, 0];
  for (let o = 0; o < points.length; o += 4 * every) {
    const lx = points[o] as number;
    const ly = points[o + 1] as number;
    const lz = points[o + 2] as number;
    const px = r00 * lx + r01 * ly + r02 * lz;
    const py = r10 * lx + r11 * ly + r12 * lz;
    const pz = r20 * lx + r21 * ly + r22 * lz;
    const x = (px + sx0) / spacing + half;
    const y = (py + sy0) / spacing + half;
    const z = (pz + sz0) / spacing + half;
    const b = points[o + 3] as number;
    if (x < 1 || y < 1 || z < 1 || x > size - 3 || y > size - 3 || z > size - 3) continue;
    const ix = x | 0;
    const iy = y | 0;
    const iz = z | 0;
    const fx = x - ix;
    const fy = y - iy;
    const fz = z - iz;
    const q = ix + iy * sy + iz * sz;
    const v000 = data[q] as number;
    const v100 = data[q + 1] as number;
    const v010 = data[q + sy] as number;
    const v110 = data[q + sy + 1] as number;
    const v001 = data[q + sz] as number;
    const v101 = data[q + sz + 1] as number;
    const v011 = data[q + sz + sy] as number;
    const v111 = data[q + sz + sy + 1] as number;
    const a00 = v000 + (v100 - v000) * fx;
    const a10 = v010 + (v110 - v010) * fx;
    const a01 = v001 + (v101 - v001) * fx;
    const a11 = v011 + (v111 - v011) * fx;
    const a0 = a00 + (a10 - a00) * fy;
    const a1 = a01 + (a11 - a01) * fy;
    const a = a0 + (a1 - a0) * fz;
    n++;
    sa += a;
    sb += b;
    saa += a * a;
    sbb += b * b;
    sab += a * b;
    if (a < 0.005 && b < 0.005) continue;
    const gz = (a1 - a0) / spacing;
    const gy = ((a10 - a00) * (1 - fz) + (a11 - a01) * fz) / spacing;
    const gx =
      (((v100 - v000) * (1 - fy) + (v110 - v010) * fy) * (1 - fz) +
        ((v101 - v001) * (1 - fy) + (v111 - v011) * fy) * fz) /
      spacing;
    jac[0] = py * gz - pz * gy;
    jac[1] = pz * gx - px * gz;
    jac[2] = px * gy - py * gx;
    jac[3] = gx;
    jac[4] = gy;
    jac[5] = gz;
    jac[6] = px * gx + py * gy + pz * gz;
    const residual = b - a;
    for (let u = 0; u < 7; u++) {
      const ju = jac[u] as number;
      sums[RIGHT + u] = (sums[RIGHT + u] as number) + ju * residual;
      for (let w = u; w < 7; w++) sums[u * 7 + w] = (sums[u * 7 + w] as number) + ju * (jac[w] as number);
    }
  }
  for (const [at, value] of [
    [SA, sa],
    [SB, sb],
    [SAA, saa],
    [SBB, sbb],
    [SAB, sab],
    [N, n],
  ] as const)
    sums[at] = value;
}

/** Fits from one start; `soft` is centred on the brain, positions are relative to that centre. */
function fitFrom(soft: Volume, points: Float32Array, start: State, effort: FitEffort): Fit {
  let { rotation: turned, shift, scale } = start;
  let correlation = -1;
  let last = effort.iterations;
  for (let iteration = 0; iteration <= last; iteration++) {
    const turn = Float64Array.from([0, 1, 2, 4, 5, 6, 8, 9, 10], (e) => scale * (turned[e] as number));
    const sums = new Float64Array(SUMS);
    accumulate(soft, points, Float64Array.of(...turn, ...shift), effort.every, sums);
    const [sa, sb, saa, sbb, sab, n] = [SA, SB, SAA, SBB, SAB, N].map((at) => sums[at] as number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const covariance = sab - (sa * sb) / n;
    correlation = covariance / Math.sqrt((saa - (sa * sa) / n) * (sbb - (sb * sb) / n) + 1e-12);
    if (iteration === last) break;
    const step = solveSymmetric(sums.slice(0, RIGHT), sums.slice(RIGHT, SA), 7, 1e-6);
    const clamp = (v: number, limit: number): number => Math.max(-limit, Math.min(limit, v));
    const s = (index: number): number => step[index] as number;
    turned = multiply(rotation([clamp(s(0), 0.2), clamp(s(1), 0.2), clamp(s(2), 0.2)]), turned);
    shift = [shift[0] + clamp(s(3), 15), shift[1] + clamp(s(4), 15), shift[2] + clamp(s(5), 15)];
    scale = clamp(scale * Math.exp(clamp(s(6), 0.1)), 1.5);
    const moved = Math.hypot(s(0), s(1), s(2)) * 80 + Math.hypot(s(3), s(4), s(5));
    if (moved < effort.tolerance) last = iteration + 1;
  }
  return { rotation: turned, shift, scale, correlation };
}

/** The 24 rotations that map axes to axes, identity first. */
export function axisRotations(): Affine[] {
  const out: Affine[] = [];
  for (const p of AXIS_ORDERS)
    for (let signs = 0; signs < 8; signs++) {
      const m = new Array<number>(16).fill(0);
      m[15] = 1;
      p.forEach((column, row) => {
        m[row * 4 + column] = (signs >> row) & 1 ? -1 : 1;
      });
      const parity =
        p[0] === 0 && p[1] === 1 ? 1 : p[0] === 1 && p[1] === 2 ? 1 : p[0] === 2 && p[1] === 0 ? 1 : -1;
      const sign = (signs & 1 ? -1 : 1) * (signs & 2 ? -1 : 1) * (signs & 4 ? -1 : 1);
      if (parity * sign === 1) out.push(m);
    }
  return out;
}

/**
 * Below this correlation the world axes of the header are not believed and all 24 axis orders are tried. Turned back to
 * front the average brain still agrees with itself at 0.942, upside down at 0.933; right way round IXI heads do at 0.985.
 */
const TRUSTED_CORRELATION = 0.96;

const turnedBy = (rotation: Affine): State => ({ rotation, shift: [0, 0, 0], scale: 1 });

/** By one point in seven first, which takes most of the way. */
function settle(soft: Volume, points: Float32Array, start: State): Fit {
  return fitFrom(soft, points, fitFrom(soft, points, start, ROUGH), FULL);
}

function placed(fit: Fit, centre: Vec3): PoseFit {
  const shift = translation(centre[0] + fit.shift[0], centre[1] + fit.shift[1], centre[2] + fit.shift[2]);
  return { pose: multiply(shift, fit.rotation), correlation: fit.correlation, scale: fit.scale };
}

/**
 * @param mask at least a few thousand voxels of brain, any grid
 * @param template average soft mask in the brain frame (origin at the brain's centre)
 * @param centre the mask's centroid, where it is known
 */
export function fitPose(mask: Mask, template: Volume, centre: Vec3 = centroid(mask)): PoseFit {
  const soft = softMask(mask, centre);
  const points = templatePoints(template);
  let best = settle(soft, points, turnedBy(IDENTITY));
  if (best.correlation < TRUSTED_CORRELATION) {
    const starts = axisRotations().slice(1);
    const coarse = softMask(mask, centre, ROUGH_MM);
    const rough = starts.map((start) => fitFrom(coarse, points, turnedBy(start), SEARCH));
    rough.sort((a, b) => b.correlation - a.correlation);
    // Four: what has no pose (a ball) took 30 s when every start was followed to its end.
    for (const start of rough.slice(0, 4)) {
      const found = fitFrom(soft, points, start, FULL);
      if (found.correlation > best.correlation + 0.005) best = found;
      if (best.correlation >= TRUSTED_CORRELATION) break;
    }
  }
  return placed(best, centre);
}

/**
 * As {@link fitPose} to about 2 degrees, in a fifth of the time, from one way round alone: for a mask that only tells where
 * to look again. @param turn which way round the brain is thought to stand, brain axes to world
 */
export function nearPose(mask: Mask, template: Volume, turn: Affine = IDENTITY): PoseFit {
  const centre = centroid(mask);
  const soft = softMask(mask, centre, ROUGH_MM);
  return placed(fitFrom(soft, templatePoints(template), turnedBy(turn), ROUGH), centre);
}

/**
 * As {@link fitPose} to about 2 degrees, in a fifth of the time: for a mask that only tells where to look again.
 * Falls back on {@link fitPose} where the axes of the header cannot be right.
 */
export function roughPose(mask: Mask, template: Volume): PoseFit {
  const centre = centroid(mask);
  const soft = softMask(mask, centre, ROUGH_MM);
  const found = fitFrom(soft, templatePoints(template), turnedBy(IDENTITY), ROUGH);
  return found.correlation < TRUSTED_CORRELATION ? fitPose(mask, template) : placed(found, centre);
}
