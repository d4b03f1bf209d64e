/**
 * SHA-256 (FIPS 180-4) in plain TypeScript, synchronous and the same in Node and the browser.
 *
 * WebCrypto's digest is asynchronous and node:crypto is not in the browser; what is hashed here is small
 * (a seed's text, a label) or happens once per image (the brain's stored bytes).
 *
 * @example
 * const words = sha256(new TextEncoder().encode('abc')); // words[0] === 0xba7816bf
 */
const K = Uint32Array.from(fractionalRoots(64, 3));
const INITIAL = Uint32Array.from(fractionalRoots(8, 2));

/** First 32 bits of the fractional parts of the square (2) or cube (3) roots of the first primes. */
function fractionalRoots(count: number, root: 2 | 3): number[] {
  const out: number[] = [];
  for (let n = 2; out.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    // Exact integer root of n * 2^(32 root): a double holds too few bits for a last bit that is surely right.
    const target = BigInt(n) << BigInt(32 * root);
    let low = 0n;
    let high = 1n << 40n;
    while (high - low > 1n) {
      const mid = (low + high) >> 1n;
      if (mid ** BigInt(root) <= target) low = mid;
      else high = mid;
    }
    out.push(Number(low & 0xffffffffn));
  }
  return out;
}

/** Accumulates bytes in pieces; `digest` may be called once. */
export class Sha256 {
  readonly #state = Uint32Array.from(INITIAL);
  readonly #block = new Uint8Array(64);
  readonly #w = new Uint32Array(64);
  #filled = 0;
  #length = 0;

  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    let from = 0;
    while (from < bytes.length) {
      const take = Math.min(64 - this.#filled, bytes.length - from);
      this.#block.set(bytes.subarray(from, from + take), this.#filled);
      this.#filled += take;
      from += take;
      if (this.#filled === 64) {
        this.#compress();
        this.#filled = 0;
      }
    }
    return this;
  }

  /** The eight 32-bit words of the digest. */
  digest(): Uint32Array {
    const bits = this.#length * 8;
    const padded = new Uint8Array((this.#filled < 56 ? 64 : 128) - this.#filled);
    padded[0] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padded.length - 4, bits >>> 0);
    this.update(padded);
    return Uint32Array.from(this.#state);
  }

  #compress(): void {
    const w = this.#w;
    const b = this.#block;
    const s = this.#state;
    for (let i = 0; i < 16; i++)
      w[i] =
        ((b[4 * i] as number) << 24) |
        ((b[4 * i + 1] as number) << 16) |
        ((b[4 * i + 2] as number) << 8) |
        (b[4 * i + 3] as number);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15] as number;
      const y = w[i - 2] as number;
      const s0 = rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
      const s1 = rotateRight(y, 17) ^ rotateRight(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
    }
    let [p, q, r, t, e, f, g, h] = s as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < 64; i++) {
      const big1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
      const choose = (e & f) ^ (~e & g);
      const t1 = (h + big1 + choose + (K[i] as number) + (w[i] as number)) | 0;
      const big0 = rotateRight(p, 2) ^ rotateRight(p, 13) ^ rotateRight(p, 22);
      const majority = (p & q) ^ (p & r) ^ (q & r);
      h = g;
      g = f;
      f = e;
      e = (t + t1) | 0;
      t = r;
      r = q;
      q = p;
      p = (t1 + big0 + majority) | 0;
    }
    const next = [p, q, r, t, e, f, g, h];
    for (let i = 0; i < 8; i++) s[i] = (s[i] as number) + (next[i] as number);
  }
}

function rotateRight(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n));
}

export function sha256(bytes: Uint8Array): Uint32Array {
  return new Sha256().update(bytes).digest();
}

/** Lower-case hexadecimal of a digest's words. */
export function hex(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
