/**
 * Where readers of one NIfTI header part ways: it may say twice where the voxels stand, and programs choose.
 *
 * @example
 * niftiDoubts(image); // ['the header says twice where ...']
 */

import { type Affine, applyAffine, at } from '../../volume/affine.js';
import { readOne } from '../fields.js';
import type { Described } from '../image.js';
import type { NiftiLayout } from './layout.js';
import { storedQform, storedSform } from './read.js';

/** A scanner's rounding and a sheared sform beside its nearest rotation stay under this. */
const APART_MM = 1;

/** Sentences for the user; none where there is one form or both agree. */
export function niftiDoubts(
  { files, littleEndian, grid }: Described,
  layout: NiftiLayout,
): readonly string[] {
  const { header } = files[0];
  const coded = (['sformCode', 'qformCode'] as const).every(
    (field) => readOne(header, layout.fields[field], littleEndian) > 0,
  );
  if (!coded) return [];
  const [s, q] = [storedSform(header, layout, littleEndian), storedQform(header, layout, littleEndian)];
  const start = 'the header says twice where the voxels stand (sform, qform), and ';
  const end = '; the sform is used here, other programs may take the qform';
  if (handedness(s) !== handedness(q))
    return [`${start}one of the two is mirrored: left and right are in doubt${end}`];
  let apart = 0;
  for (let corner = 0; corner < 8; corner++) {
    const voxel = grid.shape.map((n, a) => (corner & (1 << a) ? n - 1 : 0)) as [number, number, number];
    const [a, b] = [applyAffine(s, voxel), applyAffine(q, voxel)];
    apart = Math.max(apart, Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  }
  return apart > APART_MM ? [`${start}the two lie up to ${apart.toFixed(1)} mm apart${end}`] : [];
}

function handedness(affine: Affine): number {
  const m = (r: number, c: number): number => at(affine, r, c);
  return Math.sign(
    m(0, 0) * (m(1, 1) * m(2, 2) - m(1, 2) * m(2, 1)) -
      m(0, 1) * (m(1, 0) * m(2, 2) - m(1, 2) * m(2, 0)) +
      m(0, 2) * (m(1, 0) * m(2, 1) - m(1, 1) * m(2, 0)),
  );
}
