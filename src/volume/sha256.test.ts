/** The digests on which seeds and traces hang, against Node's own. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, Sha256, sha256 } from './sha256.js';

const nodes = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('sha256', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(hex(sha256(new TextEncoder().encode('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(sha256(new Uint8Array())[0]).toBe(0xe3b0c442);
  });

  it("agrees with Node's at every length about the blocks' ends", () => {
    for (let length = 0; length < 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (31 * i + length) & 0xff);
      expect(hex(sha256(bytes)), `${length} bytes`).toBe(nodes(bytes));
    }
  });

  it('is the same in pieces, and of a part of a buffer', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
        const whole = Buffer.concat(pieces);
        const hash = new Sha256();
        for (const piece of pieces) hash.update(piece);
        expect(hex(hash.digest())).toBe(nodes(whole));
        const inside = new Uint8Array([7, ...whole, 7]).subarray(1, whole.length + 1);
        expect(hex(sha256(inside))).toBe(nodes(whole));
      }),
    );
  });

  it('leaves the bytes as they are', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    sha256(bytes);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });
});
