/**
 * Bytes in pieces, put together, and bytes as text.
 *
 * @example
 * const file = joinBytes([header, voxels]);
 */

/** The parts in one array; of a single part, a copy, so that the result never shares memory with what it was made of. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** In pieces: one call with a picture's bytes as arguments is more than an engine's stack takes. */
const AT_ONCE = 8192;

export function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += AT_ONCE)
    binary += String.fromCharCode(...bytes.subarray(i, i + AT_ONCE));
  return btoa(binary);
}
