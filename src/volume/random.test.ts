import { describe, expect, it } from 'vitest';
import { chachaBlock, Random } from './random.js';
import { hex, Sha256, sha256 } from './sha256.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const littleEndianHex = (words: Uint32Array): string =>
  Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex');

describe('sha256', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(hex(sha256(text('')))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(sha256(text('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const long = text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
    expect(hex(sha256(long))).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
  });

  it('does not depend on how the bytes are cut', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    const pieces = new Sha256();
    for (let i = 0; i < 1000; i += 37) pieces.update(bytes.subarray(i, i + 37));
    expect(hex(pieces.digest())).toBe(hex(sha256(bytes)));
  });
});

describe('ChaCha', () => {
  it('gives the block of RFC 8439, section 2.3.2 (20 rounds)', () => {
    const key = new Uint32Array(Uint8Array.from({ length: 32 }, (_, i) => i).buffer);
    const out = new Uint32Array(16);
    chachaBlock(key, [1, 0x09000000, 0x4a000000, 0], 20, out);
    expect(littleEndianHex(out)).toBe(
      '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
        'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
    );
  });

  it('gives the published key stream of ChaCha8 with a zero key and nonce', () => {
    const random = new Random(new Uint32Array(8));
    const words = Uint32Array.from({ length: 16 }, () => random.word());
    expect(littleEndianHex(words)).toBe(
      '3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e' +
        '984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42',
    );
  });
});

describe('Random', () => {
  const seed = (n: number): Uint32Array => sha256(text(`seed ${n}`));

  it('repeats with the same seed and differs with another', () => {
    const draw = (s: Uint32Array): number[] => {
      const random = new Random(s);
      return Array.from({ length: 50 }, () => random.normal());
    };
    expect(draw(seed(1))).toEqual(draw(seed(1)));
    expect(draw(seed(1))).not.toEqual(draw(seed(2)));
  });

  it('forks by label, whatever was drawn before', () => {
    const a = new Random(seed(3));
    const b = new Random(seed(3));
    b.normal();
    expect(a.fork('x').word()).toBe(b.fork('x').word());
    expect(a.fork('x').word()).not.toBe(a.fork('y').word());
    expect(a.fork('x').fork('y').word()).not.toBe(a.fork('y').fork('x').word());
  });

  it('has the moments of its distributions', () => {
    const random = new Random(seed(4));
    const n = 200_000;
    let [sum, square, fourth, uniform, gumbel] = [0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = random.normal();
      sum += x;
      square += x * x;
      fourth += x ** 4;
      uniform += random.uniform();
      gumbel += random.gumbel();
    }
    expect(Math.abs(sum / n)).toBeLessThan(0.01);
    expect(square / n).toBeCloseTo(1, 1);
    expect(Math.abs(fourth / n - 3)).toBeLessThan(0.1);
    expect(uniform / n).toBeCloseTo(0.5, 2);
    expect(Math.abs(gumbel / n - 0.5772)).toBeLessThan(0.02);
  });

  it('draws integers below n evenly', () => {
    const random = new Random(seed(5));
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 50_000; i++) {
      const k = random.below(5);
      counts[k] = (counts[k] as number) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
