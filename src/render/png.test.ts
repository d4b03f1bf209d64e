import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync, crc32 as nodeCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeDeflate } from '../node/deflate.js';
import type { PixelImage } from './image.js';
import { encodePng, storedDeflate } from './png.js';

/** Decodes from the specification alone, every filter included; checks each CRC against zlib's own. */
function decodePng(bytes: Uint8Array): { image: PixelImage; chunks: string[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: string[] = [];
  const parts: Uint8Array[] = [];
  let [width, height, colour] = [0, 0, 0];
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const type = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    expect(view.getUint32(at + 8 + length)).toBe(crc(bytes.subarray(at + 4, at + 8 + length)));
    chunks.push(type);
    if (type === 'IHDR') {
      [width, height, colour] = [view.getUint32(at + 8), view.getUint32(at + 12), bytes[at + 17] as number];
      expect([...bytes.subarray(at + 16, at + 21)]).toEqual([8, colour, 0, 0, 0]);
    }
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const channels = colour === 2 ? 3 : 1;
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  expect(raw.length).toBe(height * (stride + 1));
  const data = new Uint8Array(height * stride);
  const pixel = (x: number, y: number): number => (x < 0 || y < 0 ? 0 : (data[y * stride + x] as number));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < stride; x++) {
      const [left, up, corner] = [pixel(x - channels, y), pixel(x, y - 1), pixel(x - channels, y - 1)];
      const guess = left + up - corner;
      const distances = [left, up, corner].map((v) => Math.abs(guess - v));
      const paeth = [left, up, corner][distances.indexOf(Math.min(...distances))] as number;
      const predicted = [0, left, up, (left + up) >> 1, paeth][raw[y * (stride + 1)] as number] as number;
      data[y * stride + x] = (raw[y * (stride + 1) + 1 + x] as number) + predicted;
    }
  return { image: { width, height, channels, data }, chunks };
}

/** zlib.crc32 came with Node 20.15; the test says so where it is missing. */
function crc(bytes: Uint8Array): number {
  expect(nodeCrc32, 'this test needs zlib.crc32 (Node 20.15)').toBeTypeOf('function');
  return nodeCrc32(bytes);
}

const pictures: fc.Arbitrary<PixelImage> = fc
  .record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    channels: fc.constantFrom(1 as const, 3 as const),
    smooth: fc.boolean(),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
  })
  .map(({ width, height, channels, smooth, seed }) => ({
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) =>
      smooth ? (i * 3 + seed) & 255 : Math.imul(i + seed, 2654435761) >>> 24,
    ),
  }));

describe('encodePng', () => {
  it.each([
    ['zlib', nodeDeflate],
    ['stored blocks', storedDeflate],
  ] as const)('comes back as it was, with %s', (_name, deflate) => {
    fc.assert(
      fc.property(pictures, (image) => {
        expect(decodePng(encodePng(image, deflate)).image).toEqual(image);
      }),
      { numRuns: 60 },
    );
  });

  it('stores more than one block of 65535 bytes', () => {
    const image: PixelImage = { width: 400, height: 200, channels: 1, data: new Uint8Array(80_000).fill(7) };
    expect(Buffer.compare(decodePng(encodePng(image)).image.data, image.data)).toBe(0);
  });

  it('has no chunk but the three that it must have', () => {
    const image: PixelImage = { width: 2, height: 1, channels: 1, data: Uint8Array.of(1, 2) };
    expect(decodePng(encodePng(image, nodeDeflate)).chunks).toEqual(['IHDR', 'IDAT', 'IEND']);
  });

  it('refuses a picture that its data does not fill', () => {
    expect(() => encodePng({ width: 3, height: 3, channels: 3, data: new Uint8Array(26) })).toThrow(
      /27 bytes, found 26/,
    );
  });

  it('is read by another decoder', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'prosopon-png-'));
    try {
      for (const channels of [1, 3] as const) {
        const data = Uint8Array.from({ length: 31 * 17 * channels }, (_, i) => (i * i) >> 3);
        writeFileSync(
          join(folder, `${channels}.png`),
          encodePng({ width: 31, height: 17, channels, data }, nodeDeflate),
        );
      }
      const script = `
import sys
try:
    import numpy as np, matplotlib.image as im
except ImportError:
    print('absent'); sys.exit()
for c in (1, 3):
    a = np.rint(im.imread(sys.argv[1] + '/%d.png' % c) * 255).astype(np.uint8).ravel()
    e = ((np.arange(31 * 17 * c, dtype=np.int64) ** 2) >> 3).astype(np.uint8)
    print(np.array_equal(a, e))`;
      let said: string;
      try {
        said = execFileSync('python3', ['-c', script, folder], { encoding: 'utf8' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        said = 'absent';
      }
      if (said.startsWith('absent')) context.skip('no python3 with numpy and matplotlib here');
      expect(said.split('\n').slice(0, 2)).toEqual(['True', 'True']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
