/**
 * A deflated file (PS3.5 A.5) as the plain one that it was made from: all behind the file meta is inflated, and the meta names explicit
 * little endian. A file that is not deflated comes back as it is.
 *
 * @example
 * const file = walk(undeflated(bytes, (data, most) => inflateRawSync(data, { maxOutputLength: most })));
 */
import { Refusal } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
import { encodeElement, uidText } from './assemble.js';
import { DEFLATED, EXPLICIT_LITTLE } from './syntax.js';
import { openingOf, TRANSFER_SYNTAX, textOf } from './walker.js';

/** @throws anything where the data are no deflated ones, or are more than `most` bytes */
export type InflateRaw = (data: Uint8Array, most: number) => Uint8Array;

/** Deflate makes at most a thousandth of a file; pictures of a head a tenth. What claims more is made to fill the memory. */
export const MOST_RATIO = 200;
/** Small files may be as empty as they like. */
export const ALWAYS_ALLOWED = 2 ** 24;

/** @throws {Refusal} corrupt, and as `walk` for the file meta */
export function undeflated(bytes: Uint8Array, inflate: InflateRaw): Uint8Array {
  const { meta, at } = openingOf(bytes);
  const said = meta.find(({ tag }) => tag === TRANSFER_SYNTAX);
  if (said === undefined || textOf(bytes, said) !== DEFLATED) return bytes;
  return joinBytes([
    bytes.subarray(0, said.from),
    encodeElement(TRANSFER_SYNTAX, 'UI', uidText(EXPLICIT_LITTLE.uid), EXPLICIT_LITTLE),
    bytes.subarray(said.to, at),
    inflated(bytes.subarray(at), inflate),
  ]);
}

function inflated(data: Uint8Array, inflate: InflateRaw): Uint8Array {
  const most = Math.min(2 ** 31 - 1, Math.max(ALWAYS_ALLOWED, MOST_RATIO * data.length));
  try {
    return inflate(data, most);
  } catch (cause) {
    throw new Refusal('corrupt', 'expected deflated elements, found data that cannot be inflated', { cause });
  }
}
