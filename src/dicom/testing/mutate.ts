/**
 * Seeded damage that knows what a DICOM file is made of: lengths, VRs, tags, numbers, words, order and depth of elements, fragments, ends.
 *
 * @example
 * const bad = mutated(bytes, new Random(seed), ['QZWITNESS']);
 */
import { joinBytes } from '../../volume/bytes.js';
import type { Random } from '../../volume/random.js';
import { text } from '../assemble.js';
import { type Element, walk } from '../walker.js';

const LENGTHS = [0, 1, 2, 7, 0x7fff, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff];
const VRS = ['SQ', 'UN', 'OB', 'OW', 'UT', 'US', 'CS', 'DS', 'PN', 'UI', 'AT', 'ZZ', '\0\0'];
const TAGS = [
  0x00000000, 0x00080008, 0x00080016, 0x00100010, 0x00200032, 0x00280010, 0x00280103, 0x00290010, 0x7fe00010,
  0xfffee000, 0xfffee00d, 0xfffee0dd, 0xfffcfffc,
];
const NUMBERS = ['0', '-1', '1e308', '1e-308', 'NaN', '99999999999999999', '0.0001', '-0', '1\\2\\3', ''];

/** One to four changes. */
export function mutated(bytes: Uint8Array, random: Random, words: readonly string[]): Uint8Array {
  const { meta, elements, syntax } = walk(bytes);
  const all: Element[] = [];
  const collect = (list: readonly Element[]): void => {
    for (const element of list) {
      all.push(element);
      for (const item of element.items ?? []) collect(item.elements);
    }
  };
  collect([...meta, ...elements]);
  let out: Uint8Array = bytes.slice();
  const one = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)] as T;
  const below = (n: number): number => Math.floor(random.uniform() * n);
  const write = (at: number, value: number, size: 2 | 4): void => {
    if (at + size > out.length) return;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    if (size === 2) view.setUint16(at, value & 0xffff, syntax.littleEndian);
    else view.setUint32(at, value, syntax.littleEndian);
  };
  for (let n = 1 + below(4); n > 0; n--) {
    const { from, valueFrom, valueTo, to, tag } = one(all);
    const value = (put: string): void => out.set(text(put).subarray(0, valueTo - valueFrom), valueFrom);
    switch (below(14)) {
      case 0:
        write(valueFrom - 4, one(LENGTHS), 4);
        break;
      case 1:
        write(valueFrom - 2, one(LENGTHS), 2);
        break;
      case 2:
        if (syntax.explicit) out.set(text(one(VRS)), from + 4);
        break;
      case 3: {
        const other = random.uniform() < 0.5 ? one(TAGS) : tag + 1;
        write(from, other >>> 16, 2);
        write(from + 2, other, 2);
        break;
      }
      case 4:
        for (let i = valueFrom; i < Math.min(valueTo, valueFrom + 8); i++) out[i] = below(256);
        break;
      case 5:
        value(one(NUMBERS));
        break;
      case 6:
      case 7:
        value(`${one(words)} ${one(NUMBERS)}`);
        break;
      case 8:
        write(valueFrom, one([0, 1, 2, 8, 16, 255, 32768, 65535]), 2);
        break;
      // What changes the length of the file comes last.
      case 9:
        out = joinBytes([out.subarray(0, from), out.subarray(to)]);
        n = 0;
        break;
      case 10:
        out = joinBytes([out.subarray(0, to), out.subarray(from)]);
        n = 0;
        break;
      case 11:
        out = out.slice(0, below(out.length));
        n = 0;
        break;
      case 12: {
        // An item in an item in an item, without an end.
        const depth = one([1, 5, 40, 5000]);
        const open = Uint8Array.of(
          0x29,
          0,
          0x11,
          0,
          0x53,
          0x51,
          0,
          0,
          255,
          255,
          255,
          255,
          0xfe,
          255,
          0,
          0xe0,
          255,
          255,
          255,
          255,
        );
        out = joinBytes([
          out.subarray(0, from),
          ...Array.from({ length: depth }, () => open),
          out.subarray(from),
        ]);
        n = 0;
        break;
      }
      default: {
        const spare = text(`${one(words)} `);
        out = joinBytes([out.subarray(0, to), spare, out.subarray(to)]);
        n = 0;
      }
    }
  }
  return out;
}
