/**
 * 4x4 affine matrices in double precision, row-major, for voxel-to-world transforms.
 *
 * Own code because gl-matrix works in Float32 by default, which moves a voxel by a tenth of a
 * millimetre at 300 mm from the origin.
 *
 * @example
 * const world = applyAffine(grid.affine, [i, j, k]);
 */
import { Failure } from '../errors/errors.js';

export type Vec3 = readonly [number, number, number];
/** Row-major 4x4; the last row is 0 0 0 1. */
export type Affine = readonly number[];

export const IDENTITY: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** Element of an affine; the length is checked where affines are made. */
export function at(m: Affine, row: number, column: number): number {
  return m[row * 4 + column] ?? Number.NaN;
}

/** a * b. */
export function multiply(a: Affine, b: Affine): Affine {
  const out = new Array<number>(16).fill(0);
  for (let r = 0; r < 4; r++)
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += at(a, r, k) * at(b, k, c);
      out[r * 4 + c] = sum;
    }
  return out;
}

export function applyAffine(m: Affine, p: Vec3): Vec3 {
  const row = (r: number): number =>
    at(m, r, 0) * p[0] + at(m, r, 1) * p[1] + at(m, r, 2) * p[2] + at(m, r, 3);
  return [row(0), row(1), row(2)];
}

/** Determinant of the 3x3 part. */
export function determinant3(m: Affine): number {
  const e = (r: number, c: number): number => at(m, r, c);
  return (
    e(0, 0) * (e(1, 1) * e(2, 2) - e(1, 2) * e(2, 1)) -
    e(0, 1) * (e(1, 0) * e(2, 2) - e(1, 2) * e(2, 0)) +
    e(0, 2) * (e(1, 0) * e(2, 1) - e(1, 1) * e(2, 0))
  );
}

/** @throws {Failure} internal when the matrix is singular: readers refuse such grids before. */
export function invert(m: Affine): Affine {
  const d = determinant3(m);
  if (!Number.isFinite(d) || d === 0) throw new Failure('internal', 'singular affine');
  const e = (r: number, c: number): number => at(m, r, c);
  const cof = (r1: number, c1: number, r2: number, c2: number): number =>
    (e(r1, c1) * e(r2, c2) - e(r1, c2) * e(r2, c1)) / d;
  const inv = [
    [cof(1, 1, 2, 2), cof(0, 2, 2, 1), cof(0, 1, 1, 2)],
    [cof(1, 2, 2, 0), cof(0, 0, 2, 2), cof(0, 2, 1, 0)],
    [cof(1, 0, 2, 1), cof(0, 1, 2, 0), cof(0, 0, 1, 1)],
  ];
  const out: number[] = [];
  for (const row of inv) {
    const [a, b, c] = row as [number, number, number];
    out.push(a, b, c, -(a * e(0, 3) + b * e(1, 3) + c * e(2, 3)));
  }
  out.push(0, 0, 0, 1);
  return out;
}

export function translation(x: number, y: number, z: number): Affine {
  return [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1];
}

export function scaling(x: number, y: number, z: number): Affine {
  return [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1];
}

/** Rotation by the vector's length (radians) about its direction (Rodrigues). */
export function rotation(v: Vec3): Affine {
  const angle = Math.hypot(v[0], v[1], v[2]);
  if (angle < 1e-12) return IDENTITY;
  const [x, y, z] = [v[0] / angle, v[1] / angle, v[2] / angle];
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const t = 1 - c;
  // biome-ignore format: a matrix reads as rows
  return [
    t * x * x + c, t * x * y - s * z, t * x * z + s * y, 0,
    t * x * y + s * z, t * y * y + c, t * y * z - s * x, 0,
    t * x * z - s * y, t * y * z + s * x, t * z * z + c, 0,
    0, 0, 0, 1,
  ];
}

/** Least and greatest corner of the axis-aligned box that holds the box from `low` to `high` after `affine`. */
export function boxUnder(affine: Affine, low: Vec3, high: Vec3): readonly [Vec3, Vec3] {
  const corners = Array.from({ length: 8 }, (_, c) =>
    applyAffine(affine, [c & 1 ? high[0] : low[0], c & 2 ? high[1] : low[1], c & 4 ? high[2] : low[2]]),
  );
  const bound = (pick: (...v: number[]) => number): Vec3 => [
    pick(...corners.map((p) => p[0])),
    pick(...corners.map((p) => p[1])),
    pick(...corners.map((p) => p[2])),
  ];
  return [bound(Math.min), bound(Math.max)];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The ways in which three axes can take the places of three others, the identity first. */
export const AXIS_ORDERS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
