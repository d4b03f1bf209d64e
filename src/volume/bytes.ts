/**
 * Bytes in pieces, put together.
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
