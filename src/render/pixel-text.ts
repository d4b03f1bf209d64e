/**
 * Short labels in pictures, in a font of 5 x 7 pixels that is part of the code: no platform font, the same bytes everywhere.
 *
 * @example
 * drawText(image, 'R', 4, 4, { colour: [0, 0, 0], scale: 2 });
 */
import type { PixelImage, Rgb } from './image.js';

/** A digit (base 32) per row from the top; its five bits are the pixels from the left. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hhha444',
  Z: 'v1248gv',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh1248v',
  3: 'v2421he',
  4: '26aiv22',
  5: 'vgu11he',
  6: '68guhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf12c',
  '+': '044v440',
  '-': '000v000',
  '%': 'op248j3',
  '.': '00000cc',
  ',': '0000c48',
  "'": '4480000',
  ' ': '0000000',
};
const UNKNOWN = 'vhhhhhv';
const ADVANCE = 6;

export const TEXT_HEIGHT = 7;

/** Width in pixels at scale 1, without the space after the last letter. */
export function textWidth(text: string): number {
  return Math.max(0, text.length * ADVANCE - 1);
}

/** Writes into an RGB picture with the upper left corner at (left, top); small letters become large ones, what falls off is cut. */
export function drawText(
  { width, height, data }: PixelImage,
  text: string,
  left: number,
  top: number,
  { colour, scale = 1 }: { readonly colour: Rgb; readonly scale?: number },
): void {
  [...text.toUpperCase()].forEach((letter, n) => {
    const glyph = GLYPHS[letter] ?? UNKNOWN;
    for (let y = 0; y < TEXT_HEIGHT * scale; y++) {
      const bits = Number.parseInt(glyph.charAt(Math.floor(y / scale)), 32);
      for (let x = 0; x < 5 * scale; x++) {
        if (((bits >> (4 - Math.floor(x / scale))) & 1) === 0) continue;
        const [px, py] = [left + n * ADVANCE * scale + x, top + y];
        if (px >= 0 && py >= 0 && px < width && py < height) data.set(colour, 3 * (px + py * width));
      }
    }
  });
}
