/** scl_slope and scl_inter: what they mean here, and that every other reader finds them as they were. */
import { describe, expect, it } from 'vitest';
import { nodeGzip } from '../node/gzip.js';
import { decodeImage, encodeImage, scaledData } from './stored-image.js';
import { rawNifti } from './testing/raw-images.js';

const NOT_IN_FORCE = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const INTERCEPTS = [...NOT_IN_FORCE, 5, -1024.5];
const IN_FORCE = [1, -2, 0.37, 1e-40];

const combinations = [
  ...NOT_IN_FORCE.flatMap((slope) => INTERCEPTS.map((intercept) => ({ slope, intercept, inForce: false }))),
  ...IN_FORCE.flatMap((slope) =>
    [0, -0, 5, -1024.5].map((intercept) => ({ slope, intercept, inForce: true })),
  ),
];
const VARIANTS = [1, 2].flatMap((version) =>
  [true, false].map((littleEndian) => ({ version: version as 1 | 2, littleEndian })),
);

/** The bytes of both fields, by the standards' tables. */
function fieldBytes(file: Uint8Array, version: 1 | 2): string {
  const [first, end] = version === 1 ? [112, 120] : [176, 192];
  return Buffer.from(file.subarray(first, end)).toString('hex');
}

describe('scaling', () => {
  it.each(combinations)(
    'of slope $slope and intercept $intercept comes back with the same bytes',
    async ({ slope, intercept, inForce }) => {
      for (const variant of VARIANTS) {
        const file = rawNifti({ ...variant, slope, intercept });
        const image = await decodeImage({ name: 'x', bytes: file.slice() }, nodeGzip);
        const [{ bytes }] = await encodeImage(image, image.stored, nodeGzip, { name: 'y.nii' });
        expect(fieldBytes(bytes, variant.version)).toBe(fieldBytes(file, variant.version));
        const single = (value: number): number => (variant.version === 1 ? Math.fround(value) : value);
        expect(image.scaling).toEqual([
          inForce ? { slope: single(slope), intercept: single(intercept) } : { slope: 1, intercept: 0 },
        ]);
        if (!inForce) expect(scaledData(image, 0)).toEqual(new Float32Array(image.stored as Int16Array));
      }
    },
  );

  it.each([
    ['positive', 0x7fc0_4a44, 0x7ff8_4a44],
    ['negative', 0xffc0_0000, 0xfff8_0000],
    ['signalling', 0x7f81_4a44, 0x7ff0_4a44],
  ])('keeps of a %s NaN only that it is one', async (_name, single, double) => {
    for (const { version, littleEndian } of VARIANTS) {
      const patch = (view: DataView): void => {
        if (version === 1) for (const at of [112, 116]) view.setUint32(at, single, littleEndian);
        else
          for (const at of [176, 184]) {
            view.setUint32(littleEndian ? at + 4 : at, double, littleEndian);
            view.setUint32(littleEndian ? at : at + 4, 0x4a44_4a44, littleEndian);
          }
      };
      const image = await decodeImage(
        { name: 'x', bytes: rawNifti({ version, littleEndian, patch }) },
        nodeGzip,
      );
      const [{ bytes }] = await encodeImage(image, image.stored, nodeGzip, { name: 'y.nii' });
      const plain = Buffer.from(version === 1 ? '7fc00000' : '7ff8000000000000', 'hex');
      if (littleEndian) plain.reverse();
      expect(fieldBytes(bytes, version)).toBe(plain.toString('hex').repeat(2));
    }
  });
});
