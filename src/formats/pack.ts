/**
 * Contents into files: joined or compressed, under their names.
 *
 * @example
 * return packFiles(names, [[header, voxels]], gzip);
 */
import { Failure } from '../errors/errors.js';
import type { Gzip } from './gzip.js';
import type { ImageFiles, NamedBytes } from './image.js';
import type { FileNames } from './names.js';

/** @param contents of each file, in the order of `names.files` */
export async function packFiles(
  { files, compressed }: FileNames,
  contents: readonly (readonly Uint8Array[])[],
  gzip: Gzip,
): Promise<ImageFiles> {
  const out: NamedBytes[] = [];
  for (const [i, name] of files.entries()) {
    const parts = contents[i] ?? [];
    out.push({ name, bytes: compressed ? await gzip.deflate(parts) : joined(parts) });
  }
  const [first, ...others] = out;
  if (first === undefined || contents.length !== files.length)
    throw new Failure('internal', `${contents.length} contents for ${files.length} files`);
  return [first, ...others];
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
