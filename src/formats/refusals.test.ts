/** Every way in which an input can be unusable has its own refusal, in one sentence that says expected and found. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Refusal, type RefusalTag } from '../errors/errors.js';
import { nodeGzip } from '../node/gzip.js';
import { decodeImage, encodeImage } from './stored-image.js';
import { OBLIQUE, type RawNifti, rawMgh, rawNifti, rawNiftiParts } from './testing/raw-images.js';

async function refusalOf(action: Promise<unknown>): Promise<Refusal> {
  const error = await action.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
}

async function expectRefusal(bytes: Uint8Array, tag: RefusalTag, found: RegExp): Promise<void> {
  const refusal = await refusalOf(decodeImage({ name: 'secret-name.nii.gz', bytes }, nodeGzip));
  expect([refusal.tag, refusal.message]).toEqual([tag, expect.stringMatching(found)]);
  expect(refusal.message).toMatch(/^expected .*, found /s);
  expect(refusal.message).not.toMatch(/\n|secret|\. /);
}

const at32 = (at: number, value: number) => (view: DataView) => view.setFloat32(at, value, true);
const at16 = (at: number, value: number) => (view: DataView) => view.setInt16(at, value, true);
const row = (change: (srow: number[]) => void): number[] => {
  const srow = [...OBLIQUE];
  change(srow);
  return srow;
};

const HEADERS: readonly [string, RawNifti, RefusalTag, RegExp][] = [
  ['one dimension', { dim: [9] }, 'not-3d', /1 dimensions 9/],
  ['a 2-D image', { dim: [9, 9] }, 'not-3d', /2 dimensions 9 x 9/],
  ['a single slice', { dim: [9, 9, 1] }, 'not-3d', /9 x 9 x 1/],
  ['a slab', { dim: [9, 7, 9] }, 'not-3d', /9 x 7 x 9/],
  ['vectors', { dim: [8, 8, 8, 1, 3] }, 'not-3d', /8 x 8 x 8 x 1 x 3/],
  ['no dimensions', { patch: at16(40, 0) }, 'header-invalid', /dim\[0\] = 0/],
  ['eight dimensions', { patch: at16(40, 8) }, 'header-invalid', /dim\[0\] = 8/],
  ['a negative dimension', { patch: at16(44, -5) }, 'header-invalid', /-5/],
  ['a dimension of zero', { patch: at16(46, 0) }, 'header-invalid', /9 x 10 x 0/],
  ['a wrong header size', { patch: (v) => v.setInt32(0, 340, true) }, 'header-invalid', /sizeof_hdr 340/],
  [
    'half a byte order',
    { patch: (v) => v.setInt16(40, 3, false) },
    'header-invalid',
    /sizeof_hdr 1543569408/,
  ],
  ['complex voxels', { patch: at16(70, 32) }, 'datatype-unsupported', /complex64/],
  ['RGB voxels', { patch: at16(70, 128) }, 'datatype-unsupported', /RGB24/],
  ['RGBA voxels', { patch: at16(70, 2304) }, 'datatype-unsupported', /RGBA32/],
  ['128-bit voxels', { patch: at16(70, 1536) }, 'datatype-unsupported', /float128/],
  ['128-bit complex voxels', { patch: at16(70, 1792) }, 'datatype-unsupported', /complex128/],
  ['256-bit complex voxels', { patch: at16(70, 2048) }, 'datatype-unsupported', /complex256/],
  ['single bits', { patch: at16(70, 1) }, 'datatype-unsupported', /binary/],
  ['an unheard-of type', { patch: at16(70, 77) }, 'datatype-unsupported', /77/],
  [
    'a bitpix of another type',
    { patch: at16(72, 8) },
    'header-invalid',
    /bitpix 16 beside datatype 4 .*bitpix 8: the two contradict each other$/,
  ],
  [
    'int32 as NiiVue saves it: float64 with bitpix 32',
    { datatype: 'float64', patch: at16(72, 32) },
    'header-invalid',
    /bitpix 64 beside datatype 64 .*bitpix 32: the two contradict each other \(NiiVue/,
  ],
  ['an offset of NaN', { patch: at32(108, Number.NaN) }, 'header-invalid', /NaN/],
  ['an infinite offset', { patch: at32(108, Number.POSITIVE_INFINITY) }, 'header-invalid', /Infinity/],
  ['a negative offset', { patch: at32(108, -352) }, 'header-invalid', /-352/],
  ['a broken offset', { patch: at32(108, 352.5) }, 'header-invalid', /352.5/],
  ['an offset inside the header', { patch: at32(108, 100) }, 'header-invalid', /100/],
  ['an offset of gigabytes', { patch: at32(108, 2 ** 33) }, 'too-large', /8589934592/],
  ['an offset past the end', { patch: at32(108, 2 ** 20) }, 'truncated', /1792/],
  ['2^45 voxels', { patch: (v) => [42, 44, 46].map((at) => at16(at, 32767)(v)) }, 'too-large', /32767/],
  [
    'too many volumes',
    { dim: [8, 8, 8, 2], patch: (v) => [42, 44, 46, 48].map((at, i) => at16(at, i < 3 ? 512 : 30)(v)) },
    'too-large',
    /512 x 512 x 512 x 30/,
  ],
  ['more voxels than bytes', { patch: at16(46, 9) }, 'truncated', /1972.* 1792/],
  [
    'an infinite affine',
    { srow: row((s) => s.fill(Number.POSITIVE_INFINITY, 3, 4)) },
    'geometry-invalid',
    /not/,
  ],
  ['an affine of NaN', { srow: row((s) => s.fill(Number.NaN, 0, 1)) }, 'geometry-invalid', /not/],
  ['an affine of zeros', { srow: row((s) => s.fill(0)) }, 'geometry-invalid', /0.* x 0.* mm|0.00/],
  ['a flat affine', { srow: [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0] }, 'geometry-invalid', /no volume/],
  ['voxels of a metre', { srow: OBLIQUE.map((v) => v * 1000) }, 'geometry-invalid', /mm/],
  [
    'a quaternion of no rotation',
    { sformCode: 0, qformCode: 1, quaternion: [1, 1, 0] },
    'geometry-invalid',
    /2$/,
  ],
  [
    'a quaternion of NaN',
    { sformCode: 0, qformCode: 1, quaternion: [Number.NaN, 0, 0] },
    'geometry-invalid',
    /NaN/,
  ],
  [
    'a negative voxel size',
    { sformCode: 0, qformCode: 1, pixdim: [1, -1, 1, 1] },
    'geometry-invalid',
    /-1, 1, 1/,
  ],
  ['voxel sizes of zero', { sformCode: 0, pixdim: [1, 0, 1, 1] }, 'geometry-invalid', /0, 1, 1/],
  ['voxel sizes of NaN', { pixdim: [1, Number.NaN, 1, 1] }, 'geometry-invalid', /NaN/],
  ['an unknown form code', { sformCode: 77 }, 'header-invalid', /sform_code.* 77/],
  ['a slope without intercept', { slope: 2, intercept: Number.NaN }, 'header-invalid', /scl_inter.* NaN/],
  ['zeros', { values: [0] }, 'no-signal', /0 everywhere/],
  ['one value', { values: [41], datatype: 'uint64' }, 'no-signal', /41 everywhere/],
  ['NaN only', { values: [Number.NaN], datatype: 'float32' }, 'no-signal', /none that is finite/],
  ['NaN and zeros', { values: [Number.NaN, 0], datatype: 'float64' }, 'no-signal', /0 everywhere/],
];

describe('NIfTI that is refused', () => {
  it.each(HEADERS)('%s', async (_name, raw, tag, found) => {
    await expectRefusal(rawNifti(raw), tag, found);
    await expectRefusal(gzipSync(rawNifti(raw)), tag, tag === 'truncated' ? / / : found);
  });

  it('a file that ends early, at any byte', async () => {
    const bytes = rawNifti();
    for (const length of [1, 3, 4, 40, 347, 348, 351, 352, 353, bytes.length - 1])
      expect(
        (await refusalOf(decodeImage({ name: 'x', bytes: bytes.subarray(0, length) }, nodeGzip))).tag,
      ).toBe(length < 4 ? 'not-an-image' : 'truncated');
  });

  it('a file that goes on for more than a megabyte', async () => {
    const long = Buffer.concat([rawNifti(), Buffer.alloc(2 ** 20 + 1)]);
    await expectRefusal(long, 'header-invalid', /1050369/);
    await expectRefusal(gzipSync(long), 'header-invalid', /more than/);
    const padded = Buffer.concat([rawNifti(), Buffer.alloc(4096)]);
    await expect(decodeImage({ name: 'x', bytes: padded }, nodeGzip)).resolves.toMatchObject({ volumes: 1 });
  });

  it('a pair without its voxels, or with too few of them', async () => {
    const { header, voxels } = rawNiftiParts({ pair: true });
    await expectRefusal(header, 'not-readable', /none/);
    const short = [
      { name: 'x', bytes: header },
      { name: 'y', bytes: voxels.subarray(1) },
    ] as const;
    expect((await refusalOf(decodeImage(short, nodeGzip))).tag).toBe('truncated');
  });

  it('a NIfTI-2 file that went through a text-mode copy', async () => {
    const bytes = rawNifti({ version: 2, patch: (v) => v.setUint8(8, 10) });
    await expectRefusal(bytes, 'not-an-image', /magic/);
  });
});

describe('gzip that is refused', () => {
  const packed = gzipSync(rawNifti());
  it('a wrong checksum', async () => {
    const wrong = Buffer.from(packed);
    wrong.writeUInt8(wrong.readUInt8(wrong.length - 6) ^ 1, wrong.length - 6);
    await expectRefusal(wrong, 'corrupt', /incorrect data check/);
  });
  it('one that breaks off', async () => {
    for (const length of [3, 10, 11, packed.length - 8, packed.length - 1])
      expect(
        (await refusalOf(decodeImage({ name: 'x', bytes: packed.subarray(0, length) }, nodeGzip))).tag,
      ).toMatch(/truncated|not-an-image/);
  });
  it('a small file that claims gigabytes, without taking memory for it', async () => {
    const lying = rawNifti({ patch: (v) => [42, 44, 46].map((at) => at16(at, 600)(v)) });
    const before = process.memoryUsage().arrayBuffers;
    await expectRefusal(gzipSync(lying), 'truncated', /432000352 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });
  it('a bomb: no further than the header says', async () => {
    const bomb = gzipSync(Buffer.concat([rawNifti(), Buffer.alloc(2 ** 27)]));
    await expectRefusal(bomb, 'header-invalid', /more than/);
  });
});

describe('other files that are refused', () => {
  it.each<[string, Uint8Array, RefusalTag, RegExp]>([
    ['empty', new Uint8Array(0), 'not-an-image', /empty file/],
    ['text', Buffer.from('hello '.repeat(200)), 'not-an-image', /neither/],
    [
      'DICOM',
      Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(900)]),
      'not-an-image',
      /DICOM/,
    ],
    ['Analyze 7.5', rawNifti({ patch: (v) => v.setInt32(344, 0) }), 'not-an-image', /Analyze/],
    ['MGH cut off', rawMgh().subarray(0, 100), 'truncated', /100 bytes/],
    ['MGH with too few voxels', rawMgh().subarray(0, 1000), 'truncated', /1000/],
    ['MGH of a negative size', rawMgh({ dims: [8, 8, 8, 1] }).fill(255, 4, 8), 'header-invalid', /-1/],
    ['MGH tensors', rawMgh({ type: 6 }), 'datatype-unsupported', /tensor/],
    ['MGH slice', rawMgh({ dims: [9, 9, 1, 1] }), 'not-3d', /9 x 9 x 1/],
    ['MGH without extent', rawMgh({ delta: [0, 0, 0] }), 'geometry-invalid', /mm/],
    ['MGH of zeros', rawMgh({ values: [0] }), 'no-signal', /0 everywhere/],
  ])('%s', async (_name, bytes, tag, found) => {
    await expectRefusal(bytes, tag, found);
  });

  // The first 16 bytes of a NIfTI image as bzip2, xz, zstd and Info-ZIP pack it.
  it.each([
    ['bzip2', '425a6839314159265359732950d70001', /compressed with bzip2: unpack it first \(bunzip2\)$/],
    ['xz', 'fd377a585a000004e6d6b44602002101', /compressed with xz: unpack it first \(unxz\)$/],
    ['Zstandard', '28b52ffd6400068d2900da5b28143740', /Zstandard: unpack it first \(unzstd\)$/],
    ['zip', '504b030414000000080045947c5d9de0', /found a zip archive: unpack it first \(unzip\)$/],
  ])('one packed with %s', async (_name, hex, found) => {
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(2000, 7)]);
    await expectRefusal(bytes, 'not-an-image', found);
    await expectRefusal(gzipSync(bytes), 'not-an-image', found);
  });

  it('one compressed twice, or three times, with gzip', async () => {
    const twice = gzipSync(gzipSync(rawNifti()));
    for (const bytes of [twice, gzipSync(twice)])
      await expectRefusal(bytes, 'not-an-image', /with gzip more than once: unpack it first \(gunzip\)$/);
  });

  it('an output name of another format', async () => {
    const nifti = await decodeImage({ name: 'x', bytes: rawNifti() }, nodeGzip);
    const mgh = await decodeImage({ name: 'x', bytes: rawMgh() }, nodeGzip);
    for (const [image, name] of [
      [nifti, 'y.mgz'],
      [mgh, 'y.nii.gz'],
      [nifti, 'y.png'],
      [nifti, 'nii'],
    ] as const)
      expect((await refusalOf(encodeImage(image, image.stored, nodeGzip, { name }))).tag).toBe(
        'option-invalid',
      );
  });
});
