/** Compressed voxels decoded by kept codecs: the same as before, whatever the sign; what lies or is damaged is refused. */
import { createRequire } from 'node:module';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { PIXEL_DATA } from '../../../dicom/allow-list.js';
import { encodeElement, uidText } from '../../../dicom/assemble.js';
import { decompressed } from '../../../dicom/decompress.js';
import { framesOf } from '../../../dicom/fragments.js';
import { DEFLATED, EXPLICIT_LITTLE } from '../../../dicom/syntax.js';
import { compressed, type Encoder, encodeJpegLossless, encodeRle } from '../../../dicom/testing/compress.js';
import { makeSlices } from '../../../dicom/testing/make-slices.js';
import { type WalkedFile, walk } from '../../../dicom/walker.js';
import { isRefusal } from '../../../errors/errors.js';
import { joinBytes } from '../../../volume/bytes.js';
import { Random } from '../../../volume/random.js';
import { plainDicom } from '../input-file.js';
import { decoders } from './decoders.js';
import { JpegLsThread } from './jpeg-ls.js';

/** Of the packages' full builds, which are for tests alone. */
interface WasmEncoder {
  getDecodedBuffer(info: object): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}
type Start = (options: object) => Promise<Readonly<Record<string, new () => WasmEncoder>>>;
const require = createRequire(import.meta.url);

async function wasmEncoder(name: string, kind: string): Promise<Encoder> {
  const start = require(name) as Start;
  const module = await start({ print: () => undefined, printErr: () => undefined });
  const Made = module[kind] as new () => WasmEncoder;
  return (voxels, width, height) => {
    const encoder = new Made();
    encoder
      .getDecodedBuffer({ width, height, bitsPerSample: 16, componentCount: 1, isSigned: false })
      .set(voxels);
    encoder.encode();
    return encoder.getEncodedBuffer().slice();
  };
}

const encoders: Record<string, Encoder> = {
  '1.2.840.10008.1.2.5': encodeRle,
  '1.2.840.10008.1.2.4.57': encodeJpegLossless,
  '1.2.840.10008.1.2.4.70': encodeJpegLossless,
};
beforeAll(async () => {
  encoders['1.2.840.10008.1.2.4.80'] = await wasmEncoder('@cornerstonejs/codec-charls', 'JpegLSEncoder');
  encoders['1.2.840.10008.1.2.4.90'] = await wasmEncoder('@cornerstonejs/codec-openjpeg', 'J2KEncoder');
});

const grid = { shape: [40, 33, 3], affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] } as const;
const random = new Random(new Uint32Array(8).fill(5));
const data = Float32Array.from({ length: 40 * 33 * 3 }, (_, o) =>
  o % 9 < 4 ? 0 : Math.floor(4000 * random.uniform()),
);
const slices = [
  makeSlices({ grid, data }),
  makeSlices({ grid, data }, { signed: true, bits: 16, air: -1000 }),
].flat();

function voxels({ bytes, elements }: WalkedFile): Uint8Array | undefined {
  const found = elements.find(({ tag }) => tag === PIXEL_DATA);
  return found === undefined ? undefined : bytes.slice(found.valueFrom, found.valueTo);
}

describe('decoders', () => {
  it('give the voxels back to the bit, in one fragment or several, and all other elements as they stand', async () => {
    for (const [uid, encode] of Object.entries(encoders))
      for (const [i, bytes] of slices.entries()) {
        const file = await decompressed(walk(compressed(bytes, uid, encode, 1 + (i % 3))), decoders);
        expect(file.syntax).toEqual(EXPLICIT_LITTLE);
        expect([uid, Buffer.compare(file.bytes, bytes)]).toEqual([uid, 0]);
      }
  });

  it('refuse a codestream of another size before any memory is taken for it', async () => {
    for (const [uid, encode] of Object.entries(encoders)) {
      if (encode === encodeRle) continue;
      const lies: Encoder = (_, columns, rows) =>
        encode(new Uint8Array(2 * 60 * 60), 60, rows === columns ? 1 : 60);
      const file = walk(compressed(slices[0] as Uint8Array, uid, lies));
      await expect(decompressed(file, decoders)).rejects.toMatchObject({ tag: 'header-invalid' });
    }
  });

  it('refuse or decode what is damaged, in time, and go on with the next', { timeout: 240_000 }, async () => {
    const [bytes] = slices as [Uint8Array];
    const before = voxels(walk(bytes)) as Uint8Array;
    for (const [uid, encode] of Object.entries(encoders)) {
      let refused = 0;
      // Of JPEG-LS some run into their limit.
      for (let n = 0; n < (uid.endsWith('.80') ? 20 : 60); n++) {
        const damaged: Encoder = (words, columns, rows) => {
          const data = encode(words, columns, rows);
          if (n % 4 === 0) return data.slice(0, Math.floor(data.length * random.uniform()));
          for (let k = 0; k < 3; k++)
            data[Math.floor(data.length * random.uniform())] = Math.floor(256 * random.uniform());
          return data;
        };
        const began = Date.now();
        try {
          const file = await decompressed(walk(compressed(bytes, uid, damaged)), decoders);
          expect(voxels(file)?.length).toBe(before.length);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          refused++;
        }
        expect(Date.now() - began).toBeLessThan(9000);
      }
      expect(refused).toBeGreaterThan(0);
      const whole = await decompressed(walk(compressed(bytes, uid, encode)), decoders);
      expect(Buffer.compare(voxels(whole) as Uint8Array, before)).toBe(0);
    }
  });
});

describe('the thread for JPEG-LS', () => {
  it('is ended when a frame takes too long, and the next one is decoded', async () => {
    const uid = '1.2.840.10008.1.2.4.80';
    const [bytes] = slices as [Uint8Array];
    const file = walk(compressed(bytes, uid, encoders[uid] as Encoder));
    const element = file.elements.at(-1);
    if (element === undefined) throw new Error('no voxels');
    const [data] = framesOf(file, element, 1) as [Uint8Array];
    // No thread starts as fast as that.
    const hasty = new JpegLsThread(0);
    await expect(hasty.decode(data)).rejects.toMatchObject({
      tag: 'corrupt',
      message: expect.stringContaining('in 0 s'),
    });
    const patient = new JpegLsThread();
    const answers = await Promise.allSettled([
      patient.decode(data),
      patient.decode(data.slice(0, 40)),
      patient.decode(data),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    for (const answer of answers)
      if (answer.status === 'fulfilled')
        expect(Buffer.compare(answer.value.bytes, voxels(walk(bytes)) as Uint8Array)).toBe(0);
  });
});

describe('plainDicom', () => {
  const deflated = (
    bytes: Uint8Array,
    rest = deflateRawSync(bytes.subarray(walk(bytes).elements[0]?.from)),
  ): Uint8Array =>
    joinBytes([
      bytes.subarray(0, 132),
      encodeElement(0x00020010, 'UI', uidText(DEFLATED), EXPLICIT_LITTLE),
      rest,
    ]);
  it('inflates a deflated file, and refuses one that is damaged or a bomb', () => {
    const [bytes] = slices as [Uint8Array];
    expect(Buffer.compare(plainDicom(deflated(bytes)), bytes)).toBe(0);
    expect(plainDicom(bytes)).toBe(bytes);
    expect(() => plainDicom(deflated(bytes).slice(0, 300))).toThrow(/cannot be inflated/);
    const bomb = deflateRawSync(new Uint8Array(2 ** 25));
    expect(() => plainDicom(deflated(bytes, bomb))).toThrow(/cannot be inflated/);
  });
});
