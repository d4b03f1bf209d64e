/**
 * The one thing that reading and writing images needs from its platform: gzip. Node's implementation is
 * `src/node/gzip.ts`; a page brings its own.
 *
 * Sizes come from the header inside the compressed file, so nothing is inflated further than it promises.
 *
 * @example
 * const content = isGzip(bytes) ? await gzip.inflate(bytes, 352 + voxelBytes, 1024) : bytes;
 */
import { Refusal } from '../errors/errors.js';

export interface Gzip {
  /** The first `count` bytes of the content; fewer when it ends or breaks off before. Checks nothing else. */
  peek(bytes: Uint8Array, count: number): Promise<Uint8Array>;
  /**
   * Exactly the first `expectedBytes` of the content, in an array of its own. The rest is read too, so that the
   * checksums are verified, but not further than `slackBytes`. All members of a file are read; bytes behind them
   * that begin no member are ignored.
   * @throws {Refusal} truncated (ends before), corrupt (damaged, wrong checksum), header-invalid (goes on after)
   */
  inflate(bytes: Uint8Array, expectedBytes: number, slackBytes: number): Promise<Uint8Array>;
  /** One member holding the parts one after the other; no name, no time, operating system 255 (unknown). */
  deflate(parts: readonly Uint8Array[]): Promise<Uint8Array>;
}

/** True when the bytes begin as a gzip member does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Method, flags, time, extra flags and operating system stand in a member's first ten bytes; checksum and size at its end. */
const FIXED_BYTES = 10;
export const GZIP_TRAILER_BYTES = 8;
const FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** Length of a member's header, past the end when it breaks off. */
export function memberHeaderBytes(bytes: Uint8Array): number {
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

/** Deflate's codes shrink 258 bytes to 2 bits at best, so no content is larger than this times its file. */
const MOST_SHRINKAGE = 1032;

export interface Content {
  readonly bytes: Uint8Array;
  /** True when the bytes were made here and may be overwritten. */
  readonly own: boolean;
}

/**
 * The bytes of a file, inflated when they are compressed, after checking that they can hold `expectedBytes`:
 * a header that lies about the size costs no memory.
 * @throws {Refusal} truncated, corrupt, header-invalid
 */
export async function readContent(
  bytes: Uint8Array,
  gzip: Gzip,
  expectedBytes: number,
  slackBytes: number,
): Promise<Content> {
  if (isGzip(bytes)) {
    if (expectedBytes > bytes.length * MOST_SHRINKAGE)
      throw new Refusal(
        'truncated',
        `expected ${expectedBytes} bytes according to the header, found a compressed file of ${bytes.length} bytes, which cannot hold them`,
      );
    return { bytes: await gzip.inflate(bytes, expectedBytes, slackBytes), own: true };
  }
  if (bytes.length < expectedBytes)
    throw new Refusal(
      'truncated',
      `expected ${expectedBytes} bytes according to the header, found ${bytes.length}`,
    );
  if (bytes.length > expectedBytes + slackBytes)
    throw new Refusal(
      'header-invalid',
      `expected ${expectedBytes} bytes according to the header, found ${bytes.length}`,
    );
  return { bytes, own: false };
}
