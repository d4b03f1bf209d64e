/**
 * A small affine registration (12 degrees of freedom): Gauss-Newton on the difference of two heads after the best gain
 * and offset, which is what correlation measures, from 8 mm to 4 mm, starting where the brains' poses put them.
 *
 * The step follows the mean of both images' gradients (Benhimane and Malis 2004), which converges in half the
 * iterations of either alone. Voxels that do not agree (necks, hats, another jaw) weigh less, by Geman and McClure.
 *
 * @example
 * const { affine, correlation } = fitAffine(averageHead, posedHead); // mm of the first to mm of the second
 */
import { solveSymmetric } from '../../brain/linear-solve.js';
import { type Affine, at, determinant3, IDENTITY, invert, multiply } from '../../volume/affine.js';
import type { Shape, Volume } from '../../volume/volume.js';
import { halve } from './halve.js';

export interface AffineFit {
  /** From mm of the fixed volume's frame to mm of the moving one's. */
  readonly affine: Affine;
  /** Of the two at 4 mm after the fit, -1 to 1, over the fixed head and 12 mm around it. */
  readonly correlation: number;
}

/** mm; parameters of the linear part are per this length, so that all twelve are of one size. */
const UNIT = 100;
/**
 * Iterations at 8 mm and at 4 mm, at most: on the 18 IXI val heads a second fit from the first one's answer moves no point
 * by more than 0.01 mm, and on six of them so does a start that is 10 mm and 9 degrees off. 0.3 to 0.7 s a head.
 */
const ITERATIONS = [30, 12] as const;
/** A misfit of this size (in units of the fixed image) weighs a quarter. */
const TOLERANCE = 0.35;
const SETTLED_MM = 0.03;
const RIDGE = 1e-3;
/** A single step that moves a point 100 mm away by more is no step. */
const MOST_MM = 120;

/**
 * @param fixed 2 mm, even shape, 0 = air; its world is its own frame
 * @param moving 2 mm, even shape; NaN where nothing was scanned
 * @param start from fixed mm to moving mm
 */
export function fitAffine(fixed: Volume, moving: Volume, start: Affine = IDENTITY): AffineFit {
  const [fixed4, moving4] = [halve(fixed), halve(moving)];
  let affine = start;
  let correlation = 0;
  for (const [level, [f, m]] of [
    [halve(fixed4), halve(moving4)] as const,
    [fixed4, moving4] as const,
  ].entries()) {
    const inside = nearHead(f, level === 0 ? 2 : 3);
    for (let i = 0; i < (ITERATIONS[level] as number); i++) {
      const step = iterate(f, m, inside, affine);
      correlation = step.correlation;
      if (step.delta === undefined) break;
      affine = multiply(affine, step.delta);
      if (step.movedMm < SETTLED_MM) break;
    }
    correlation = iterate(f, m, inside, affine).correlation;
  }
  return { affine, correlation };
}

/** Voxels of the head and `reach` voxels around it (city-block), without the outermost layer of the grid. */
function nearHead({ grid, data }: Volume, reach: number): Int32Array {
  const [nx, ny, nz] = grid.shape;
  const strides = [1, nx, nx * ny];
  let near: Uint8Array<ArrayBufferLike> = Uint8Array.from(data, (v) => (v > 0.15 ? 1 : 0));
  for (let r = 0; r < reach; r++) {
    const grown = near.slice();
    for (let v = nx * ny; v < near.length - nx * ny; v++)
      for (const s of strides) if (near[v - s] === 1 || near[v + s] === 1) grown[v] = 1;
    near = grown;
  }
  const out: number[] = [];
  for (let k = 1; k < nz - 1; k++)
    for (let j = 1; j < ny - 1; j++)
      for (let i = 1; i < nx - 1; i++) {
        const v = i + nx * (j + ny * k);
        if (near[v] === 1) out.push(v);
      }
  return Int32Array.from(out);
}

interface Step {
  readonly correlation: number;
  /** To be applied before the present affine; undefined when the equations have no answer. */
  readonly delta?: Affine;
  readonly movedMm: number;
}

