/**
 * What a JPEG codestream says of its picture, read before a codec takes memory for it.
 *
 * @example
 * const { rows, columns } = jpegFrame(data, 0xc3); // lossless
 */
import { Failure } from '../../../errors/errors.js';

/** @param marker of the frame header that the syntax asks for */
export function jpegFrame(
  data: Uint8Array,
  marker: number,
): { readonly rows: number; readonly columns: number; readonly components: number; readonly bits: number } {
  const word = (at: number): number => ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
  // Behind the start of image; each segment says its length.
  for (let at = 2; at + 9 < data.length && data[at] === 0xff; ) {
    const kind = data[at + 1] as number;
    if (kind === 0xff) at++;
    else if (kind === marker)
      return {
        bits: data[at + 4] as number,
        rows: word(at + 5),
        columns: word(at + 7),
        components: data[at + 9] as number,
      };
    // Start of scan, end of image.
    else if (kind === 0xda || kind === 0xd9) break;
    else at += 2 + Math.max(2, word(at + 2));
  }
  throw new Failure('internal', 'no frame header in a codestream');
}

/** The image and its components, as the first segment of a codestream says (SIZ). */
export function jpeg2000Frame(data: Uint8Array): {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
} {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 42 || view.getUint32(0) !== 0xff4fff51)
    throw new Failure('internal', 'no frame header in a codestream');
  const from = (end: number, start: number): number => view.getUint32(end) - view.getUint32(start);
  return { columns: from(8, 16), rows: from(12, 20), components: view.getUint16(40) };
}
