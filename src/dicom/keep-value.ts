/**
 * Whether an element's own bytes may stay: what is no value of the kind that the dictionary says is not understood, so it goes.
 *
 * @example
 * keepsValue(allowed, element, '2.98', file, words); // true
 */
import type { Allowed } from './allow-list.js';
import { parseNumbers } from './values.js';
import type { Element, WalkedFile } from './walker.js';

const CODE = /^[A-Z0-9_ \\]*$/;
/** Bytes of one number. */
const SIZES: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, AT: 4, FD: 8 };
const MOST_VALUES = 64;
const PRINTABLE = /^[\x20-\x7e]*$/;
const LONGEST_TEXT = 256;
/** Of a double that measures something: 8 letters or digits read as one lie far outside. */
const DOUBLE = { least: 1e-15, most: 1e6 } as const;
/** Of a count: above it, a third letter would fit. */
const MOST_COUNT = 2 ** 20;

/** @param value the element's text, trimmed @param words of the person: no code that holds one stays */
export function keepsValue(
  { vr, rule, values = [], many, within }: Allowed,
  element: Element,
  value: string,
  file: WalkedFile,
  words: readonly string[],
): boolean {
  const said = element.vr;
  const wordLike = vr === 'US' && said === 'SS';
  if (file.syntax.explicit && said !== vr && !wordLike) return false;
  const length = element.valueTo - element.valueFrom;
  if (rule === 'listed') return values.includes(value);
  if (rule === 'code') return CODE.test(value) && length <= 256 && !holdsWord(value, words);
  if (rule === 'text') return PRINTABLE.test(value) && length <= LONGEST_TEXT && !holdsWord(value, words);
  const isWithin = (n: number): boolean => within === undefined || (n >= within[0] && n <= within[1]);
  if (vr === 'DS' || vr === 'IS')
    return value === '' || (length <= 256 && parseNumbers(value)?.every(isWithin) === true);
  const size = SIZES[vr];
  if (size === undefined) return false;
  const count = length / size;
  if (!(many === true ? Number.isInteger(count) && count >= 1 && count <= MOST_VALUES : count === 1))
    return false;
  if (within !== undefined) {
    const view = new DataView(file.bytes.buffer, file.bytes.byteOffset);
    return vr === 'US' && isWithin(view.getUint16(element.valueFrom, file.syntax.littleEndian));
  }
  return isSane(vr, file, element, count);
}

/** A number of eight or four bytes could as well be so many letters. */
function isSane(vr: string, { bytes, syntax }: WalkedFile, { valueFrom }: Element, count: number): boolean {
  if (vr !== 'FD' && vr !== 'UL') return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < count; i++) {
    if (vr === 'UL') {
      if (view.getUint32(valueFrom + 4 * i, syntax.littleEndian) >= MOST_COUNT) return false;
      continue;
    }
    const size = Math.abs(view.getFloat64(valueFrom + 8 * i, syntax.littleEndian));
    if (size !== 0 && !(size >= DOUBLE.least && size <= DOUBLE.most)) return false;
  }
  return true;
}

/** Whether a text that would stay says a word of the person. */
export function holdsWord(value: string, words: readonly string[]): boolean {
  const upper = value.toUpperCase();
  return words.some((word) => upper.includes(word.toUpperCase()));
}
