/**
 * Damaged files, all the way but for the drawing: each is refused in words of ours, or what would be written of it is clean. 2,000 of
 * them; PROSOPON_MUTATIONS=200000 for as many as one likes.
 */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeElement, text, uidText } from '../../dicom/assemble.js';
import { strayElements } from '../../dicom/audit.js';
import { cleanHeader } from '../../dicom/clean.js';
import { decompressed } from '../../dicom/decompress.js';
import { describe as described } from '../../dicom/describe.js';
import { Keyed } from '../../dicom/keyed.js';
import { readObject } from '../../dicom/object-codec.js';
import { NOTHING } from '../../dicom/retain.js';
import { readStack, seriesCodec } from '../../dicom/series-codec.js';
import { DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from '../../dicom/syntax.js';
import { compressed, encodeJpegLossless, encodeRle } from '../../dicom/testing/compress.js';
import { makeObject } from '../../dicom/testing/make-object.js';
import { type Extra, encodeAll, makeSlices } from '../../dicom/testing/make-slices.js';
import { mutated } from '../../dicom/testing/mutate.js';
import { type WalkedFile, walk } from '../../dicom/walker.js';
import { isRefusal } from '../../errors/errors.js';
import type { ImageCodec } from '../../formats/codec.js';
import { decodeImage } from '../../formats/stored-image.js';
import { joinBytes } from '../../volume/bytes.js';
import { Random } from '../../volume/random.js';
import { nodeGzip } from '../gzip.js';
import { decoders } from './codecs/decoders.js';
import { plainDicom } from './input-file.js';

const COUNT = Number(process.env.PROSOPON_MUTATIONS ?? 2000);
const WORDS = ['QZWITNESS', 'QZHOSPITAL'];
const LONGEST_MS = 2000;

const grid = { shape: [16, 12, 9], affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] } as const;
const data = Float32Array.from({ length: 16 * 12 * 9 }, (_, o) => (o * 37) % 1000);
const inner = encodeAll([['00100010', 'PN', text('QZWITNESS^ANNA')]], EXPLICIT_LITTLE);
const extra: Extra[] = [
  ['00080080', 'LO', text('QZHOSPITAL')],
  ['00081140', 'SQ', [encodeAll([['00081155', 'UI', uidText('1.2.3.99994711.55')]], EXPLICIT_LITTLE), inner]],
  ['00180020', 'CS', text('GR\\IR\\SE\\EP\\RM')],
  ['00180022', 'CS', text('PER\\RG\\CG\\PPG\\FC')],
  ['00180023', 'CS', text('3D')],
  ['00280106', 'US', Uint8Array.of(1, 0)],
  ['00290010', 'LO', text('QZWITNESS')],
  ['00290011', 'SQ', [inner]],
];
const plain = makeSlices({ grid, data }, { extra });
const deflated = plain.map((bytes) =>
  joinBytes([
    bytes.subarray(0, 132),
    encodeElement(0x00020010, 'UI', uidText(DEFLATED), EXPLICIT_LITTLE),
    deflateRawSync(bytes.subarray(walk(bytes).elements[0]?.from)),
  ]),
);
const kinds: readonly (readonly Uint8Array[])[] = [
  plain,
  plain,
  makeSlices({ grid, data }, { syntax: IMPLICIT_LITTLE, extra: extra.slice(0, 1) }),
  makeSlices({ grid, data }, { syntax: EXPLICIT_BIG, extra: extra.slice(0, 1) }),
  plain.map((bytes) => compressed(bytes, '1.2.840.10008.1.2.5', encodeRle, 2)),
  plain.map((bytes) => compressed(bytes, '1.2.840.10008.1.2.4.70', encodeJpegLossless)),
];
const cleaning = {
  keyed: new Keyed(new Uint8Array(32).fill(3)),
  person: 'somebody',
  dates: 'shift',
  retained: NOTHING,
  method: 'fake',
  removes: false,
  words: WORDS,
} as const;

async function opened(bytes: Uint8Array): Promise<WalkedFile> {
  return decompressed(walk(plainDicom(bytes)), decoders);
}

