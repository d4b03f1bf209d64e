/** Members, and what may stand behind them: every other reader of images ignores it. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isRefusal, type RefusalTag } from '../errors/errors.js';
import { decodeImage } from '../formats/stored-image.js';
import { rawMgh, rawNifti, rawNiftiParts } from '../formats/testing/raw-images.js';
import { nodeGzip } from './gzip.js';
import { gzipEnd } from './gzip-end.js';

const raw = rawNifti();
const packed = gzipSync(raw);
const members = [raw.subarray(0, 200), raw.subarray(200, 1000), raw.subarray(1000)].map((m) => gzipSync(m));
const { stored } = await decodeImage({ name: 'x', bytes: raw }, nodeGzip);

const STRAY: readonly [string, Uint8Array][] = [
  ['zeros', Buffer.alloc(512)],
  ['a line feed', Buffer.from('\n')],
  ['one byte of a magic', Buffer.from([0x1f])],
  ['a magic of another format', Buffer.from([0x1f, 0x9d, 0x90])],
  ['a tape block of text', Buffer.alloc(10_240, 'tape ')],
  ['zeros, then text', Buffer.concat([Buffer.alloc(100), Buffer.from('text')])],
  ['text, then a member', Buffer.concat([Buffer.from('text'), packed])],
  ['two megabytes of noise', Buffer.alloc(2 ** 21, 0xa7)],
];

async function tagOf(bytes: Uint8Array): Promise<RefusalTag> {
  const error: unknown = await decodeImage({ name: 'x', bytes }, nodeGzip).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!isRefusal(error)) throw error;
  return error.tag;
}

describe.each(STRAY)('a gzip file with %s behind it', (_name, stray) => {
  it.each([
    ['one member', [packed]],
    ['three members', members],
  ])('is read as without: %s', async (_members, parts) => {
    const image = await decodeImage({ name: 'x', bytes: Buffer.concat([...parts, stray]) }, nodeGzip);
    expect(image.stored).toEqual(stored);
  });

  it('is read when all of it is smaller than what is looked at first', async () => {
    const small = rawMgh({ dims: [8, 8, 8, 1], datatype: 'uint8', type: 0 });
    const image = await decodeImage({ name: 'x', bytes: Buffer.concat([gzipSync(small), stray]) }, nodeGzip);
    expect(Buffer.from(image.stored.buffer, image.stored.byteOffset, 512).equals(small.subarray(284))).toBe(
      true,
    );
    const { header, voxels } = rawNiftiParts({ pair: true });
    const [bytes, pairBytes] = [header, voxels].map((half) => Buffer.concat([gzipSync(half), stray]));
    if (bytes === undefined || pairBytes === undefined) throw new Error('no pair');
    expect(
      (
        await decodeImage(
          [
            { name: 'x', bytes },
            { name: 'y', bytes: pairBytes },
          ],
          nodeGzip,
        )
      ).stored,
    ).toEqual(stored);
  });

  it('is refused when the member is damaged, or too short for its header', async () => {
    for (const back of [1, 5]) {
      const wrong = Buffer.from(packed);
      wrong.writeUInt8(wrong.readUInt8(wrong.length - back) ^ 1, wrong.length - back);
      expect(await tagOf(Buffer.concat([wrong, stray]))).toBe('corrupt');
    }
    expect(await tagOf(Buffer.concat([gzipSync(raw.subarray(0, -1)), stray]))).toBe('truncated');
  });
});

describe('a gzip file of several members', () => {
  it('is refused when a later one is damaged or cut off', async () => {
    const all = Buffer.concat(members);
    const wrong = Buffer.from(all);
    wrong.writeUInt8(wrong.readUInt8(all.length - 5) ^ 1, all.length - 5);
    expect(await tagOf(wrong)).toBe('corrupt');
    for (const cut of [1, 8, 9, 40]) expect(await tagOf(all.subarray(0, -cut))).toBe('truncated');
    // A later one of which hardly anything is left: what it held is missing.
    for (const left of [1, 2, 3, 9]) {
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = members;
      expect(await tagOf(Buffer.concat([first, second.subarray(0, left)]))).toBe('truncated');
    }
  });
});

describe('gzipEnd', () => {
  /** A header with an extra field, a name, a comment and a checksum of itself. */
  const full = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0]),
    Buffer.from('name\0a comment\0'),
    Buffer.alloc(2),
    packed.subarray(10),
  ]);

  it('skips all that a header may hold', async () => {
    expect(await gzipEnd(Buffer.concat([full, packed, full, Buffer.from('x')]))).toBe(
      2 * full.length + packed.length,
    );
    const named = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.from('name')]);
    expect(await gzipEnd(named)).toBeUndefined();
  });

  it('is where the content ends, whatever its size', async () => {
    for (const size of [0, 1, 2 ** 18 - 1, 2 ** 18, 3 * 2 ** 18, 1e6]) {
      const member = gzipSync(Buffer.from(Array.from({ length: size }, (_, i) => (i * i) >> 7)));
      for (const behind of [0, 1, 70_000])
        expect(await gzipEnd(Buffer.concat([member, Buffer.alloc(behind, 65)]))).toBe(member.length);
      expect(gunzipSync(member).length).toBe(size);
    }
  });

  it('is unknown for a member that breaks off', async () => {
    for (const length of [2, 9, 10, 11, packed.length - 9, packed.length - 1])
      expect(await gzipEnd(packed.subarray(0, length))).toBeUndefined();
  });
});
