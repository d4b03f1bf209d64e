/**
 * What a file format is here: one object with all of these parts, in one folder, and one line in the table of
 * `codecs.ts`. A part that is missing does not compile, so that no format can be half known.
 *
 * @example
 * export const mghCodec: ImageCodec = { format: 'mgh', title: 'MGH', ... };
 */
import type { Datatype, StoredArray } from './datatypes.js';
import type { Gzip } from './gzip.js';
import type { Described, ImageFiles, NamedBytes, StoredImage } from './image.js';
import type { FileNames } from './names.js';

/** A file with its first bytes, inflated. */
export type OpenFile = NamedBytes & { readonly opening: Uint8Array };

export interface WriteOptions {
  readonly names: FileNames;
  /** For a header's free text, where the format has one: the program and its version, nothing of the scan. */
  readonly description?: string;
}

export interface HeaderAudit {
  /** Dimensions, scaling, codes, and each affine that has a code are the same bits. */
  readonly sameGeometry: boolean;
  /** Bytes in fields that should be empty and are not, and in NaNs of the scaling beside the usual ones. */
  readonly strayBytes: number;
}

export interface ImageCodec {
  /** `StoredImage.format`. */
  readonly format: string;
  /** What people call it, for sentences; formats of one family share it and their file names. */
  readonly title: string;
  /** Endings of its files, for sentences. */
  readonly endings: readonly string[];
  /**
   * What the first bytes of a file are: a whole image, a header whose voxels are in another file, or nothing of this
   * format.
   */
  sniff(opening: Uint8Array): 'whole' | 'header' | undefined;
  /** The files that an image of this name consists of; undefined for a name of another format. */
  fileNames(name: string): FileNames | undefined;
  /**
   * @param files what `sniff` knew, then the other files of the image
   * @throws {Refusal} truncated, corrupt, header-invalid, datatype-unsupported, too-large, geometry-invalid, not-3d, not-readable
   */
  read(files: readonly [OpenFile, ...NamedBytes[]], gzip: Gzip): Promise<StoredImage>;
  /**
   * Headers are built from nothing by an allow-list: what is not known to be safe is not written.
   * @param stored all volumes, of the type of `like`
   */
  write(like: Described, stored: StoredArray, gzip: Gzip, options: WriteOptions): Promise<ImageFiles>;
  /** Files of an image on the same grid with another type and number of volumes, without scaling; undefined where the format cannot hold it. */
  retype(like: Described, datatype: Datatype, volumes: number): StoredImage['files'] | undefined;
  /**
   * An independent look at a result's headers, with a table of its own: what `write` lets through by mistake is found
   * here.
   * @param description the text that `write` was given; any other is stray
   */
  audit(original: Described, result: Described, description: string): HeaderAudit;
  /** What readers of such a header understand differently, in sentences for the user; none for most. */
  doubts(image: Described): readonly string[];
}
