/**
 * Where a gzip stream ends in a file that goes on behind it. Node's zlib takes any byte but 0 there for a broken
 * member; other readers ignore what begins none.
 *
 * @example
 * const end = await gzipEnd(bytes); // content.subarray(0, end) inflates, the rest is padding
 */
import { createInflateRaw } from 'node:zlib';
import { isGzip } from '../formats/gzip.js';

/** Method, flags, time, extra flags and operating system stand in the first ten bytes; checksum and size at the end. */
const FIXED_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

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
    at = start + used + TRAILER_BYTES;
    if (at > bytes.length) return undefined;
  } while (isGzip(bytes.subarray(at)));
  return at;
}

/** Length of a member's header, past the end when it breaks off. */
function memberHeaderBytes(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = FIXED_BYTES;
  if ((flags & FLAGS.extra) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [FLAGS.name, FLAGS.comment])
    if ((flags & text) !== 0) {
      const zero = bytes.indexOf(0, at);
      if (zero === -1) return bytes.length;
      at = zero + 1;
    }
  return (flags & FLAGS.headerCrc) !== 0 ? at + 2 : at;
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
