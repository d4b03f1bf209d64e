/**
 * An independent look at the header of a NIfTI result: what places the voxels must be the original's bits, and every
 * byte that could carry words or acquisition details must be zero. The writer builds headers from an allow-list;
 * this is the second lock, with a table of its own, taken from the standard: it shares no offset with the reader and the
 * writer (`layout.ts`), so that a wrong one there is found here (docs/decisions/0033).
 *
 * @example
 * auditNifti('nifti1', original, result, 'Prosopon 0.2.0'); // { sameGeometry: true, strayBytes: 0 }
 */
import type { HeaderAudit } from '../codec.js';
import type { Described } from '../image.js';

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

type Numbers = readonly [
  first: number,
  count: number,
  kind: 'int16' | 'int32' | 'int64' | 'float32' | 'float64',
];

interface Places {
  /** datatype, bitpix, rank and the first three dimensions, the first three voxel sizes, both codes. */
  readonly always: readonly Numbers[];
  readonly qformCode: Numbers;
  readonly sformCode: Numbers;
  /** quatern_b to quatern_d and qoffset_x to qoffset_z. */
  readonly qform: readonly Numbers[];
  /** pixdim[0]: its sign is the third axis'. */
  readonly handedness: Numbers;
  /** srow_x to srow_z. */
  readonly sform: Numbers;
}

/** What places the voxels, by nifti1.h and nifti2.h. */
const PLACES: Readonly<Record<Layout, Places>> = {
  nifti1: {
    always: [
      [70, 1, 'int16'],
      [72, 1, 'int16'],
      [40, 4, 'int16'],
      [80, 3, 'float32'],
      [252, 2, 'int16'],
    ],
    qformCode: [252, 1, 'int16'],
    sformCode: [254, 1, 'int16'],
    qform: [[256, 6, 'float32']],
    handedness: [76, 1, 'float32'],
    sform: [280, 12, 'float32'],
  },
  nifti2: {
    always: [
      [12, 1, 'int16'],
      [14, 1, 'int16'],
      [16, 4, 'int64'],
      [112, 3, 'float64'],
      [344, 2, 'int32'],
    ],
    qformCode: [344, 1, 'int32'],
    sformCode: [348, 1, 'int32'],
    qform: [[352, 6, 'float64']],
    handedness: [104, 1, 'float64'],
    sform: [400, 12, 'float64'],
  },
};

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
  const { always, qform, sform, qformCode, sformCode, handedness } = PLACES[layout];
  const same = (numbers: Numbers): boolean => {
    const [x, y] = [numbersAt(a, numbers), numbersAt(b, numbers)];
    return x.every((value, i) => Object.is(value, y[i]));
  };
  const inForce = (code: Numbers): boolean => Number(numbersAt(a, code)[0]) !== 0;
  // Only the sign of pixdim[0] counts, and the writer keeps no more of it.
  const mirrored = (described: Described): boolean => Number(numbersAt(described, handedness)[0]) < 0;
  return (
    always.every(same) &&
    SCALING[layout].every((range) => Object.is(numberAt(a, range), numberAt(b, range))) &&
    (!inForce(sformCode) || same(sform)) &&
    (!inForce(qformCode) || (qform.every(same) && mirrored(a) === mirrored(b)))
  );
}

type Read = (view: DataView, at: number, littleEndian: boolean) => number | bigint;
const KINDS: Readonly<Record<Numbers[2], readonly [bytes: number, read: Read]>> = {
  int16: [2, (view, at, little) => view.getInt16(at, little)],
  int32: [4, (view, at, little) => view.getInt32(at, little)],
  int64: [8, (view, at, little) => view.getBigInt64(at, little)],
  float32: [4, (view, at, little) => view.getFloat32(at, little)],
  float64: [8, (view, at, little) => view.getFloat64(at, little)],
};

/** In the image's byte order; wide integers as they are, not rounded. */
function numbersAt({ files: [{ header }], littleEndian }: Described, numbers: Numbers): (number | bigint)[] {
  const [first, count, kind] = numbers;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [bytes, read] = KINDS[kind];
  return Array.from({ length: count }, (_, i) => read(view, first + bytes * i, littleEndian));
}
