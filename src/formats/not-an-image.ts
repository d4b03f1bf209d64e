/**
 * What to say of a file that is none of the formats read here: the usual mistakes are worth a name and a way out.
 *
 * @example
 * throw unknownFormat(opening, 'NIfTI or MGH'); // Refusal: ..., found a file compressed with xz: unpack it first (unxz)
 */
import { Refusal } from '../errors/errors.js';
import { isGzip } from './gzip.js';
import { MGH_HEADER_BYTES } from './mgh/header.js';

/** Packed files: the bytes that they begin with, what they are, and the command that unpacks them. */
const PACKED: readonly (readonly [magic: readonly number[], what: string, command: string])[] = [
  [[0x42, 0x5a, 0x68], 'a file compressed with bzip2', 'bunzip2'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'a file compressed with xz', 'unxz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a file compressed with Zstandard', 'unzstd'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive', 'unzip'],
];

/**
 * @param opening the first bytes of the file, inflated once when they are compressed with gzip
 * @param formats those that are read, in words
 */
export function unknownFormat(opening: Uint8Array, formats: string): Refusal {
  const expected = `expected a ${formats} image`;
  const refusal = (found: string): Refusal => new Refusal('not-an-image', `${expected}, found ${found}`);
  if (opening.length === 0) return refusal('an empty file');
  if (isGzip(opening)) return refusal('a file compressed with gzip more than once: unpack it first (gunzip)');
  for (const [magic, what, command] of PACKED)
    if (magic.every((byte, i) => opening[i] === byte))
      return refusal(`${what}: unpack it first (${command})`);
  if (String.fromCharCode(...opening.subarray(128, 132)) === 'DICM') return refusal('a DICOM file');
  return headerWithoutImage(opening, expected) ?? refusal('bytes of neither');
}

/** A header that breaks off, or one without the mark of its format. */
function headerWithoutImage(opening: Uint8Array, expected: string): Refusal | undefined {
  const size = opening.length < 4 ? 0 : new DataView(opening.buffer, opening.byteOffset).getInt32(0, true);
  const cut = (): Refusal =>
    new Refusal('truncated', `${expected}, found a header that ends after ${opening.length} bytes`);
  const nifti1 = size === 348 || size === 0x5c010000;
  if (nifti1 || size === 540 || size === 0x1c020000)
    return opening.length < (nifti1 ? 348 : 540)
      ? cut()
      : new Refusal('not-an-image', `${expected}, found a header without its magic (perhaps Analyze 7.5)`);
  return size === 0x01000000 && opening.length < MGH_HEADER_BYTES ? cut() : undefined;
}
