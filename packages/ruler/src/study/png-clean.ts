/**
 * A PNG reduced to what is seen: text, time, profile and every other chunk that is not the picture are dropped, so
 * that nothing in a study's page tells where a picture came from.
 *
 * @example
 * const { bytes, width, height } = cleanPng(await readFile('renderings/quickshear/subject.png'));
 */
import { Refusal } from 'prosopon';

export interface CleanPng {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10] as const;
/** The picture itself: header, palette, transparency, pixels, end. */
const KEPT = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/** @throws {Refusal} dataset-invalid when the bytes are not a whole PNG */
export function cleanPng(bytes: Uint8Array): CleanPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw notPng('another kind of file');
  const kept: Uint8Array[] = [bytes.subarray(0, SIGNATURE.length)];
  let [width, height] = [0, 0];
  let pixels = false;
  let at: number = SIGNATURE.length;
  for (;;) {
    if (at + 12 > bytes.length) throw notPng('one that ends too early');
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw notPng('one that ends too early');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (KEPT.has(type)) kept.push(bytes.subarray(at, end));
    if (type === 'IHDR' && length >= 8) {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
    }
    if (type === 'IDAT') pixels = true;
    at = end;
    // What follows the end is not part of the picture.
    if (type === 'IEND') break;
  }
  if (width === 0 || height === 0 || !pixels) throw notPng('one without a picture');
  const out = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of kept) {
    out.set(part, to);
    to += part.length;
  }
  return { bytes: out, width, height };
}

function notPng(found: string): Refusal {
  return new Refusal('dataset-invalid', `expected every rendering to be a PNG picture, found ${found}`);
}
