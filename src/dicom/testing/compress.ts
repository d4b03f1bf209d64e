/**
 * Compressed twins of made slices, for tests: RLE and JPEG lossless by encoders of a few lines, any other by what a test brings.
 *
 * @example
 * const files = makeSlices(head.volume).map((bytes) => compressed(bytes, '1.2.840.10008.1.2.5', encodeRle));
 */
import { joinBytes } from '../../volume/bytes.js';
import { PIXEL_DATA } from '../allow-list.js';
import { encodeElement, uidText, verbatim } from '../assemble.js';
import { EXPLICIT_LITTLE } from '../syntax.js';
import { Values } from '../values.js';
import { TRANSFER_SYNTAX, walk } from '../walker.js';

/** @param voxels little endian, of two bytes each */
export type Encoder = (voxels: Uint8Array, columns: number, rows: number) => Uint8Array;

/** @param bytes in explicit little endian, with 16 bits allocated @param cut fragments a frame */
export function compressed(bytes: Uint8Array, uid: string, encode: Encoder, cut = 1): Uint8Array {
  const file = walk(bytes);
  const values = new Values(file);
  const element = values.get(PIXEL_DATA);
  if (element === undefined) throw new Error('no voxels');
  const voxels = bytes.slice(element.valueFrom, element.valueTo);
  const [columns, rows] = [values.word(0x00280011) ?? 0, values.word(0x00280010) ?? 0];
  const frames = values.number(0x00280008) ?? 1;
  const perFrame = 2 * columns * rows;
  const fragments = Array.from({ length: frames }, (_, i) =>
    encode(voxels.subarray(i * perFrame, (i + 1) * perFrame), columns, rows),
  ).flatMap((data) => {
    const size = 2 * Math.ceil(data.length / cut / 2);
    return Array.from({ length: cut }, (_, n) => item(0xe000, data.subarray(n * size, (n + 1) * size)));
  });
  const head = encodeElement(PIXEL_DATA, 'OB', new Uint8Array(0), EXPLICIT_LITTLE);
  head.fill(0xff, 8, 12);
  return joinBytes([
    bytes.subarray(0, 132),
    ...file.meta.map((each) =>
      each.tag === TRANSFER_SYNTAX
        ? encodeElement(TRANSFER_SYNTAX, 'UI', uidText(uid), EXPLICIT_LITTLE)
        : verbatim(file, each),
    ),
    ...file.elements.map((each) =>
      each.tag === PIXEL_DATA
        ? joinBytes([head, item(0xe000, new Uint8Array(0)), ...fragments, item(0xe0dd, new Uint8Array(0))])
        : verbatim(file, each),
    ),
  ]);
}

function item(element: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length + (data.length % 2));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, element, true);
  view.setUint32(4, bytes.length - 8, true);
  bytes.set(data, 8);
  return bytes;
}

export const encodeRle: Encoder = (voxels) => {
  const planes = [1, 0].map((byte) => packed(voxels.filter((_, i) => i % 2 === byte)));
  const head = new Uint8Array(64);
  const view = new DataView(head.buffer);
  view.setUint32(0, planes.length, true);
  planes.forEach((_, i) => {
    view.setUint32(4 * (i + 1), 64 + planes.slice(0, i).reduce((sum, { length }) => sum + length, 0), true);
  });
  return joinBytes([head, ...planes]);
};

function packed(plane: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < plane.length; ) {
    let n = 1;
    while (n < 128 && plane[i + n] === plane[i]) n++;
    if (n > 1) {
      out.push(257 - n, plane[i] as number);
      i += n;
      continue;
    }
    while (n < 128 && i + n < plane.length && plane[i + n] !== plane[i + n - 1]) n++;
    out.push(n - 1, ...plane.subarray(i, i + n));
    i += n;
  }
  if (out.length % 2 === 1) out.push(128);
  return Uint8Array.from(out);
}

/** Process 14, first-order prediction, 16 bits, all categories with codes of five bits. */
export const encodeJpegLossless: Encoder = (voxels, columns, rows) => {
  const view = new DataView(voxels.buffer, voxels.byteOffset, voxels.byteLength);
  const at = (x: number, y: number): number => view.getUint16(2 * (y * columns + x), true);
  const bits: number[] = [];
  const push = (value: number, n: number): void => {
    for (let i = n - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const predicted = x > 0 ? at(x - 1, y) : y > 0 ? at(0, y - 1) : 1 << 15;
      const difference = ((at(x, y) - predicted) << 16) >> 16;
      const category = difference === -32768 ? 16 : 32 - Math.clz32(Math.abs(difference));
      push(category, 5);
      if (category < 16) push(difference < 0 ? difference + (1 << category) - 1 : difference, category);
    }
  while (bits.length % 8 !== 0) bits.push(1);
  const scan: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    const byte = bits.slice(i, i + 8).reduce((sum, bit) => 2 * sum + bit, 0);
    scan.push(byte);
    if (byte === 0xff) scan.push(0);
  }
  const word = (v: number): number[] => [v >> 8, v & 0xff];
  const lengths = Array.from({ length: 16 }, (_, i) => (i === 4 ? 17 : 0));
  return Uint8Array.from([
    ...[0xff, 0xd8, 0xff, 0xc3, 0, 11, 16, ...word(rows), ...word(columns), 1, 1, 0x11, 0],
    ...[0xff, 0xc4, ...word(2 + 1 + 16 + 17), 0, ...lengths, ...Array.from({ length: 17 }, (_, i) => i)],
    ...[0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0, ...scan, 0xff, 0xd9],
  ]);
};
