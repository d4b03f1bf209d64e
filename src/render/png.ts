/**
 * PNG of 8-bit grey and RGB pictures with the three chunks that a PNG must have and no other: no text, time,
 * profile or resolution, so that a picture cannot carry where it came from.
 *
 * Compression is passed in, because the platform-neutral floors have no synchronous zlib: `nodeDeflate` of
 * `src/node/deflate.ts`, or `storedDeflate` (no compression, runs everywhere).
 *
 * @example
 * await writeFile('front.png', encodePng(image, nodeDeflate));
 */
import { requireGiven } from '../errors/require-given.js';
import { joinBytes } from '../volume/bytes.js';
import { checkImage, type PixelImage } from './image.js';

/** Bytes in, a zlib stream (RFC 1950) of them out. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/** A zlib stream of stored blocks: as large as its input, needs nothing. */
export const storedDeflate: Deflate = (bytes) => {
  const most = 65535;
  const blocks = Math.max(1, Math.ceil(bytes.length / most));
  const out = new Uint8Array(2 + blocks * 5 + bytes.length + 4);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let b = 0; b < blocks; b++) {
    const part = bytes.subarray(b * most, (b + 1) * most);
    const n = part.length;
    out.set([b === blocks - 1 ? 1 : 0, n & 255, n >> 8, ~n & 255, (~n >> 8) & 255], at);
    out.set(part, at + 5);
    at += 5 + n;
  }
  new DataView(out.buffer).setUint32(at, adler32(bytes));
  return out;
};

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    // 3800 additions of at most 255 stay far below 2^53 and keep the modulo out of the inner loop.
    const end = Math.min(i + 3800, bytes.length);
    for (; i < end; i++) {
      a += bytes[i] as number;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC_TABLE[(c ^ byte) & 255] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

/** Rows with their filter byte: None, Sub or Up, whichever leaves the smallest sum of |residual|. */
function filterRows({ width, height, channels, data }: PixelImage): Uint8Array {
  const stride = width * channels;
  const out = new Uint8Array(height * (stride + 1));
  const trial = [new Uint8Array(stride), new Uint8Array(stride), new Uint8Array(stride)] as const;
  for (let y = 0; y < height; y++) {
    const sums = [0, 0, 0];
    for (let i = 0; i < stride; i++) {
      const value = data[y * stride + i] as number;
      const left = i >= channels ? (data[y * stride + i - channels] as number) : 0;
      const up = y > 0 ? (data[(y - 1) * stride + i] as number) : 0;
      for (let f = 0; f < 3; f++) {
        const residual = (value - (f === 1 ? left : f === 2 ? up : 0)) & 255;
        (trial[f] as Uint8Array)[i] = residual;
        sums[f] = (sums[f] as number) + Math.min(residual, 256 - residual);
      }
    }
    const best = sums.indexOf(Math.min(...sums));
    out[y * (stride + 1)] = best;
    out.set(trial[best] as Uint8Array, y * (stride + 1) + 1);
  }
  return out;
}

/**
 * A whole PNG file. The same picture and the same `deflate` give the same bytes.
 * @throws {Failure} internal when the picture's data does not fill it.
 */
export function encodePng(image: PixelImage, deflate: Deflate = storedDeflate): Uint8Array {
  requireGiven(image, 'a picture', ['width', 'height', 'data']);
  checkImage(image);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, image.width);
  view.setUint32(4, image.height);
  header[8] = 8;
  header[9] = image.channels === 1 ? 0 : 2;
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflate(filterRows(image))),
    chunk('IEND', new Uint8Array(0)),
  ];
  return joinBytes(parts);
}
