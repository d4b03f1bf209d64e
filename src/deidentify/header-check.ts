/**
 * An independent look at the header of a result: what places the voxels must be the original's bits, and every
 * byte that could carry words or acquisition details must be zero. The writer builds headers from an allow-list;
 * this is the second lock, with a table of its own.
 *
 * @example
 * checkHeader(original, result); // { geometry: { passed: true, ... }, headerClean: { passed: true, value: 0 } }
 */
import { readField } from '../formats/fields.js';
import { NIFTI1, NIFTI2 } from '../formats/nifti-layout.js';
import type { StoredImage } from '../formats/stored-image.js';

export interface HeaderCheck {
  /** Dimensions, scaling, codes, and each affine that has a code are the same bits. */
  readonly sameGeometry: boolean;
  /** Bytes in fields that should be empty and are not, and in NaNs of the scaling beside the usual ones. */
  readonly strayBytes: number;
}

type Range = readonly [first: number, end: number];
type Described = Pick<StoredImage, 'format' | 'header' | 'littleEndian'>;

/** Everything but type, size, scaling, geometry and units; the description is ours and is checked as text. */
const MUST_BE_EMPTY: Readonly<Record<StoredImage['format'], readonly Range[]>> = {
  // data_type to regular, intent, slice_start, slice_end to toffset (slice timing, display range), glmax, glmin, aux_file, intent_name
  nifti1: [
    [4, 39],
    [56, 70],
    [74, 76],
    [120, 123],
    [124, 148],
    [228, 252],
    [328, 344],
  ],
  // intent, display range to slice_end, aux_file, slice_code, intent_code, intent_name, unused
  nifti2: [
    [80, 104],
    [192, 240],
    [320, 344],
    [496, 500],
    [504, 524],
    [525, 540],
  ],
  // degrees of freedom, and the spare room after the centre
  mgh: [
    [24, 28],
    [90, 284],
  ],
};
/** scl_slope and scl_inter, and the bytes of a NaN that says nothing but that it is one (big endian). */
const SCALING: Readonly<Record<'nifti1' | 'nifti2', readonly Range[]>> = {
  nifti1: [
    [112, 116],
    [116, 120],
  ],
  nifti2: [
    [176, 184],
    [184, 192],
  ],
};
const PLAIN_NAN: Readonly<Record<'nifti1' | 'nifti2', readonly number[]>> = {
  nifti1: [0x7f, 0xc0, 0, 0],
  nifti2: [0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
};
const DESCRIPTION: Readonly<Record<'nifti1' | 'nifti2', Range>> = { nifti1: [148, 228], nifti2: [240, 320] };

/** @param description The text that the writer was given; any other is stray. */
export function checkHeader(original: Described, result: Described, description: string): HeaderCheck {
  let strayBytes = 0;
  for (const [first, end] of MUST_BE_EMPTY[result.format])
    for (let i = first; i < end; i++) if ((result.header[i] ?? 0) !== 0) strayBytes++;
  if (result.format !== 'mgh') {
    const [first, end] = DESCRIPTION[result.format];
    for (let i = first; i < end; i++) {
      const found = result.header[i] ?? 0;
      if (found !== 0 && found !== description.charCodeAt(i - first)) strayBytes++;
    }
    for (const range of SCALING[result.format])
      strayBytes += strayNaNBytes(result, range, PLAIN_NAN[result.format]);
  }
  return {
    strayBytes,
    sameGeometry: original.format === result.format && sameGeometry(original, result),
  };
}

/** The single- or double-precision number in a range, by its length. */
function numberAt({ header, littleEndian }: Described, [first, end]: Range): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return end - first === 4 ? view.getFloat32(first, littleEndian) : view.getFloat64(first, littleEndian);
}

/** How many bytes of a field differ from a plain NaN; 0 when it holds a number. */
function strayNaNBytes(described: Described, range: Range, plain: readonly number[]): number {
  if (!Number.isNaN(numberAt(described, range))) return 0;
  const bytes = [...described.header.subarray(...range)];
  if (described.littleEndian) bytes.reverse();
  return bytes.filter((byte, i) => byte !== plain[i]).length;
}

function sameGeometry(a: Described, b: Described): boolean {
  if (a.format === 'mgh') {
    // Without the mark of a good geometry, FreeSurfer's default holds and the fields mean nothing.
    const good = (header: Uint8Array): boolean => header[28] !== 0 || header[29] !== 0;
    return (
      sameBytes(a, b, [0, 24]) &&
      good(a.header) === good(b.header) &&
      (!good(a.header) || sameBytes(a, b, [30, 90]))
    );
  }
  const { fields } = a.format === 'nifti1' ? NIFTI1 : NIFTI2;
  const same = (name: keyof typeof fields, first = 0, end = fields[name].count): boolean => {
    const [x, y] = [a, b].map(({ header, littleEndian }) => readField(header, fields[name], littleEndian));
    for (let i = first; i < end; i++) if (!Object.is(x?.[i], y?.[i])) return false;
    return true;
  };
  const code = (name: 'qformCode' | 'sformCode'): number =>
    readField(a.header, fields[name], a.littleEndian)[0] ?? 0;
  return (
    same('datatype') &&
    same('bitpix') &&
    same('dim', 0, 4) &&
    same('pixdim', 1, 4) &&
    SCALING[a.format].every((range) => Object.is(numberAt(a, range), numberAt(b, range))) &&
    same('qformCode') &&
    same('sformCode') &&
    (code('sformCode') === 0 || same('srow')) &&
    (code('qformCode') === 0 || (same('quaternion') && same('qoffset')))
  );
}

function sameBytes(a: Described, b: Described, [first, end]: Range): boolean {
  for (let i = first; i < end; i++) if (a.header[i] !== b.header[i]) return false;
  return true;
}
