/**
 * The three ways in which a NIfTI header says where its voxels stand: sform rows, qform quaternion, voxel sizes.
 *
 * @example
 * const affine = qformAffine([0, 0, 0], [-90, -126, -72], [1, 1, 1, 1]);
 */
import { Refusal } from '../../errors/errors.js';
import type { Affine } from '../../volume/affine.js';
import type { Shape } from '../../volume/volume.js';

/** Twelve numbers of srow_x, srow_y, srow_z. */
export function sformAffine(rows: readonly number[]): Affine {
  return [...rows.slice(0, 12), 0, 0, 0, 1];
}

/**
 * Method 2 of the standard. `pixdim` begins with qfac (negative: the third axis is flipped; 0 counts as 1).
 * @throws {Refusal} geometry-invalid when b, c, d are not part of a unit quaternion or a voxel size is not positive
 */
export function qformAffine(
  quaternion: readonly number[],
  offset: readonly number[],
  pixdim: readonly number[],
): Affine {
  let [b = Number.NaN, c = Number.NaN, d = Number.NaN] = quaternion;
  const [qfac = 1, dx = Number.NaN, dy = Number.NaN, dz = Number.NaN] = pixdim;
  const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = offset;
  const square = b * b + c * c + d * d;
  // Single precision may leave the sum above 1 by 1e-6; a thousandth is still somebody's rounding.
  if (!(square <= 1.001))
    throw new Refusal(
      'geometry-invalid',
      `expected a qform quaternion of length 1, found b, c, d with squares adding up to ${square}`,
    );
  checkSizes([dx, dy, dz]);
  let a = 0;
  if (1 - square < 1e-7) {
    const length = Math.sqrt(square);
    [b, c, d] = [b / length, c / length, d / length];
  } else a = Math.sqrt(1 - square);
  const dq = qfac < 0 ? -dz : dz;
  // biome-ignore format: a matrix reads as rows
  return [
    (a * a + b * b - c * c - d * d) * dx, (2 * b * c - 2 * a * d) * dy, (2 * b * d + 2 * a * c) * dq, x,
    (2 * b * c + 2 * a * d) * dx, (a * a + c * c - b * b - d * d) * dy, (2 * c * d - 2 * a * b) * dq, y,
    (2 * b * d - 2 * a * c) * dx, (2 * c * d + 2 * a * b) * dy, (a * a + d * d - c * c - b * b) * dq, z,
    0, 0, 0, 1,
  ];
}

/**
 * When neither form has a code: radiological axes (first index runs to the left), centre of the image at the
 * origin, as nibabel and FSL take it.
 * @throws {Refusal} geometry-invalid when a voxel size is not positive
 */
export function pixdimAffine(shape: Shape, pixdim: readonly number[]): Affine {
  const [, dx = Number.NaN, dy = Number.NaN, dz = Number.NaN] = pixdim;
  checkSizes([dx, dy, dz]);
  const origin = (n: number, size: number): number => (-(n - 1) / 2) * size;
  // biome-ignore format: a matrix reads as rows
  return [
    -dx, 0, 0, -origin(shape[0], dx),
    0, dy, 0, origin(shape[1], dy),
    0, 0, dz, origin(shape[2], dz),
    0, 0, 0, 1,
  ];
}

function checkSizes(sizes: readonly number[]): void {
  if (sizes.some((mm) => !(mm > 0)))
    throw new Refusal(
      'geometry-invalid',
      `expected positive voxel sizes in pixdim, found ${sizes.join(', ')}`,
    );
}

/** Whether two affines put every voxel of the shape at the same place, to a hundredth of a millimetre. */
export function sameAffine(a: Affine, b: Affine, shape: Shape): boolean {
  return a.every((v, i) => {
    const reach = shape[i % 4] ?? 1;
    return Math.abs(v - (b[i] ?? Number.NaN)) * reach <= 0.01;
  });
}
