/**
 * Images as they are stored: voxels with the bits that the file holds, and what is needed to write them back so.
 *
 * Reading checks everything that the header says before memory is taken; writing builds the header anew from the
 * few fields that are known to be safe.
 *
 * @example
 * const image = await decodeImage({ name: 'head.nii.gz', bytes }, nodeGzip);
 * const result = image.stored.slice();
 * toStored(image, newValues, result, 0, outsideBrain);
 * const { bytes: written } = await encodeImage(image, result, nodeGzip, { name: 'new.nii.gz' });
 */
import { Failure, Refusal } from '../errors/errors.js';
import { type Grid, voxelCount } from '../volume/volume.js';
import { DATATYPES, type Datatype, type StoredArray, valueBytes, viewValues } from './datatypes.js';
import { type Gzip, isGzip, readContent } from './gzip.js';
import type { ParsedHeader } from './header.js';
import { imageName } from './image-names.js';
import { isMgh, mghHeader, parseMgh } from './mgh.js';
import { NIFTI1, NIFTI2, niftiKind } from './nifti-layout.js';
import { parseNifti } from './nifti-read.js';
import { niftiHeader } from './nifti-write.js';
import { unknownFormat } from './not-an-image.js';
import { requireSignal } from './voxels.js';

export type { Datatype, StoredArray } from './datatypes.js';
export type { Gzip } from './gzip.js';
export { frameValues, toStored } from './voxels.js';

export interface StoredImage {
  readonly format: 'nifti1' | 'nifti2' | 'mgh';
  /** Voxels in the file of the header, or in a file beside it. */
  readonly container: 'single' | 'pair';
  readonly grid: Grid;
  /** 1 for a volume; more for a series on one grid. */
  readonly frames: number;
  readonly datatype: Datatype;
  /** In the host's byte order; first axis fastest, frames last. May share memory with the bytes it was read from. */
  readonly stored: StoredArray;
  /** value = stored * slope + intercept; 1 and 0 where the file asks for no scaling. */
  readonly slope: number;
  readonly intercept: number;
  /** The original header, with all that it may give away: for encodeImage, never for a report. */
  readonly header: Uint8Array;
  readonly littleEndian: boolean;
}

/** One image as files: a single one, or header and voxels of a pair. */
export interface ImageFiles {
  /** Of the single file or of the header; only its ending matters, and only for writing. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly pairName?: string;
  readonly pairBytes?: Uint8Array;
}

export interface DecodeOptions {
  /** Accept an image in which all voxels are equal (a mask may be empty); default false. */
  readonly allowConstant?: boolean;
}

export interface EncodeOptions {
  /** Name of the result; its ending decides on compression and on single file or pair. */
  readonly name: string;
  /** For the header's free text (NIFTI only): the program and its version, nothing of the scan. */
  readonly description?: string;
}

/** Enough of a file for the header of any format. */
export const OPENING_BYTES = 1024;

/** What a file's first bytes (inflated) are; undefined when it is no header of a format that is read here. */
export function sniff(opening: Uint8Array): 'nifti-single' | 'nifti-pair' | 'mgh' | undefined {
  const nifti = niftiKind(opening);
  if (nifti !== undefined) return nifti.container === 'single' ? 'nifti-single' : 'nifti-pair';
  return isMgh(opening) ? 'mgh' : undefined;
}

/** The first bytes of a file, inflated when they are compressed. */
export async function openingBytes(bytes: Uint8Array, gzip: Gzip): Promise<Uint8Array> {
  return isGzip(bytes) ? gzip.peek(bytes, OPENING_BYTES) : bytes.subarray(0, OPENING_BYTES);
}

/**
 * Reads an image, whatever its name says. Of a pair, `bytes` is the header and `pairBytes` the voxels.
 * @throws {Refusal} not-an-image, truncated, corrupt, header-invalid, datatype-unsupported, too-large,
 * geometry-invalid, not-3d, no-signal, not-readable (the voxels of a pair are missing)
 */
export async function decodeImage(
  files: ImageFiles,
  gzip: Gzip,
  options: DecodeOptions = {},
): Promise<StoredImage> {
  const header = parseHeader(await openingBytes(files.bytes, gzip));
  const { voxelOffset, voxelBytes, slackBytes, ...image } = header;
  let file = files.bytes;
  if (header.container === 'pair') {
    if (files.pairBytes === undefined)
      throw new Refusal(
        'not-readable',
        'expected the voxels of a header-and-image pair beside the header, found none',
      );
    // The header's own file is read to its end so that its checksum is verified too.
    await readContent(file, gzip, header.header.length, slackBytes);
    file = files.pairBytes;
  }
  const content = await readContent(file, gzip, voxelOffset + voxelBytes, slackBytes);
  const count = voxelBytes / DATATYPES[header.datatype].bytes;
  const stored = viewValues(
    content.bytes,
    voxelOffset,
    count,
    header.datatype,
    header.littleEndian,
    content.own,
  );
  if (options.allowConstant !== true) requireSignal(stored);
  return { ...image, stored };
}

function parseHeader(opening: Uint8Array): ParsedHeader {
  switch (sniff(opening)) {
    case 'nifti-single':
    case 'nifti-pair':
      return parseNifti(opening);
    case 'mgh':
      return parseMgh(opening);
    case undefined:
      throw unknownFormat(opening);
  }
}

/**
 * Writes voxels as the image `like` was stored: same format, byte order, type, scaling, grid and affine codes. The
 * header is built anew from what is known to be safe; extensions and footers are dropped.
 * @param stored all frames, of the type of `like`
 * @throws {Refusal} option-invalid when the name belongs to another format
 */
export async function encodeImage(
  like: StoredImage,
  stored: StoredArray,
  gzip: Gzip,
  options: EncodeOptions,
): Promise<ImageFiles> {
  const count = voxelCount(like.grid.shape) * like.frames;
  if (!(stored instanceof DATATYPES[like.datatype].array) || stored.length !== count)
    throw new Failure('internal', 'the voxels to write are not of the type and number of the image');
  const { kind, compressed, files } = imageName(options.name);
  if ((kind === 'mgh') !== (like.format === 'mgh'))
    throw new Refusal(
      'option-invalid',
      `expected an output name of the input's format (${like.format === 'mgh' ? '.mgh or .mgz' : '.nii, .nii.gz, .hdr or .img'}), found one of ${kind === 'mgh' ? 'MGH' : 'NIfTI'}`,
    );
  const container = kind === 'nifti-pair' ? 'pair' : 'single';
  const header =
    like.format === 'mgh'
      ? mghHeader(like.header)
      : niftiHeader(like.header, like.format === 'nifti1' ? NIFTI1 : NIFTI2, {
          littleEndian: like.littleEndian,
          container,
          grid: like.grid,
          ...(options.description === undefined ? {} : { description: options.description }),
        });
  const voxels = valueBytes(stored, like.littleEndian);
  const pack = (parts: readonly Uint8Array[]): Promise<Uint8Array> | Uint8Array =>
    compressed ? gzip.deflate(parts) : joined(parts);
  const [name, pairName] = files;
  if (pairName === undefined) return { name, bytes: await pack([header, voxels]) };
  return { name, bytes: await pack([header]), pairName, pairBytes: await pack([voxels]) };
}

/** The parts in one array; of a single part, a copy, so that the result never shares the image's memory. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
