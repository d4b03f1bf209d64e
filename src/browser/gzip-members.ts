/**
 * Where the members of a gzip file lie. DecompressionStream takes one member and nothing behind it, and does not say where
 * one ends: so the deflated data are walked through, symbol by symbol, without making any output. Only files that are
 * more than one member and nothing else need it.
 *
 * @example
 * for (const { start, end } of gzipMembers(bytes).members) inflate(bytes.subarray(start, end));
 */
import { GZIP_TRAILER_BYTES, isGzip, memberHeaderBytes } from '../formats/gzip.js';

export interface Members {
  readonly members: readonly { readonly start: number; readonly end: number }[];
  /** What ended the walk: bytes that begin no member (or the end of the file), a member that is cut off, or a damaged one. */
  readonly ended: 'whole' | 'truncated' | 'corrupt';
}

export function gzipMembers(bytes: Uint8Array): Members {
  const members: { start: number; end: number }[] = [];
  let at = 0;
  do {
    const start = at;
    const data = start + memberHeaderBytes(bytes.subarray(start));
    if (data >= bytes.length) return { members, ended: 'truncated' };
    const end = deflateEnd(bytes, data);
    if (typeof end === 'string') return { members, ended: end };
    at = end + GZIP_TRAILER_BYTES;
    if (at > bytes.length) return { members, ended: 'truncated' };
    members.push({ start, end: at });
  } while (isGzip(bytes.subarray(at)));
  return { members, ended: 'whole' };
}

/** Thrown and caught in this file alone: a walk ends in the middle of anything. */
class Stopped extends Error {
  constructor(readonly how: 'truncated' | 'corrupt') {
    super(how);
  }
}

/** Bits of a byte string, lowest first. */
class Bits {
  #bit: number;
  readonly #last: number;

  constructor(
    readonly bytes: Uint8Array,
    at: number,
  ) {
    this.#bit = 8 * at;
    this.#last = 8 * bytes.length;
  }

  take(count: number): number {
    if (this.#bit + count > this.#last) throw new Stopped('truncated');
    let value = 0;
    for (let i = 0; i < count; i++, this.#bit++)
      value |= (((this.bytes[this.#bit >> 3] as number) >> (this.#bit & 7)) & 1) << i;
    return value;
  }

  /** The next whole byte. */
  get byte(): number {
    return (this.#bit + 7) >> 3;
  }

  skipBytes(count: number): void {
    this.#bit = 8 * (this.byte + count);
    if (this.#bit > this.#last) throw new Stopped('truncated');
  }
}

const MOST_BITS = 15;

/** A canonical Huffman code: how many symbols there are of each length, and the symbols in order. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(MOST_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  counts[0] = 0;
  const next = new Uint16Array(MOST_BITS + 2);
  for (let n = 1; n <= MOST_BITS; n++) next[n + 1] = (next[n] as number) + (counts[n] as number);
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    symbols[next[length] as number] = symbol;
    next[length] = (next[length] as number) + 1;
  });
  return { counts, symbols };
}

function symbolOf(bits: Bits, { counts, symbols }: Code): number {
  let [code, first, index] = [0, 0, 0];
  for (let n = 1; n <= MOST_BITS; n++) {
    code |= bits.take(1);
    const count = counts[n] as number;
    if (code - count < first) return symbols[index + (code - first)] as number;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw new Stopped('corrupt');
}

/** Bits behind a length symbol (257 to 285), by RFC 1951. */
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/** The order in which the lengths of the code of lengths are written. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;
const DISTANCES = 30;

function fixedCodes(): [Code, Code] {
  const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  return [codeOf(lengths), codeOf(new Array<number>(DISTANCES).fill(5))];
}

function writtenCodes(bits: Bits): [Code, Code] {
  const [literals, distances, codes] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const own = new Array<number>(19).fill(0);
  for (let i = 0; i < codes; i++) own[LENGTH_ORDER[i] as number] = bits.take(3);
  const code = codeOf(own);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = symbolOf(bits, code);
    if (symbol < 16) lengths.push(symbol);
    else {
      const [value, count] =
        symbol === 16
          ? [lengths.at(-1), 3 + bits.take(2)]
          : [0, symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)];
      if (value === undefined) throw new Stopped('corrupt');
      for (let i = 0; i < count; i++) lengths.push(value);
    }
  }
  return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals, literals + distances))];
}

function skipBlock(bits: Bits, [literals, distances]: [Code, Code]): void {
  for (;;) {
    const symbol = symbolOf(bits, literals);
    if (symbol === END_OF_BLOCK) return;
    if (symbol < END_OF_BLOCK) continue;
    const extra = LENGTH_BITS[symbol - 257];
    if (extra === undefined) throw new Stopped('corrupt');
    bits.take(extra);
    const distance = symbolOf(bits, distances);
    if (distance >= DISTANCES) throw new Stopped('corrupt');
    bits.take(distance < 2 ? 0 : (distance >> 1) - 1);
  }
}

/** The first byte behind the deflated data that begin at `from`. */
export function deflateEnd(bytes: Uint8Array, from: number): number | 'truncated' | 'corrupt' {
  const bits = new Bits(bytes, from);
  try {
    for (let last = 0; last === 0; ) {
      last = bits.take(1);
      const kind = bits.take(2);
      if (kind === 0) {
        const at = bits.byte;
        bits.skipBytes(4);
        const [low = 0, high = 0, notLow = 0, notHigh = 0] = bytes.subarray(at, at + 4);
        if ((low ^ notLow) !== 255 || (high ^ notHigh) !== 255) throw new Stopped('corrupt');
        bits.skipBytes(low + 256 * high);
      } else if (kind === 3) throw new Stopped('corrupt');
      else skipBlock(bits, kind === 1 ? fixedCodes() : writtenCodes(bits));
    }
    return bits.byte;
  } catch (error) {
    if (error instanceof Stopped) return error.how;
    throw error;
  }
}
