/** The second lock on headers: what the writer makes passes, and every way in which it could be wrong does not. */
import { describe, expect, it } from 'vitest';
import { nodeGzip } from '../node/gzip.js';
import { auditHeaders } from './codecs.js';
import type { Field } from './fields.js';
import { NIFTI1, NIFTI2, type NiftiField } from './nifti/layout.js';
import { decodeImage, encodeImage, type StoredImage } from './stored-image.js';
import { type RawNifti, rawNifti } from './testing/raw-images.js';

const read = (raw: RawNifti): Promise<StoredImage> =>
  decodeImage({ name: 'x', bytes: rawNifti(raw) }, nodeGzip);

async function rewritten(image: StoredImage): Promise<StoredImage> {
  const description = 'program 1';
  const files = await encodeImage(image, image.stored, nodeGzip, { name: 'y.nii', description });
  return decodeImage(files, nodeGzip);
}

/** An image whose header was changed after it was read. */
function altered(image: StoredImage, change: (header: DataView) => void): StoredImage {
  const header = Uint8Array.from(image.files[0].header);
  change(new DataView(header.buffer));
  return { ...image, files: [{ header }] };
}

const VARIANTS = [1, 2].flatMap((version) =>
  [true, false].map((littleEndian) => ({ version: version as 1 | 2, littleEndian })),
);
const SCALINGS = [0, -0, Number.NaN, Number.POSITIVE_INFINITY].flatMap((slope) =>
  [0, 5, Number.NaN, Number.NEGATIVE_INFINITY].map((intercept) => ({ slope, intercept })),
);

describe.each(VARIANTS)('a header of version $version, little endian: $littleEndian', (variant) => {
  const [slopeAt, interceptAt, wide] = variant.version === 1 ? [112, 116, false] : [176, 184, true];
  const put = (view: DataView, at: number, value: number): void =>
    wide
      ? view.setFloat64(at, value, variant.littleEndian)
      : view.setFloat32(at, value, variant.littleEndian);

  it('passes as the writer makes it, with any scaling', async () => {
    for (const scaling of [...SCALINGS, { slope: 0.37, intercept: -12.5 }]) {
      const original = await read({ ...variant, ...scaling });
      const result = await rewritten(original);
      expect(auditHeaders(original, result, 'program 1')).toEqual({ sameGeometry: true, strayBytes: 0 });
    }
  });

  it('does not pass with another slope or intercept, also where no scaling is in force', async () => {
    for (const scaling of SCALINGS) {
      const original = await read({ ...variant, ...scaling });
      const result = await rewritten(original);
      for (const at of [slopeAt, interceptAt]) {
        const other = altered(result, (view) => put(view, at, 1.5));
        expect(auditHeaders(original, other, 'program 1').sameGeometry).toBe(false);
      }
    }
  });

  it('does not pass with words in a NaN', async () => {
    const original = await read({ ...variant, slope: Number.NaN, intercept: Number.NaN });
    const result = await rewritten(original);
    for (const at of [slopeAt, interceptAt]) {
      const last = variant.littleEndian ? at : at + (wide ? 7 : 3);
      const wordy = altered(result, (view) => view.setUint8(last, 0x4a));
      expect(auditHeaders(original, wordy, 'program 1')).toEqual({ sameGeometry: true, strayBytes: 1 });
      // The original may have them.
      expect(auditHeaders(wordy, result, 'program 1')).toEqual({ sameGeometry: true, strayBytes: 0 });
    }
  });

  it('does not pass with another description or a byte in a free field', async () => {
    const original = await read(variant);
    const result = await rewritten(original);
    expect(auditHeaders(original, result, 'program 2').strayBytes).toBe(1);
    const stray = altered(result, (view) => view.setUint8(wide ? 504 : 228, 65));
    expect(auditHeaders(original, stray, 'program 1').strayBytes).toBe(1);
  });
});

describe.each(VARIANTS)(
  'a writer with a wrong table, version $version, little endian: $littleEndian',
  (variant) => {
    const { fields } = variant.version === 1 ? NIFTI1 : NIFTI2;
    /** Bytes that are zero in the original: aux_file, and of NIFTI-2 the display range and slice timing. */
    const elsewhere = variant.version === 1 ? 228 : 192;
    const broken: readonly NiftiField[] = [
      'datatype',
      'bitpix',
      'dim',
      'pixdim',
      'slope',
      'intercept',
      'qformCode',
      'sformCode',
      'quaternion',
      'qoffset',
      'srow',
    ];

    it.each(broken)('is found out where it misplaces %s', async (name) => {
      const original = await read({
        ...variant,
        slope: 0.37,
        intercept: -12.5,
        pixdim: [-1, 0.93, 0.96, 1.22, 1, 1, 1, 1],
        qformCode: 1,
        quaternion: [0.1, 0.2, 0.3],
        qoffset: [1, 2, 3],
        srow: [0.9, -0.1, 0.2, -80, 0.12, 0.95, -0.1, -100, 0.2, -0.1, -1.2, -60],
        sformCode: 1,
      });
      const written = async (): Promise<StoredImage> => {
        const files = await encodeImage(original, original.stored, nodeGzip, {
          name: 'y.nii',
          description: 'program 1',
        });
        const header = files[0].bytes.slice(0, variant.version === 1 ? 348 : 540);
        return { ...original, files: [{ header }] };
      };
      expect(auditHeaders(original, await written(), 'program 1').sameGeometry).toBe(true);
      const table = fields as Record<NiftiField, Field>;
      const right = table[name];
      table[name] = { ...right, at: elsewhere };
      try {
        // The table stays broken for whatever else reads it.
        expect(auditHeaders(original, await written(), 'program 1').sameGeometry).toBe(false);
      } finally {
        table[name] = right;
      }
    });

    it('is found out where it writes to a free field, and where it turns the third axis over', async () => {
      const original = await read({
        ...variant,
        qformCode: 1,
        sformCode: 0,
        pixdim: [-1, 0.93, 0.96, 1.22, 1, 1, 1, 1],
        quaternion: [0.1, 0.2, 0.3],
      });
      const result = await rewritten(original);
      expect(auditHeaders(original, result, 'program 1')).toEqual({ sameGeometry: true, strayBytes: 0 });
      const turned = altered(result, (view) =>
        variant.version === 1
          ? view.setFloat32(76, 1, variant.littleEndian)
          : view.setFloat64(104, 1, variant.littleEndian),
      );
      expect(auditHeaders(original, turned, 'program 1').sameGeometry).toBe(false);
    });
  },
);
