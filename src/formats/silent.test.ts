/** P4: text planted in every byte of a header that is free, in extensions, footers and gzip fields does not come back. */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Failure } from '../errors/errors.js';
import { nodeGzip } from '../node/gzip.js';
import { decodeImage, encodeImage } from './stored-image.js';
import { OBLIQUE, rawMgh, rawNifti } from './testing/raw-images.js';

const NAME = 'DOE^JANE';

async function rewritten(bytes: Uint8Array, name: string, description?: string): Promise<Buffer> {
  const image = await decodeImage({ name: 'x', bytes }, nodeGzip);
  const options = description === undefined ? { name } : { name, description };
  const out = await encodeImage(image, image.stored, nodeGzip, options);
  return Buffer.concat(out.map((file) => file.bytes));
}

/** Bytes of the header that no reader of the geometry, type or scaling needs, by the standards. */
const FREE_1: readonly [number, number][] = [
  [4, 39],
  [56, 70],
  [74, 76],
  [96, 108],
  [120, 123],
  [124, 252],
  [328, 344],
];
const FREE_2: readonly [number, number][] = [
  [80, 104],
  [144, 168],
  [192, 240],
  [240, 344],
  [496, 500],
  [504, 524],
  [525, 540],
];

describe('a written NIfTI header', () => {
  it.each([1, 2] as const)('of version %d is zero where the standard leaves room', async (version) => {
    const free = version === 1 ? FREE_1 : FREE_2;
    const start = version === 1 ? 352 : 544;
    const planted = rawNifti({
      version,
      extension: Buffer.from(NAME.repeat(8)),
      patch: (view) => {
        for (const [from, to] of free)
          for (let i = from; i < to; i++) view.setUint8(i, NAME.charCodeAt((i - from) % NAME.length));
      },
    });
    expect(Buffer.from(planted).includes(NAME)).toBe(true);
    const out = await rewritten(planted, 'y.nii');
    for (const [from, to] of free)
      expect([from, out.subarray(from, to).every((byte) => byte === 0)]).toEqual([from, true]);
    expect(out.subarray(0, start).toString('latin1')).not.toMatch(/DOE|JANE/);
    expect(out.length).toBe(planted.length - 64);
  });

  it('drops numbers of a form without code, unless they repeat the grid', async () => {
    const planted = rawNifti({ quaternion: [0.1, 0.2, 0.3], qoffset: [741.5, 2, 3] });
    expect((await rewritten(planted, 'y.nii')).subarray(256, 280).every((byte) => byte === 0)).toBe(true);

    const qform = { quaternion: [0, 0, 0], qoffset: [-1, -2, -3], pixdim: [1, 2, 2, 2, 0, 0, 0, 0] };
    const srow = [2, 0, 0, -1, 0, 2, 0, -2, 0, 0, 2, -3];
    const repeated = rawNifti({ ...qform, srow });
    expect((await rewritten(repeated, 'y.nii')).subarray(256, 328).equals(repeated.subarray(256, 328))).toBe(
      true,
    );

    const unused = rawNifti({ ...qform, qformCode: 1, sformCode: 0, srow: OBLIQUE });
    expect((await rewritten(unused, 'y.nii')).subarray(280, 328).every((byte) => byte === 0)).toBe(true);
  });

  it('drops counts and sizes of axes that are not there, and of a NaN in the scaling what it could spell', async () => {
    const out = await rewritten(
      rawNifti({
        pixdim: [3, 1, 1, 1, 2.3, 4, 5, 6],
        units: 0xff,
        patch: (v) => {
          v.setInt16(50, 0x4f44, true);
          for (const at of [112, 116]) v.setUint32(at, 0x7fc4_4f45, true);
        },
      }),
      'y.nii',
    );
    const dims = Array.from({ length: 8 }, (_, i) => out.readInt16LE(40 + 2 * i));
    expect(dims).toEqual([3, 9, 10, 8, 1, 1, 1, 1]);
    const sizes = Array.from({ length: 8 }, (_, i) => out.readFloatLE(76 + 4 * i));
    expect(sizes).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    expect(out.subarray(112, 120).toString('hex')).toBe('0000c07f0000c07f');
    expect(out.readUInt8(123)).toBe(0x3f);
  });

  it('names the program where asked to, and nothing that is not plain text', async () => {
    const out = await rewritten(rawNifti(), 'y.nii', 'prosopon 0.1.0');
    expect(out.subarray(148, 228).toString('latin1').replace(/\0+$/, '')).toBe('prosopon 0.1.0');
    await expect(rewritten(rawNifti(), 'y.nii', 'a\nb')).rejects.toBeInstanceOf(Failure);
    await expect(rewritten(rawNifti(), 'y.nii', 'x'.repeat(80))).rejects.toBeInstanceOf(Failure);
  });
});

describe('a written file', () => {
  it('has no footer, no tags and no degrees of freedom (MGH)', async () => {
    const planted = rawMgh({ footer: Buffer.from(`....................mri_convert /data/${NAME}.dcm`) });
    planted.set(Buffer.from(NAME), 100);
    planted.set([1, 2, 3, 4], 24);
    const out = await rewritten(planted, 'y.mgh');
    expect(out.toString('latin1')).not.toContain(NAME);
    expect(out.subarray(90, 284).every((byte) => byte === 0)).toBe(true);
    expect(out.readInt32BE(24)).toBe(0);
    const unused = rawMgh({ goodRas: 0, centre: [741.5, 2, 3] });
    expect((await rewritten(unused, 'y.mgh')).subarray(28, 284).every((byte) => byte === 0)).toBe(true);
  });

  it('has no name, time or comment in its gzip header', async () => {
    const packed = gzipSync(rawNifti(), { strategy: constants.Z_DEFAULT_STRATEGY });
    const flags = Buffer.from(packed.subarray(0, 10));
    flags.writeUInt8(0x08 | 0x10, 3);
    flags.writeUInt32LE(1_700_000_000, 4);
    const named = Buffer.concat([flags, Buffer.from(`${NAME}.nii\0${NAME}\0`), packed.subarray(10)]);
    expect(gunzipSync(named).length).toBe(rawNifti().length);
    for (const name of ['y.nii.gz', `${NAME}.hdr.gz`]) {
      const out = await rewritten(named, name);
      expect(out.includes(NAME)).toBe(false);
      expect([...out.subarray(3, 8)]).toEqual([0, 0, 0, 0, 0]);
    }
  });
});
