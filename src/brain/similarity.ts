/**
 * The rotation, size and shift that bring one set of points onto another, each pair with a weight: the closed form of
 * Horn (1987), whose rotation is the greatest eigenvector of a 4 x 4 matrix (a unit quaternion), so that it never mirrors.
 *
 * @example
 * const { pose, scale, residual } = fitSimilarity(brainMm, worldMm, weights);
 */
import { type Affine, multiply, translation, type Vec3 } from '../volume/affine.js';

export interface Similarity {
  /** Rigid: from the frame of the first points to that of the second, in units of the second. */
  readonly pose: Affine;
  /** Lengths of the second over lengths of the first. */
  readonly scale: number;
  /** Root mean square distance after the fit, in units of the first. */
  readonly residual: number;
}

/** Greatest eigenvector of a symmetric 4 x 4 matrix (row by row), by Jacobi's rotations. */
function greatestEigenvector(matrix: readonly number[]): readonly [number, number, number, number] {
  const a = Float64Array.from(matrix);
  const v = Float64Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  const get = (m: Float64Array, r: number, c: number): number => m[4 * r + c] as number;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < 3; p++) for (let q = p + 1; q < 4; q++) off += get(a, p, q) ** 2;
    if (off < 1e-20 * (get(a, 0, 0) ** 2 + get(a, 1, 1) ** 2 + get(a, 2, 2) ** 2 + get(a, 3, 3) ** 2 + 1))
      break;
    for (let p = 0; p < 3; p++)
      for (let q = p + 1; q < 4; q++) {
        if (get(a, p, q) === 0) continue;
        const theta = (get(a, q, q) - get(a, p, p)) / (2 * get(a, p, q));
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < 4; k++) {
          const [kp, kq] = [get(a, k, p), get(a, k, q)];
          a[4 * k + p] = c * kp - s * kq;
          a[4 * k + q] = s * kp + c * kq;
        }
        for (let k = 0; k < 4; k++) {
          const [pk, qk] = [get(a, p, k), get(a, q, k)];
          a[4 * p + k] = c * pk - s * qk;
          a[4 * q + k] = s * pk + c * qk;
        }
        for (let k = 0; k < 4; k++) {
          const [kp, kq] = [get(v, k, p), get(v, k, q)];
          v[4 * k + p] = c * kp - s * kq;
          v[4 * k + q] = s * kp + c * kq;
        }
      }
  }
  let best = 0;
  for (let k = 1; k < 4; k++) if (get(a, k, k) > get(a, best, best)) best = k;
  return [get(v, 0, best), get(v, 1, best), get(v, 2, best), get(v, 3, best)];
}

/**
 * @param from, to x, y, z of every point after one another; equally many, three or more not on a line
 * @param weights one a point, not negative, their sum above zero
 */
export function fitSimilarity(from: Float64Array, to: Float64Array, weights: Float64Array): Similarity {
  const a = [0, 0, 0];
  const b = [0, 0, 0];
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] as number;
    total += w;
    for (let r = 0; r < 3; r++) {
      a[r] = (a[r] as number) + w * (from[3 * i + r] as number);
      b[r] = (b[r] as number) + w * (to[3 * i + r] as number);
    }
  }
  const meanA = a.map((v) => v / total) as [number, number, number];
  const meanB = b.map((v) => v / total) as [number, number, number];
  /** Covariance: s[3 r + c] of component r of `from` and c of `to`. */
  const s = new Float64Array(9);
  let [spreadA, spreadB] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const w = (weights[i] as number) / total;
    for (let r = 0; r < 3; r++) {
      const p = (from[3 * i + r] as number) - meanA[r as 0];
      const q = (to[3 * i + r] as number) - meanB[r as 0];
      spreadA += w * p * p;
      spreadB += w * q * q;
      for (let c = 0; c < 3; c++)
        s[3 * r + c] = (s[3 * r + c] as number) + w * p * ((to[3 * i + c] as number) - meanB[c as 0]);
    }
  }
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = s as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // biome-ignore format: a matrix reads as rows
  const [w, x, y, z] = greatestEigenvector([
    xx + yy + zz, yz - zy, zx - xz, xy - yx,
    yz - zy, xx - yy - zz, xy + yx, zx + xz,
    zx - xz, xy + yx, yy - xx - zz, yz + zy,
    xy - yx, zx + xz, yz + zy, zz - xx - yy,
  ]);
  // biome-ignore format: a matrix reads as rows
  const turn: Affine = [
    w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y), 0,
    2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x), 0,
    2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z, 0,
    0, 0, 0, 1,
  ];
  /** Sum of `to` times the turned `from`. */
  let along = 0;
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++) along += (turn[4 * c + r] as number) * (s[3 * r + c] as number);
  const scale = along / spreadA;
  const rest = Math.max(0, spreadB - scale * along);
  const turned = (r: number): number =>
    scale *
    ((turn[4 * r] as number) * meanA[0] +
      (turn[4 * r + 1] as number) * meanA[1] +
      (turn[4 * r + 2] as number) * meanA[2]);
  const shift: Vec3 = [meanB[0] - turned(0), meanB[1] - turned(1), meanB[2] - turned(2)];
  return { pose: multiply(translation(...shift), turn), scale, residual: Math.sqrt(rest) / Math.abs(scale) };
}