function iterate(fixed: Volume, moving: Volume, inside: Int32Array, affine: Affine): Step {
  const { shape } = fixed.grid;
  const warped = warp(fixed, moving, affine);
  const { gain, offset, correlation } = regress(fixed.data, warped, inside);
  if (!Number.isFinite(gain)) return { correlation: 0, movedMm: 0 };
  const [nx, ny] = shape;
  const strides = [1, nx, nx * ny] as const;
  const spacing = Math.hypot(
    at(fixed.grid.affine, 0, 0),
    at(fixed.grid.affine, 1, 0),
    at(fixed.grid.affine, 2, 0),
  );
  const origin = [3, 7, 11].map((o) => fixed.grid.affine[o] as number) as [number, number, number];
  const normal = new Float64Array(12 * 12);
  const right = new Float64Array(12);
  const row = new Float64Array(12);
  for (const v of inside) {
    const value = warped[v] as number;
    if (Number.isNaN(value)) continue;
    const p0 = (origin[0] + spacing * (v % nx)) / UNIT;
    const p1 = (origin[1] + spacing * (((v / nx) | 0) % ny)) / UNIT;
    const p2 = (origin[2] + spacing * ((v / (nx * ny)) | 0)) / UNIT;
    const misfit = gain * value + offset - (fixed.data[v] as number);
    const weight = 1 / (1 + (misfit / TOLERANCE) ** 2) ** 2;
    let known = true;
    for (let axis = 0; axis < 3; axis++) {
      const s = strides[axis] as number;
      const of = (fixed.data[v + s] as number) - (fixed.data[v - s] as number);
      const om = (warped[v + s] as number) - (warped[v - s] as number);
      if (Number.isNaN(om)) known = false;
      const slope = (of + gain * om) / (4 * spacing);
      row[4 * axis] = slope * p0;
      row[4 * axis + 1] = slope * p1;
      row[4 * axis + 2] = slope * p2;
      row[4 * axis + 3] = slope;
    }
    if (!known) continue;
    for (let a = 0; a < 12; a++) {
      const wa = weight * (row[a] as number);
      right[a] = (right[a] as number) - wa * misfit;
      for (let b = a; b < 12; b++)
        normal[12 * a + b] = (normal[12 * a + b] as number) + wa * (row[b] as number);
    }
  }
  const d = solveSymmetric(normal, right, 12, RIDGE);
  const m = IDENTITY.slice();
  let movedMm = 0;
  for (let axis = 0; axis < 3; axis++) {
    let moved = Math.abs(d[4 * axis + 3] as number);
    for (let c = 0; c < 3; c++) {
      const share = d[4 * axis + c] as number;
      moved += Math.abs(share);
      m[4 * axis + c] = (m[4 * axis + c] as number) + share / UNIT;
    }
    m[4 * axis + 3] = d[4 * axis + 3] as number;
    movedMm = Math.max(movedMm, moved);
  }
  // Equations that say nothing (a constant image) answer with nonsense; the fit then stays where it is.
  const possible = Number.isFinite(movedMm) && movedMm < MOST_MM && determinant3(m) > 0.1;
  return possible ? { correlation, delta: m, movedMm } : { correlation, movedMm: 0 };
}

/** Linear; NaN outside the moving volume and beside its NaNs. */
function warp(fixed: Volume, moving: Volume, affine: Affine): Float32Array {
  const m = multiply(invert(moving.grid.affine), multiply(affine, fixed.grid.affine));
  const [nx, ny, nz]: Shape = fixed.grid.shape;
  const [mx, my, mz] = moving.grid.shape;
  const { data } = moving;
  const out = new Float32Array(nx * ny * nz);
  const plane = mx * my;
  const [dx, dy, dz] = [at(m, 0, 0), at(m, 1, 0), at(m, 2, 0)];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const x0 = at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3);
      const y0 = at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3);
      const z0 = at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3);
      for (let i = 0; i < nx; i++, o++) {
        const x = x0 + dx * i;
        const y = y0 + dy * i;
        const z = z0 + dz * i;
        if (!(x >= 0 && y >= 0 && z >= 0 && x < mx - 1 && y < my - 1 && z < mz - 1)) {
          out[o] = Number.NaN;
          continue;
        }
        const a = x | 0;
        const b = y | 0;
        const c = z | 0;
        const fx = x - a;
        const fy = y - b;
        const fz = z - c;
        const v = a + mx * b + plane * c;
        const near =
          ((data[v] as number) * (1 - fx) + (data[v + 1] as number) * fx) * (1 - fy) +
          ((data[v + mx] as number) * (1 - fx) + (data[v + mx + 1] as number) * fx) * fy;
        const w = v + plane;
        const far =
          ((data[w] as number) * (1 - fx) + (data[w + 1] as number) * fx) * (1 - fy) +
          ((data[w + mx] as number) * (1 - fx) + (data[w + mx + 1] as number) * fx) * fy;
        out[o] = near * (1 - fz) + far * fz;
      }
    }
  return out;
}

/** fixed ~ gain * warped + offset. */
function regress(
  fixed: Float32Array,
  warped: Float32Array,
  inside: Int32Array,
): { gain: number; offset: number; correlation: number } {
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (const v of inside) {
    const a = warped[v] as number;
    if (Number.isNaN(a)) continue;
    const b = fixed[v] as number;
    n++;
    sa += a;
    sb += b;
    saa += a * a;
    sbb += b * b;
    sab += a * b;
  }
  const [va, vb, cov] = [saa - (sa * sa) / n, sbb - (sb * sb) / n, sab - (sa * sb) / n];
  if (!(n > 100 && va > 0 && vb > 0)) return { gain: Number.NaN, offset: 0, correlation: 0 };
  const gain = cov / va;
  return { gain, offset: (sb - gain * sa) / n, correlation: cov / Math.sqrt(va * vb) };
}
