/**
 * From a checked header to an image, for formats of one header and one run of voxels: what follows the header is read,
 * inflated and taken as it is stored.
 *
 * @example
 * return readVoxels(parseMgh(file.opening), [file], gzip);
 */
import { Refusal } from '../errors/errors.js';
import { DATATYPES, viewValues } from './datatypes.js';
import { type Gzip, readContent } from './gzip.js';
import type { Described, NamedBytes, Scaling, StoredImage } from './image.js';

/** What such a header comes down to once it has been read and checked. */
export interface ParsedHeader extends Omit<Described, 'files' | 'scaling'> {
  readonly scaling: Scaling;
  /** Voxels in the file of the header, or in a file beside it. */
  readonly container: 'single' | 'pair';
  /** The header's bytes as they were, without extensions. */
  readonly header: Uint8Array;
  /** Byte at which voxels begin, in the inflated file that holds them. */
  readonly voxelOffset: number;
  readonly voxelBytes: number;
  /** Bytes that may follow the voxels. */
  readonly slackBytes: number;
}

/** @throws {Refusal} truncated, corrupt, header-invalid, not-readable (the voxels of a pair are missing) */
export async function readVoxels(
  parsed: ParsedHeader,
  files: readonly [NamedBytes, ...NamedBytes[]],
  gzip: Gzip,
): Promise<StoredImage> {
  const { voxelOffset, voxelBytes, slackBytes, container, header, scaling, ...described } = parsed;
  let [{ bytes }] = files;
  if (container === 'pair') {
    if (files[1] === undefined)
      throw new Refusal(
        'not-readable',
        'expected the voxels of a header-and-image pair beside the header, found none',
      );
    // The header's own file is read to its end so that its checksum is verified too.
    await readContent(bytes, gzip, header.length, slackBytes);
    bytes = files[1].bytes;
  }
  const content = await readContent(bytes, gzip, voxelOffset + voxelBytes, slackBytes);
  const { datatype, littleEndian } = described;
  const count = voxelBytes / DATATYPES[datatype].bytes;
  const stored = viewValues(content.bytes, voxelOffset, count, datatype, littleEndian, content.own);
  return { ...described, stored, scaling: [scaling], files: [{ header }] };
}
