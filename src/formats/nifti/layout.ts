/**
 * Where the fields of NIfTI-1 and NIfTI-2 headers stand, and what the numbers in them mean.
 * Only fields that are read or written here are listed; all others are dropped.
 *
 * @example
 * const [rank, nx, ny, nz] = readField(header, NIFTI1.fields.dim, true);
 */
import type { Datatype } from '../datatypes.js';
import type { Field } from '../fields.js';

export type NiftiField =
  | 'sizeofHeader'
  | 'datatype'
  | 'bitpix'
  | 'dim'
  | 'pixdim'
  | 'voxelOffset'
  | 'slope'
  | 'intercept'
  | 'description'
  | 'qformCode'
  | 'sformCode'
  | 'quaternion'
  | 'qoffset'
  | 'srow'
  | 'units'
  | 'dimInfo';

export interface NiftiLayout {
  readonly format: 'nifti1' | 'nifti2';
  readonly headerBytes: number;
  /** Smallest offset of voxels in a single file: the header and the four bytes that announce extensions. */
  readonly singleOffset: number;
  readonly magicAt: number;
  readonly magicSingle: readonly number[];
  readonly magicPair: readonly number[];
  readonly fields: Readonly<Record<NiftiField, Field>>;
}

const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

export const NIFTI1: NiftiLayout = {
  format: 'nifti1',
  headerBytes: 348,
  singleOffset: 352,
  magicAt: 344,
  magicSingle: ascii('n+1\0'),
  magicPair: ascii('ni1\0'),
  fields: {
    sizeofHeader: { at: 0, kind: 'i32', count: 1 },
    dimInfo: { at: 39, kind: 'u8', count: 1 },
    dim: { at: 40, kind: 'i16', count: 8 },
    datatype: { at: 70, kind: 'i16', count: 1 },
    bitpix: { at: 72, kind: 'i16', count: 1 },
    pixdim: { at: 76, kind: 'f32', count: 8 },
    voxelOffset: { at: 108, kind: 'f32', count: 1 },
    slope: { at: 112, kind: 'f32', count: 1 },
    intercept: { at: 116, kind: 'f32', count: 1 },
    units: { at: 123, kind: 'u8', count: 1 },
    description: { at: 148, kind: 'u8', count: 80 },
    qformCode: { at: 252, kind: 'i16', count: 1 },
    sformCode: { at: 254, kind: 'i16', count: 1 },
    quaternion: { at: 256, kind: 'f32', count: 3 },
    qoffset: { at: 268, kind: 'f32', count: 3 },
    srow: { at: 280, kind: 'f32', count: 12 },
  },
};

/** The carriage returns and line feeds after the name show up files that went through a text-mode copy. */
const NIFTI2_TAIL = '\0\r\n\x1a\n';

export const NIFTI2: NiftiLayout = {
  format: 'nifti2',
  headerBytes: 540,
  singleOffset: 544,
  magicAt: 4,
  magicSingle: ascii(`n+2${NIFTI2_TAIL}`),
  magicPair: ascii(`ni2${NIFTI2_TAIL}`),
  fields: {
    sizeofHeader: { at: 0, kind: 'i32', count: 1 },
    datatype: { at: 12, kind: 'i16', count: 1 },
    bitpix: { at: 14, kind: 'i16', count: 1 },
    dim: { at: 16, kind: 'i64', count: 8 },
    pixdim: { at: 104, kind: 'f64', count: 8 },
    voxelOffset: { at: 168, kind: 'i64', count: 1 },
    slope: { at: 176, kind: 'f64', count: 1 },
    intercept: { at: 184, kind: 'f64', count: 1 },
    description: { at: 240, kind: 'u8', count: 80 },
    qformCode: { at: 344, kind: 'i32', count: 1 },
    sformCode: { at: 348, kind: 'i32', count: 1 },
    quaternion: { at: 352, kind: 'f64', count: 3 },
    qoffset: { at: 376, kind: 'f64', count: 3 },
    srow: { at: 400, kind: 'f64', count: 12 },
    units: { at: 500, kind: 'i32', count: 1 },
    dimInfo: { at: 524, kind: 'u8', count: 1 },
  },
};

/** The layout of a header and where its voxels are, told from the magic; undefined when it is not NIfTI. */
export function niftiKind(
  bytes: Uint8Array,
): { layout: NiftiLayout; container: 'single' | 'pair' } | undefined {
  for (const layout of [NIFTI1, NIFTI2]) {
    if (bytes.length < layout.headerBytes) continue;
    const has = (magic: readonly number[]): boolean => magic.every((c, i) => bytes[layout.magicAt + i] === c);
    if (has(layout.magicSingle)) return { layout, container: 'single' };
    if (has(layout.magicPair)) return { layout, container: 'pair' };
  }
  return undefined;
}

export const NIFTI_DATATYPES: Readonly<Record<number, Datatype>> = {
  2: 'uint8',
  4: 'int16',
  8: 'int32',
  16: 'float32',
  64: 'float64',
  256: 'int8',
  512: 'uint16',
  768: 'uint32',
  1024: 'int64',
  1280: 'uint64',
};

/** Types of the standard that are no real scalars, or that no JavaScript number holds. */
export const NIFTI_UNSUPPORTED: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'binary (1 bit)',
  32: 'complex64',
  128: 'RGB24',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
  2304: 'RGBA32',
};

export function niftiCode(datatype: Datatype): number {
  return Number(Object.keys(NIFTI_DATATYPES).find((code) => NIFTI_DATATYPES[Number(code)] === datatype));
}
