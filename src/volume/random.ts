/**
 * The one random generator: ChaCha8 keyed with a 256-bit seed (Bernstein; the core is checked against RFC 8439 with
 * 20 rounds and the published ChaCha8 sequence). Every draw of every method comes from here.
 *
 * A cipher rather than xoshiro because what is drawn is published: from the noise of a released image the state
 * of a plain generator can be solved for, and with it the seed and every other draw. The cost is no higher, as
 * it needs 32-bit words only.
 *
 * @example
 * const random = new Random(seed);              // Uint32Array of 8 words
 * const noise = random.fork('noise');           // independent of what `random` draws before or after
 * noise.normal();
 */
import { Failure } from '../errors/errors.js';
import { sha256 } from './sha256.js';

const ROUNDS = 8;
const WORDS = 16;

/** One ChaCha block: 16 words of key stream from 8 key words, a 64-bit block counter and 2 nonce words. */
export function chachaBlock(
  key: Uint32Array,
  tail: readonly [number, number, number, number],
  rounds: number,
  out: Uint32Array,
): void {
  const input = blockInput;
  input.set(CONSTANTS, 0);
  input.set(key, 4);
  input.set(tail, 12);
  mix(input, rounds, out);
}

/** "expand 32-byte k". */
const CONSTANTS = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
// Signed, because V8 holds words over 2^31 as doubles: 28 ns a word instead of 40.
const blockInput = new Int32Array(WORDS);
const work = new Int32Array(WORDS);

function mix(input: Int32Array, rounds: number, result: Uint32Array): void {
  const out = work;
  out.set(input);
  for (let i = 0; i < rounds; i += 2) {
    quarter(out, 0, 4, 8, 12);
    quarter(out, 1, 5, 9, 13);
    quarter(out, 2, 6, 10, 14);
    quarter(out, 3, 7, 11, 15);
    quarter(out, 0, 5, 10, 15);
    quarter(out, 1, 6, 11, 12);
    quarter(out, 2, 7, 8, 13);
    quarter(out, 3, 4, 9, 14);
  }
  for (let i = 0; i < WORDS; i++) result[i] = (out[i] as number) + (input[i] as number);
}

function quarter(s: Int32Array, ia: number, ib: number, ic: number, id: number): void {
  let a = s[ia] as number;
  let b = s[ib] as number;
  let c = s[ic] as number;
  let d = s[id] as number;
  a = (a + b) | 0;
  d ^= a;
  d = (d << 16) | (d >>> 16);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 12) | (b >>> 20);
  a = (a + b) | 0;
  d ^= a;
  d = (d << 8) | (d >>> 24);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 7) | (b >>> 25);
  s[ia] = a;
  s[ib] = b;
  s[ic] = c;
  s[id] = d;
}

export class Random {
  readonly #key: Uint32Array;
  readonly #block = new Uint32Array(WORDS);
  #next = WORDS;
  #low = 0;
  #high = 0;
  #spare = Number.NaN;

  /**
   * @param seed 8 unsigned 32-bit words; copied.
   * @throws {Failure} internal when it is not 8 words.
   */
  constructor(seed: Uint32Array) {
    if (seed.length !== 8) throw new Failure('internal', `a seed has 8 words, found ${seed.length}`);
    this.#key = Uint32Array.from(seed);
  }

  /** 32 uniform bits, 0 to 2^32 - 1. */
  word(): number {
    if (this.#next === WORDS) {
      chachaBlock(this.#key, [this.#low, this.#high, 0, 0], ROUNDS, this.#block);
      this.#low = (this.#low + 1) >>> 0;
      if (this.#low === 0) this.#high = (this.#high + 1) >>> 0;
      this.#next = 0;
    }
    return this.#block[this.#next++] as number;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform integer in [0, n), n up to 2^32, without bias. */
  below(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % n;
    }
  }

  /** Standard normal (polar method; two at a time). */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = v * scale;
      return u * scale;
    }
  }

  /** Standard Gumbel, for sampling from logits by their maximum. */
  gumbel(): number {
    return -Math.log(-Math.log(this.uniform() + 2 ** -54));
  }

  /** A generator that depends on the seed and the label alone, not on what was drawn so far. */
  fork(label: string): Random {
    const text = new TextEncoder().encode(label);
    const bytes = new Uint8Array(32 + text.length);
    const view = new DataView(bytes.buffer);
    this.#key.forEach((word, i) => {
      view.setUint32(4 * i, word);
    });
    bytes.set(text, 32);
    return new Random(sha256(bytes));
  }
}
