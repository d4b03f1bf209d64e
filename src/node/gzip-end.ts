/**
 * Where a gzip stream ends in a file that goes on behind it. Node's zlib takes any byte but 0 there for a broken
 * member; other readers ignore what begins none.
 *
 * @example
 * const end = await gzipEnd(bytes); // content.subarray(0, end) inflates, the rest is padding
 */
import { createInflateRaw } from 'node:zlib';
import { GZIP_TRAILER_BYTES, isGzip, memberHeaderBytes } from '../formats/gzip.js';

/**
 * The first byte behind the last member; undefined when a member is cut off or damaged (checksums are not looked at).
 * @param bytes begin with a gzip member
 */
export async function gzipEnd(bytes: Uint8Array): Promise<number | undefined> {
  let at = 0;
  do {
    const start = at + memberHeaderBytes(bytes.subarray(at));
    if (start >= bytes.length) return undefined;
    const used = await deflatedBytes(bytes.subarray(start));
    if (used === undefined) return undefined;
    at = start + used + GZIP_TRAILER_BYTES;
    if (at > bytes.length) return undefined;
  } while (isGzip(bytes.subarray(at)));
  return at;
}

/** How many bytes the deflated data take that stand at the beginning; undefined when they are cut off or damaged. */
function deflatedBytes(bytes: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    const inflate = createInflateRaw({ chunkSize: 1 << 18 });
    // The content is thrown away: it is read, and its checksum verified, once the end is known.
    inflate.on('data', () => {});
    inflate.on('end', () => resolve(inflate.bytesWritten));
    inflate.on('error', () => {
      inflate.destroy();
      resolve(undefined);
    });
    inflate.end(bytes);
  });
}
