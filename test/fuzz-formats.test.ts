/**
 * Thousands of damaged images, the same ones in every run: each is read or refused, never anything else; what is
 * read can be written and read again.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isRefusal, type RefusalTag } from '../src/errors/errors.js';
import { decodeImage, encodeImage, type ImageFiles, type StoredImage } from '../src/formats/stored-image.js';
import { type RawNifti, rawMgh, rawNifti, rawNiftiParts } from '../src/formats/testing/raw-images.js';
import { nodeGzip } from '../src/node/gzip.js';

const CASES = 4000;
const SEED = 20261122;

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
type Draw = (below: number) => number;

const BASES: readonly RawNifti[] = [
  {},
  { littleEndian: false },
  { version: 2, datatype: 'float32', slope: 2 },
  { version: 2, littleEndian: false, datatype: 'int64', dim: [8, 8, 8, 2] },
  { datatype: 'float64', sformCode: 0, qformCode: 1, quaternion: [0.1, 0.2, 0.3], qoffset: [1, 2, 3] },
  { datatype: 'uint8', extension: new Uint8Array(64).fill(65), dim: [9, 9, 9, 1, 1] },
  { datatype: 'uint16', sformCode: 0 },
];
const pick = <T>(draw: Draw, list: readonly T[]): T => list[draw(list.length)] as T;

/** The numbers that break readers, as bytes in either order. */
const NASTY: readonly (readonly number[])[] = [
  [0, 0],
  [0xff, 0xff],
  [0xff, 0x7f],
  [0x7f, 0xff],
  [0, 0x80],
  [0, 0, 0xc0, 0x7f],
  [0x7f, 0xc0, 0, 0],
  [0, 0, 0x80, 0x7f],
  [0xff, 0x80, 0, 0],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0, 0, 0, 0, 0],
];
/** Where fields stand: dim, datatype, bitpix, pixdim, vox_offset, scaling, codes, forms of both versions; MGH's. */
const HOT = [
  0, 4, 8, 12, 14, 16, 20, 24, 28, 30, 34, 40, 42, 44, 46, 48, 50, 70, 72, 76, 78, 80, 84, 88, 104, 108, 112,
  116, 123, 168, 176, 184, 252, 254, 256, 268, 280, 284, 300, 344, 348, 352, 376, 400, 408, 500, 524,
];

function mutated(draw: Draw, source: Uint8Array, headerBytes: number): Uint8Array {
  let bytes = Uint8Array.from(source);
  for (let i = draw(4); i >= 0; i--) {
    switch (draw(8)) {
      case 0:
      case 1:
        for (let k = draw(8); k >= 0; k--) bytes[draw(Math.min(headerBytes, bytes.length))] = draw(256);
        break;
      case 2:
      case 3: {
        const at = pick(draw, HOT);
        const value = pick(draw, NASTY);
        if (at + value.length <= bytes.length) bytes.set(value, at);
        break;
      }
      case 4: {
        const at = draw(Math.min(headerBytes, bytes.length));
        bytes[at] = (bytes[at] as number) ^ (1 << draw(8));
        break;
      }
      case 5:
        if (draw(3) === 0) bytes = bytes.slice(0, draw(2) === 0 ? draw(bytes.length + 1) : draw(600));
        break;
      case 6:
        if (draw(3) === 0) bytes = Uint8Array.from([...bytes, ...new Uint8Array(draw(2000)).fill(draw(256))]);
        break;
      case 7:
        // Plausible but wrong: one dimension a little off.
        bytes[40 + 2 * (1 + draw(4))] = 1 + draw(12);
        break;
    }
    if (bytes.length === 0) break;
  }
  return bytes;
}

function fuzzedFiles(draw: Draw): ImageFiles {
  const name = 'x';
  const kind = draw(10);
  if (kind < 2) {
    const footer = new Uint8Array(draw(40)).fill(draw(256));
    return [{ name, bytes: packed(draw, mutated(draw, rawMgh({ footer }), 90)) }];
  }
  if (kind === 2) {
    const { header, voxels } = rawNiftiParts({ ...pick(draw, BASES), pair: true });
    const bytes = packed(draw, mutated(draw, header, header.length));
    if (draw(12) === 0) return [{ name, bytes }];
    const voxelBytes = packed(draw, draw(4) === 0 ? voxels.slice(draw(voxels.length)) : voxels);
    return [
      { name, bytes },
      { name, bytes: voxelBytes },
    ];
  }
  const raw = pick(draw, BASES);
  return [{ name, bytes: packed(draw, mutated(draw, rawNifti(raw), raw.version === 2 ? 544 : 352)) }];
}

/** Plain, or compressed: well, in members, cut off, damaged, padded. */
function packed(draw: Draw, bytes: Uint8Array): Uint8Array {
  if (draw(2) === 0) return bytes;
  const gz = gzipSync(bytes, { level: 1 });
  switch (draw(8)) {
    case 0:
      return gz.subarray(0, draw(gz.length + 1));
    case 1:
    case 2: {
      const damaged = Uint8Array.from(gz);
      for (let k = draw(3); k >= 0; k--) damaged[draw(damaged.length)] = draw(256);
      return damaged;
    }
    case 3: {
      const at = draw(bytes.length + 1);
      return Buffer.concat([gzipSync(bytes.subarray(0, at)), gzipSync(bytes.subarray(at))]);
    }
    case 4:
      return Buffer.concat([gz, new Uint8Array(draw(300)).fill(draw(3))]);
    default:
      return gz;
  }
}

async function outcome(files: ImageFiles): Promise<StoredImage | RefusalTag> {
  try {
    return await decodeImage(files, nodeGzip);
  } catch (error) {
    if (isRefusal(error)) return error.tag;
    throw error;
  }
}

describe('damaged images', () => {
  it(`${CASES} of them are read or refused, and what is read can be written`, {
    timeout: 120_000,
  }, async () => {
    const draw = generator(SEED);
    const seen = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      const result = await outcome(fuzzedFiles(draw)).catch((cause: unknown) => {
        throw new Error(`case ${i} ended in neither an image nor a refusal`, { cause });
      });
      const label = typeof result === 'string' ? result : 'read';
      seen.set(label, (seen.get(label) ?? 0) + 1);
      if (typeof result === 'string') continue;
      const name = result.format === 'mgh' ? 'y.mgz' : 'y.nii.gz';
      const written = await encodeImage(result, result.stored, nodeGzip, { name });
      const again = await decodeImage(written, nodeGzip);
      expect([i, again.grid, again.scaling]).toEqual([i, result.grid, result.scaling]);
      expect(again.stored).toEqual(result.stored);
      // A second pass has nothing left to drop.
      const twice = await encodeImage(again, again.stored, nodeGzip, { name });
      expect(gunzipSync(twice[0].bytes).equals(gunzipSync(written[0].bytes))).toBe(true);
    }
    // The cases reach deep enough to say something: many are read, and each kind of refusal occurs.
    expect(seen.get('read')).toBeGreaterThan(CASES / 10);
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining([
        'not-an-image',
        'truncated',
        'corrupt',
        'header-invalid',
        'datatype-unsupported',
        'too-large',
        'geometry-invalid',
        'not-3d',
        'not-readable',
      ]),
    );
    if (process.env.FUZZ_VERBOSE !== undefined) console.info(Object.fromEntries(seen));
  });
});
