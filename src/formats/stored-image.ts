/**
 * Images into memory and back: which codec does it is decided by the bytes when reading, by the image when writing.
 *
 * Reading checks everything that the header says before memory is taken; writing builds the header anew from the
 * few fields that are known to be safe.
 *
 * @example
 * const image = await decodeImage({ name: 'head.nii.gz', bytes }, nodeGzip);
 * const result = image.stored.slice();
 * unscale(image, newValues, result, 0, outsideBrain);
 * const [{ bytes: written }] = await encodeImage(image, result, nodeGzip, { name: 'new.nii.gz' });
 */
import { Failure } from '../errors/errors.js';
import { requireGiven } from '../errors/require-given.js';
import { voxelCount } from '../volume/volume.js';
import type { ImageCodec, OpenFile } from './codec.js';
import { codecFor, knownFormats, outputNames, sniff } from './codecs.js';
import { DATATYPES, type StoredArray } from './datatypes.js';
import { type Gzip, isGzip } from './gzip.js';
import type { Described, ImageFiles, NamedBytes, StoredImage } from './image.js';
import type { FileNames } from './names.js';
import { unknownFormat } from './not-an-image.js';
import { requireSignal } from './voxels.js';

export type { Datatype, StoredArray } from './datatypes.js';
export type { Gzip } from './gzip.js';
export type { ImageFiles, NamedBytes, Scaling, StoredImage } from './image.js';
export { finiteVolume, scaledData, unscale } from './voxels.js';

export interface DecodeOptions {
  /** Accept an image in which all voxels are equal (a mask may be empty); default false. */
  readonly allowConstant?: boolean;
  /** Reads the files as this format, without asking the table. */
  readonly codec?: ImageCodec;
}

export interface EncodeOptions {
  /** Name of the result; its ending decides on compression and on single file or pair. */
  readonly name: string | FileNames;
  /** For the header's free text, where the format has one: the program and its version, nothing of the scan. */
  readonly description?: string;
}

/** Enough of a file for the header of any format. */
export const OPENING_BYTES = 1024;

/** A file with its first bytes, inflated when they are compressed: looked at once, by whoever comes first. */
export async function openFile(file: NamedBytes, gzip: Gzip): Promise<OpenFile> {
  const { bytes, opening } = file;
  if (opening !== undefined) return { ...file, opening };
  return {
    ...file,
    opening: isGzip(bytes) ? await gzip.peek(bytes, OPENING_BYTES) : bytes.subarray(0, OPENING_BYTES),
  };
}

/**
 * Reads an image, whatever its name says.
 * @param files one file, or several that are one image: of a pair the header, then the voxels
 * @throws {Refusal} not-an-image, truncated, corrupt, header-invalid, datatype-unsupported, too-large,
 * geometry-invalid, not-3d, no-signal, not-readable (the voxels of a pair are missing)
 */
export async function decodeImage(
  files: NamedBytes | ImageFiles,
  gzip: Gzip,
  options: DecodeOptions = {},
): Promise<StoredImage> {
  requireGiven(
    files,
    'a file with its name and bytes, or several of one image',
    Array.isArray(files) ? [] : ['bytes'],
  );
  const [first, ...others] = 'bytes' in files ? [files] : files;
  requireGiven(first, 'a file with its name and bytes', ['bytes']);
  requireGiven(gzip, 'a gzip, as nodeGzip of prosopon/node and browserGzip of prosopon/browser', ['peek']);
  const opened = await openFile(first, gzip);
  const codec = options.codec ?? sniff(opened.opening)?.codec;
  if (codec === undefined) throw unknownFormat(opened.opening, knownFormats());
  const image = await codec.read([opened, ...others], gzip);
  if (options.allowConstant !== true) requireSignal(image.stored);
  return image;
}

/**
 * Writes voxels as the image `like` was stored: same format, byte order, type, scaling, grid and affine codes. The
 * header is built anew from what is known to be safe; extensions and footers are dropped.
 * @param stored all volumes, of the type of `like`
 * @throws {Refusal} option-invalid when the name belongs to another format
 */
export async function encodeImage(
  like: Described,
  stored: StoredArray,
  gzip: Gzip,
  options: EncodeOptions,
): Promise<ImageFiles> {
  requireGiven(like, 'an image to write like', ['grid', 'files']);
  requireGiven(options, 'the name of the file', ['name']);
  const count = voxelCount(like.grid.shape) * like.volumes;
  if (!(stored instanceof DATATYPES[like.datatype].array) || stored.length !== count)
    throw new Failure('internal', 'the voxels to write are not of the type and number of the image');
  const { name, description } = options;
  return codecFor(like).write(like, stored, gzip, {
    names: typeof name === 'string' ? outputNames(name, like) : name,
    ...(description === undefined ? {} : { description }),
  });
}
