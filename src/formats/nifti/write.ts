/**
 * The header of a result, built from nothing: only what is listed here is taken over from the original. Free text,
 * acquisition details, extensions and whatever a field could smuggle stay behind.
 *
 * Kept bit for bit: dimensions, voxel type, voxel sizes, scaling (in force or not), both forms with their codes,
 * units. A form without a code is kept only where it repeats the grid (as nibabel writes it); otherwise it is blanked.
 *
 * @example
 * const bytes = niftiHeader(like.header, NIFTI1, { littleEndian: true, container: 'single', grid: like.grid });
 */
import { Failure, isRefusal } from '../../errors/errors.js';
import type { Affine } from '../../volume/affine.js';
import type { Grid } from '../../volume/volume.js';
import { copyField, readField, readOne, writeField } from '../fields.js';
import { sameAffine } from './geometry.js';
import type { NiftiLayout } from './layout.js';
import { storedQform, storedSform } from './read.js';

export interface NiftiHeaderOptions {
  readonly littleEndian: boolean;
  readonly container: 'single' | 'pair';
  readonly grid: Grid;
  /** Printable ASCII, at most 79 characters. */
  readonly description?: string;
}

/** Bits of xyzt_units that mean something: space 0 to 3, time 8 to 48. */
const UNIT_BITS = 0x3f;
/** Bits of dim_info: frequency, phase and slice axis, two each. */
const DIM_INFO_BITS = 0x3f;

/**
 * Header and the four zero bytes that say that no extension follows: 352 bytes (NIfTI-1) or 544 (NIfTI-2).
 * @param original header of the image that the result replaces, in the byte order of `options`
 */
export function niftiHeader(
  original: Uint8Array,
  layout: NiftiLayout,
  options: NiftiHeaderOptions,
): Uint8Array {
  const { littleEndian: little, container, grid } = options;
  const { fields } = layout;
  const out = new Uint8Array(layout.singleOffset);
  out.set(container === 'single' ? layout.magicSingle : layout.magicPair, layout.magicAt);
  writeField(out, fields.sizeofHeader, [layout.headerBytes], little);
  writeField(out, fields.voxelOffset, [container === 'single' ? layout.singleOffset : 0], little);
  copyField(original, out, fields.datatype);
  copyField(original, out, fields.bitpix);

  const dim = readField(original, fields.dim, little);
  const rank = dim[0] ?? 0;
  writeField(
    out,
    fields.dim,
    dim.map((n, i) => (i <= rank ? n : 1)),
    little,
  );
  writePixdim(original, out, layout, little, rank >= 4 && (dim[4] ?? 1) > 1 ? 4 : 3);
  writeScaling(original, out, layout, little);

  copyField(original, out, fields.qformCode);
  copyField(original, out, fields.sformCode);
  if (
    readOne(original, fields.sformCode, little) > 0 ||
    repeats(grid, () => storedSform(original, layout, little))
  )
    copyField(original, out, fields.srow);
  if (
    readOne(original, fields.qformCode, little) > 0 ||
    repeats(grid, () => storedQform(original, layout, little))
  ) {
    copyField(original, out, fields.quaternion);
    copyField(original, out, fields.qoffset);
  }

  const masked = (name: 'units' | 'dimInfo', bits: number): void =>
    writeField(out, fields[name], [readOne(original, fields[name], little) & bits], little);
  masked('units', UNIT_BITS);
  masked('dimInfo', DIM_INFO_BITS);
  writeDescription(out, layout, options.description);
  return out;
}

/** Sizes of axes that are in use are kept; unused ones only where they are 0 or 1 and so say nothing. */
function writePixdim(
  original: Uint8Array,
  out: Uint8Array,
  layout: NiftiLayout,
  little: boolean,
  lastUsed: number,
): void {
  const { pixdim } = layout.fields;
  readField(original, pixdim, little).forEach((value, i) => {
    const plain = value === 0 || value === 1;
    const keep =
      i === 0 ? plain || value === -1 : i <= 3 || plain || (i <= lastUsed && Number.isFinite(value));
    if (keep) copyField(original, out, pixdim, i, i + 1);
    // Some writers put other numbers where only the sign counts.
    else if (i === 0) writeField(out, { ...pixdim, count: 1 }, [value < 0 ? -1 : 1], little);
  });
}

/**
 * Kept bit for bit, also where it is not in force here: readers disagree on what an intercept beside a slope of 0
 * means, and each must see the same brain before and after. Of a NaN only that it is one: its other bits could spell.
 */
function writeScaling(original: Uint8Array, out: Uint8Array, layout: NiftiLayout, little: boolean): void {
  for (const field of [layout.fields.slope, layout.fields.intercept])
    if (Number.isNaN(readOne(original, field, little))) writeField(out, field, [Number.NaN], little);
    else copyField(original, out, field);
}

/** Whether a form without a code says nothing but what the grid says already. */
function repeats(grid: Grid, form: () => Affine): boolean {
  try {
    return sameAffine(form(), grid.affine, grid.shape);
  } catch (error) {
    if (isRefusal(error, 'geometry-invalid')) return false;
    throw error;
  }
}

function writeDescription(out: Uint8Array, layout: NiftiLayout, text: string | undefined): void {
  if (text === undefined) return;
  if (!/^[\x20-\x7e]{0,79}$/.test(text))
    throw new Failure('internal', 'a header description must be printable ASCII of at most 79 characters');
  writeField(
    out,
    layout.fields.description,
    Array.from(text, (c) => c.charCodeAt(0)),
    true,
  );
}
