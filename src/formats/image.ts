/**
 * An image as it is stored: voxels with the bits that its files hold, and what its codec needs to write them back so.
 * Any number of files (a DICOM series has one a slice), any number of volumes on one grid, and a scaling for all slices
 * or for each.
 *
 * @example
 * const image = await decodeImage({ name: 'head.nii.gz', bytes }, nodeGzip);
 * image.grid.shape; // [256, 256, 176]
 */
import { Failure } from '../errors/errors.js';
import { requireGiven } from '../errors/require-given.js';
import type { Grid } from '../volume/volume.js';
import type { ImageCodec } from './codec.js';
import type { Datatype, StoredArray } from './datatypes.js';

/** value = stored * slope + intercept; 1 and 0 where the file asks for no scaling. */
export interface Scaling {
  readonly slope: number;
  readonly intercept: number;
}

export const UNSCALED: Scaling = { slope: 1, intercept: 0 };

/** What is remembered of a file that an image came in. */
export interface SourceFile {
  /** All but the voxels, with whatever it may give away: for the image's codec, never for a report. */
  readonly header: Uint8Array;
}

export interface StoredImage {
  /** Name of its codec (`codecs.ts`). */
  readonly format: string;
  /** Where it is not one of the table's: what reads and writes this image. */
  readonly codec?: ImageCodec;
  readonly grid: Grid;
  /** Volumes on the grid: 1, or more for a series. */
  readonly volumes: number;
  readonly datatype: Datatype;
  /** In the host's byte order; first axis fastest, volumes last. May share memory with the bytes it was read from. */
  readonly stored: StoredArray;
  /** One for the whole image, or one for each slice of the third axis, volume after volume. */
  readonly scaling: readonly [Scaling, ...Scaling[]];
  /** In the order that the codec wants them in: for most one, for a series one a slice. */
  readonly files: readonly [SourceFile, ...SourceFile[]];
  readonly littleEndian: boolean;
  /** Value, in the image's units, that its header names for what is no picture: what air may be. */
  readonly airSaid?: number;
}

/** @throws {Refusal} option-invalid for what is no image, from callers that no compiler checks */
export function requireImage(image: unknown): void {
  requireGiven(image, 'an image, as decodeImage and loadImage give it', ['grid', 'stored', 'files']);
}

/** All that is known of an image beside its voxels. */
export type Described = Omit<StoredImage, 'stored'>;

export interface NamedBytes {
  /** Only its ending matters, and only for writing. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Its first bytes, inflated, where somebody has looked at them already. */
  readonly opening?: Uint8Array;
}

/** One image as files: a single one, header and voxels of a pair (in this order), or as many as its format has. */
export type ImageFiles = readonly [NamedBytes, ...NamedBytes[]];

/** The scaling of a slice, counted through all volumes. */
export function scalingOf(image: Pick<Described, 'scaling'>, slice: number): Scaling {
  const { scaling } = image;
  const found = scaling.length === 1 ? scaling[0] : scaling[slice];
  if (found === undefined)
    throw new Failure('internal', `no scaling for slice ${slice} of ${scaling.length}`);
  return found;
}

/** Whether two images scale alike, slice by slice, to the bit. */
export function sameScaling(a: Pick<Described, 'scaling'>, b: Pick<Described, 'scaling'>): boolean {
  return (
    a.scaling.length === b.scaling.length &&
    a.scaling.every(
      ({ slope, intercept }, i) =>
        Object.is(slope, b.scaling[i]?.slope) && Object.is(intercept, b.scaling[i]?.intercept),
    )
  );
}
