/**
 * Contents into files: joined or compressed, under their names.
 *
 * @example
 * return packFiles(names, [[header, voxels]], gzip);
 */
import { Failure } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
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
    out.push({ name, bytes: compressed ? await gzip.deflate(parts) : joinBytes(parts) });
  }
  const [first, ...others] = out;
  if (first === undefined || contents.length !== files.length)
    throw new Failure('internal', `${contents.length} contents for ${files.length} files`);
  return [first, ...others];
}
