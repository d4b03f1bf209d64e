/**
 * An independent look at the header of a NIfTI result: what places the voxels must be the original's bits, and every
 * byte that could carry words or acquisition details must be zero. The writer builds headers from an allow-list;
 * this is the second lock, with a table of its own.
 *
 * @example
 * auditNifti('nifti1', original, result, 'Prosopon 0.1.0'); // { sameGeometry: true, strayBytes: 0 }
 */
import type { HeaderAudit } from '../codec.js';
import { readField } from '../fields.js';
import type { Described } from '../image.js';
import { NIFTI1, NIFTI2 } from './layout.js';

type Layout = 'nifti1' | 'nifti2';

type Range = readonly [first: number, end: number];

/** Everything but type, size, scaling, geometry and units; the description is ours and is checked as text. */
const MUST_BE_EMPTY: Readonly<Record<Layout, readonly Range[]>> = {
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
};
/** scl_slope and scl_inter, and the bytes of a NaN that says nothing but that it is one (big endian). */
const SCALING: Readonly<Record<Layout, readonly Range[]>> = {
  nifti1: [
    [112, 116],
    [116, 120],
  ],
  nifti2: [
    [176, 184],
    [184, 192],
  ],
};
const PLAIN_NAN: Readonly<Record<Layout, readonly number[]>> = {
  nifti1: [0x7f, 0xc0, 0, 0],
  nifti2: [0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
};
const DESCRIPTION: Readonly<Record<Layout, Range>> = { nifti1: [148, 228], nifti2: [240, 320] };

/** @param description The text that the writer was given; any other is stray. */
export function auditNifti(
  layout: Layout,
  original: Described,
  result: Described,
  description: string,
): HeaderAudit {
  const [{ header }] = result.files;
  let strayBytes = 0;
  for (const [first, end] of MUST_BE_EMPTY[layout])
    for (let i = first; i < end; i++) if ((header[i] ?? 0) !== 0) strayBytes++;
  const [first, end] = DESCRIPTION[layout];
  for (let i = first; i < end; i++) {
    const found = header[i] ?? 0;
    if (found !== 0 && found !== description.charCodeAt(i - first)) strayBytes++;
  }
  for (const range of SCALING[layout]) strayBytes += strayNaNBytes(result, range, PLAIN_NAN[layout]);
  return { strayBytes, sameGeometry: sameGeometry(layout, original, result) };
}

/** The single- or double-precision number in a range, by its length. */
function numberAt({ files: [{ header }], littleEndian }: Described, [first, end]: Range): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return end - first === 4 ? view.getFloat32(first, littleEndian) : view.getFloat64(first, littleEndian);
}

/** How many bytes of a field differ from a plain NaN; 0 when it holds a number. */
function strayNaNBytes(described: Described, range: Range, plain: readonly number[]): number {
  if (!Number.isNaN(numberAt(described, range))) return 0;
  const bytes = [...described.files[0].header.subarray(...range)];
  if (described.littleEndian) bytes.reverse();
  return bytes.filter((byte, i) => byte !== plain[i]).length;
}

function sameGeometry(layout: Layout, a: Described, b: Described): boolean {
  if (a.format !== b.format) return false;
  const { fields } = layout === 'nifti1' ? NIFTI1 : NIFTI2;
  const read = ({ files: [{ header }], littleEndian }: Described, name: keyof typeof fields): number[] =>
    readField(header, fields[name], littleEndian);
  const same = (name: keyof typeof fields, first = 0, end = fields[name].count): boolean => {
    const [x, y] = [read(a, name), read(b, name)];
    for (let i = first; i < end; i++) if (!Object.is(x[i], y[i])) return false;
    return true;
  };
  const code = (name: 'qformCode' | 'sformCode'): number => read(a, name)[0] ?? 0;
  return (
    same('datatype') &&
    same('bitpix') &&
    same('dim', 0, 4) &&
    same('pixdim', 1, 4) &&
    SCALING[layout].every((range) => Object.is(numberAt(a, range), numberAt(b, range))) &&
    same('qformCode') &&
    same('sformCode') &&
    (code('sformCode') === 0 || same('srow')) &&
    (code('qformCode') === 0 || (same('quaternion') && same('qoffset')))
  );
}
