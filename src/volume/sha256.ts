/**
 * SHA-256, synchronous and the same in Node and the browser: that of `@noble/hashes`, whose digests are taken here as the
 * words that seeds are made of.
 *
 * WebCrypto's digest is asynchronous and node:crypto is not in the browser; what is hashed here is small
 * (a seed's text, a label) or happens once per image (the brain's stored bytes).
 *
 * @example
 * const words = sha256(new TextEncoder().encode('abc')); // words[0] === 0xba7816bf
 */
import { sha256 as sha256Of } from '@noble/hashes/sha2.js';

/** The eight 32-bit words of a digest, big-endian as they are written. */
function wordsOf(digest: Uint8Array): Uint32Array {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i));
}

/** Accumulates bytes in pieces; `digest` may be called once. */
export class Sha256 {
  readonly #hash = sha256Of.create();

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** The eight 32-bit words of the digest. */
  digest(): Uint32Array {
    return wordsOf(this.#hash.digest());
  }
}

export function sha256(bytes: Uint8Array): Uint32Array {
  return wordsOf(sha256Of(bytes));
}

/** The 32 bytes of a digest as they are written. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return sha256Of(bytes);
}

/** Lower-case hexadecimal of a digest's words. */
export function hex(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