/** @returns whether anything would be written; what is, is clean */
async function through(others: readonly WalkedFile[], bytes: Uint8Array): Promise<boolean> {
  const file = await opened(bytes);
  if (described(file).kind !== 'slice') return false;
  const header = cleanHeader(file, cleaning);
  const codec = seriesCodec(WORDS);
  const image = readStack(
    [...others, file],
    (each) => (each === file ? header : cleanHeader(each, cleaning)),
    codec,
  );
  const names = { compressed: false, files: ['stack'] } as const;
  const written = await codec.write(image, image.stored, nodeGzip, { names });
  const result = await decodeImage(written, nodeGzip, { codec, allowConstant: true });
  expect(codec.audit(image, result, '')).toEqual({ sameGeometry: true, strayBytes: 0 });
  expect(Buffer.compare(Buffer.from(result.stored.buffer), Buffer.from(image.stored.buffer))).toBe(0);
  for (const { bytes: one } of written) {
    expect(strayElements(header, WORDS)).toBe(0);
    for (const word of WORDS) expect(Buffer.from(one).includes(word)).toBe(false);
  }
  return true;
}

describe('damaged DICOM files', () => {
  it(`are refused or come out clean, ${COUNT} of them, each in its time`, {
    timeout: 60_000 + COUNT * 50,
  }, async () => {
    const whole = await Promise.all(kinds.map((files) => Promise.all(files.map(opened))));
    const random = new Random(new Uint32Array(8).fill(20));
    let [written, longest, memory] = [0, 0, 0];
    for (let n = 0; n < COUNT; n++) {
      const kind = n % kinds.length;
      const k = n % 9;
      const original = (kinds[kind] as readonly Uint8Array[])[k] as Uint8Array;
      const bad = mutated(original, random.fork(`${n}`), WORDS);
      const began = performance.now();
      try {
        if (
          await through(
            (whole[kind] as WalkedFile[]).filter((_, i) => i !== k),
            bad,
          )
        )
          written++;
      } catch (error) {
        if (!isRefusal(error)) throw new Error(`mutation ${n}`, { cause: error });
      }
      longest = Math.max(longest, performance.now() - began);
      if (n === Math.floor(COUNT / 2)) memory = process.memoryUsage().arrayBuffers;
    }
    expect(longest).toBeLessThan(LONGEST_MS);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(2 ** 27);
    // Neither all refused nor none.
    expect(written).toBeGreaterThan(COUNT / 20);
    expect(written).toBeLessThan((COUNT * 19) / 20);
  });

  it(`of enhanced objects too, ${COUNT / 4} of them`, { timeout: 60_000 + COUNT * 50 }, async () => {
    const words: Extra[] = [
      ['20050010', 'LO', text('QZWITNESS')],
      ['00290011', 'SQ', [inner]],
    ];
    const implicit = makeSlices({ grid, data }, { syntax: IMPLICIT_LITTLE });
    const objects = [
      makeObject(plain, { shared: words, frame: () => words }),
      makeObject([...plain, ...plain], { echo: (i) => (i < 9 ? 3 : 6) }),
      makeObject(implicit, { syntax: IMPLICIT_LITTLE }),
    ];
    const random = new Random(new Uint32Array(8).fill(22));
    let written = 0;
    for (let n = 0; n < COUNT / 4; n++) {
      const bad = mutated(objects[n % 3] as Uint8Array, random.fork(`${n}`), WORDS);
      try {
        const file = await opened(bad);
        if (described(file).kind !== 'frames') continue;
        const image = readObject(file, (each) => cleanHeader(each, cleaning), WORDS);
        const codec = image.codec as ImageCodec;
        const files = await codec.write(image, image.stored, nodeGzip, {
          names: { compressed: false, files: ['object'] },
        });
        const result = await decodeImage(files, nodeGzip, { codec, allowConstant: true });
        expect(codec.audit(image, result, '')).toEqual({ sameGeometry: true, strayBytes: 0 });
        for (const word of WORDS) expect(Buffer.from(files[0].bytes).includes(word)).toBe(false);
        written++;
      } catch (error) {
        if (!isRefusal(error)) throw new Error(`mutation ${n}`, { cause: error });
      }
    }
    expect(written).toBeGreaterThan(COUNT / 80);
    expect(written).toBeLessThan(COUNT / 4.2);
  });

  it('are refused where the deflated part is damaged', async () => {
    const random = new Random(new Uint32Array(8).fill(21));
    for (let n = 0; n < 200; n++) {
      const bad = (deflated[n % 9] as Uint8Array).slice();
      for (let i = 0; i < 3; i++)
        bad[132 + Math.floor(random.uniform() * (bad.length - 132))] = Math.floor(256 * random.uniform());
      try {
        await through([], bad);
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
  });
});
