/** Writing what was read gives back the stored bits, the grid, the codes and the scaling, over all variants. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeGzip } from '../node/gzip.js';
import { DATATYPES, type Datatype } from './datatypes.js';
import { decodeImage, encodeImage } from './stored-image.js';
import { type RawNifti, rawMgh, rawNifti, rawNiftiParts } from './testing/raw-images.js';

const datatype = fc.constantFrom(...(Object.keys(DATATYPES) as Datatype[]));
/** Any bits at all: NaN payloads and negative zeros included. */
const voxelBytes = fc.uint8Array({ minLength: 64, maxLength: 64 });

const rotation = fc
  .tuple(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: 0.05, max: 1, noNaN: true }),
  )
  .map((q) => {
    const length = Math.hypot(...q);
    return q.slice(0, 3).map((v) => v / length);
  });
const edges = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.3, max: 6, noNaN: true })));
const signedPermutation = fc
  .tuple(
    fc.constantFrom([0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]),
    fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(-1, 1))),
    edges,
  )
  .map(([order, signs, mm]) => {
    const srow = new Array<number>(12).fill(0);
    order.forEach((axis, row) => {
      srow[row * 4 + axis] = (signs[axis] ?? 1) * (mm[axis] ?? 1);
      srow[row * 4 + 3] = -50 - row;
    });
    return srow;
  });

const rawImage = fc
  .record({
    version: fc.constantFrom(1 as const, 2 as const),
    littleEndian: fc.boolean(),
    datatype,
    dim: fc.constantFrom([8, 9, 10], [8, 8, 8, 1], [9, 8, 8, 3], [8, 9, 8, 2, 1], [8, 8, 9, 1, 1, 1, 1]),
    slope: fc.constantFrom(0, 1, 0.25, -3, Number.NaN, Number.POSITIVE_INFINITY),
    intercept: fc.constantFrom(0, -1024, 7.5),
    sformCode: fc.constantFrom(0, 1, 2, 4),
    qformCode: fc.constantFrom(0, 1, 3),
    srow: signedPermutation,
    quaternion: rotation,
    qoffset: fc.constantFrom([0, 0, 0], [-90.5, 126, -72]),
    mm: edges,
    qfac: fc.constantFrom(-1, 0, 1),
    units: fc.constantFrom(0, 2, 10),
    extension: fc.constantFrom(0, 16, 20, 64).map((n) => new Uint8Array(n)),
  })
  .map(({ mm, qfac, ...rest }): RawNifti => ({ ...rest, pixdim: [qfac, ...mm, 2.5, 1, 1, 1] }));

