/** Gzip of the web platform gives what Node's zlib gives; Chromium's own streams are asked in test/doors.test.ts. */
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../errors/errors.js';
import { nodeGzip } from '../node/gzip.js';
import { browserGzip } from './gzip.js';
import { deflateEnd, gzipMembers } from './gzip-members.js';

const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.constantFrom(0, 1, 7), { maxLength: 3000 }).map((values) => Uint8Array.from(values)),
);
const level = fc.integer({ min: 0, max: 9 });
const tail = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).filter((bytes) => bytes[0] !== 0x1f),
);

describe('the walk through deflated data', () => {
  it('ends where they end, whatever stands behind', () => {
    fc.assert(
      fc.property(
        content,
        level,
        fc.constantFrom(0, 2, 4),
        fc.uint8Array({ maxLength: 20 }),
        (bytes, n, strategy, more) => {
          const data = deflateRawSync(bytes, { level: n, strategy });
          expect(deflateEnd(Buffer.concat([new Uint8Array(5), data, more]), 5)).toBe(5 + data.length);
        },
      ),
      { numRuns: 200, seed: 21 },
    );
  });

  it('says of a cut that it is one', () => {
    const data = deflateRawSync(Buffer.from('a sentence that is long enough to be cut somewhere'));
    for (let length = 0; length < data.length; length++)
      expect(deflateEnd(data.subarray(0, length), 0)).toBe('truncated');
    expect(gzipMembers(gzipSync('whole')).ended).toBe('whole');
  });
});

describe('browserGzip', () => {
  it('reads all members, and ignores what stands behind them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 3 }),
        level,
        tail,
        async (parts, n, behind) => {
          const file = Buffer.concat([...parts.map((part) => gzipSync(part, { level: n })), behind]);
          const whole = Buffer.concat(parts);
          expect(Buffer.from(await browserGzip.inflate(file, whole.length, 0)).equals(whole)).toBe(true);
          const head = await browserGzip.peek(file, 1024);
          expect(Buffer.from(head).equals(whole.subarray(0, 1024))).toBe(true);
        },
      ),
      { numRuns: 40, seed: 22 },
    );
  });

  it('refuses as nodeGzip does', async () => {
    const whole = Buffer.from('0123456789'.repeat(500));
    const file = gzipSync(whole);
    const damaged = Buffer.from(file).fill(0xff, 12, 20);
    const wrongSum = Buffer.from(file);
    wrongSum[file.length - 6] = (wrongSum[file.length - 6] as number) ^ 1;
    for (const [bytes, expected, slack] of [
      [file.subarray(0, -12), 5000, 0],
      [damaged, 5000, 0],
      [wrongSum, 5000, 0],
      [file, 6000, 0],
      [file, 4000, 100],
    ] as const) {
      const [ours, theirs] = await Promise.all(
        [browserGzip, nodeGzip].map((gzip) =>
          gzip
            .inflate(bytes, expected, slack)
            .catch((error: unknown) => (isRefusal(error) ? error.tag : error)),
        ),
      );
      expect(typeof ours).toBe('string');
      expect(ours).toBe(theirs);
    }
  });

  it('writes one member without name, time or platform', async () => {
    const parts = [Buffer.from('header'), Buffer.from('voxels')];
    const file = await browserGzip.deflate(parts);
    expect(gunzipSync(file).toString()).toBe('headervoxels');
    expect([file[3], ...file.subarray(4, 8), file[9]]).toEqual([0, 0, 0, 0, 0, 255]);
  });
});