describe('NIfTI, written as it was read', () => {
  it('keeps stored bits, dimensions, voxel sizes, scaling, forms and codes', async () => {
    await fc.assert(
      fc.asyncProperty(rawImage, voxelBytes, fc.boolean(), async (raw, noise, compressed) => {
        const parts = rawNiftiParts(raw);
        for (let i = 0; i < parts.voxels.length; i++) parts.voxels[i] = (noise[i % 64] ?? 0) ^ (i >> 6);
        const file = Buffer.concat([parts.header, parts.voxels]);
        const bytes = compressed ? gzipSync(file) : file;
        const image = await decodeImage({ name: 'x', bytes }, nodeGzip, { allowConstant: true });
        const name = compressed ? 'y.nii.gz' : 'y.nii';
        const [written] = await encodeImage(image, image.stored, nodeGzip, { name });
        const out = Buffer.from(compressed ? gunzipSync(written.bytes) : written.bytes);

        const start = raw.version === 1 ? 352 : 544;
        expect(out.subarray(start).equals(parts.voxels)).toBe(true);
        const ranges = keptRanges(raw);
        for (const [from, to] of ranges)
          expect(out.subarray(from, to).toString('hex')).toBe(file.subarray(from, to).toString('hex'));

        const again = await decodeImage({ name, bytes: written.bytes }, nodeGzip, { allowConstant: true });
        expect(again.grid).toEqual(image.grid);
        expect(again.scaling).toEqual(image.scaling);
        expect([again.volumes, again.datatype, again.littleEndian]).toEqual([
          image.volumes,
          image.datatype,
          image.littleEndian,
        ]);
      }),
      { numRuns: 250, seed: 11 },
    );
  });

  it('moves between single file and pair', async () => {
    const image = await decodeImage({ name: 'x', bytes: rawNifti({ datatype: 'float32' }) }, nodeGzip);
    for (const name of ['y.hdr', 'y.img', 'y.img.gz']) {
      const pair = await encodeImage(image, image.stored, nodeGzip, { name });
      const gz = name.endsWith('.gz') ? '.gz' : '';
      expect(pair.map((file) => file.name)).toEqual([`y.hdr${gz}`, `y.img${gz}`]);
      const again = await decodeImage(pair, nodeGzip);
      expect(again.stored).toEqual(image.stored);
      expect(again.grid).toEqual(image.grid);
    }
  });

  it('writes the same bytes twice, with a gzip header that says nothing', async () => {
    const image = await decodeImage({ name: 'x', bytes: rawNifti() }, nodeGzip);
    const [a, b] = await Promise.all(
      ['a.nii.gz', 'b.nii.gz'].map(
        async (name) => (await encodeImage(image, image.stored, nodeGzip, { name }))[0],
      ),
    );
    expect(a?.bytes).toEqual(b?.bytes);
    expect([...(a?.bytes.subarray(0, 10) ?? [])]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });
});

/** Byte ranges of the header that must come through unchanged, by the standards' tables. */
function keptRanges(raw: RawNifti): [number, number][] {
  const v1 = raw.version === 1;
  const coded: [number, number][] = [v1 ? [112, 120] : [176, 192]];
  if ((raw.qformCode ?? 0) > 0) coded.push(v1 ? [256, 280] : [352, 400]);
  if ((raw.sformCode ?? 0) > 0) coded.push(v1 ? [280, 328] : [400, 496]);
  return v1
    ? [[0, 4], [40, 56], [70, 74], [76, 92], [123, 124], [252, 256], [344, 348], ...coded]
    : [[0, 16], [16, 80], [104, 136], [344, 352], [500, 504], ...coded];
}

describe('MGH, written as it was read', () => {
  it('keeps dimensions, type, geometry and stored bits', async () => {
    const types: [number, Datatype][] = [
      [0, 'uint8'],
      [1, 'int32'],
      [3, 'float32'],
      [4, 'int16'],
      [10, 'uint16'],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.constantFrom(1, 3),
        fc.boolean(),
        fc.constantFrom(0, 1),
        edges,
        async ([type, name], volumes, compressed, goodRas, delta) => {
          const file = rawMgh({
            dims: [8, 9, 10, volumes],
            type,
            datatype: name,
            values: [0, 250, 3, 77],
            goodRas,
            delta,
            footer: Buffer.from('not to be seen again'),
          });
          const bytes = compressed ? gzipSync(file) : file;
          const image = await decodeImage({ name: 'x', bytes }, nodeGzip);
          const [out] = await encodeImage(image, image.stored, nodeGzip, {
            name: compressed ? 'y.mgz' : 'y.mgh',
          });
          const plain = compressed ? gunzipSync(out.bytes) : out.bytes;
          expect(plain.length).toBe(file.length - 20);
          const kept = goodRas === 1 ? 90 : 30;
          expect(Buffer.from(plain.subarray(0, kept)).equals(Buffer.from(file.subarray(0, kept)))).toBe(true);
          expect(Buffer.from(plain.subarray(284)).equals(Buffer.from(file.subarray(284, -20)))).toBe(true);
          const again = await decodeImage({ name: 'y', bytes: out.bytes }, nodeGzip);
          expect(again.grid).toEqual(image.grid);
        },
      ),
      { numRuns: 60, seed: 12 },
    );
  });

  it('takes the centre as the world position of the middle of the grid', async () => {
    const image = await decodeImage({ name: 'x', bytes: rawMgh() }, nodeGzip);
    // dims 9 10 8, delta 1 1.5 2, centre 3 -4 5; axes run left, down, front.
    // biome-ignore format: a matrix reads as rows
    expect(image.grid.affine).toEqual([
      -1, 0, 0, 7.5,
      0, 0, 2, -12,
      0, -1.5, 0, 12.5,
      0, 0, 0, 1,
    ]);
  });
});
