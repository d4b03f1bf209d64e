/**
 * The elements of a DICOM file with their byte ranges: nothing is decoded, nothing is copied. What is written later takes the
 * bytes of an element that stays as they are; no npm parser keeps them (decision 0038).
 *
 * Every length is compared with the bytes that are there before anything is done with it; depth and number of elements are
 * bounded, so that a file can ask for no more than a small multiple of its own size.
 *
 * @example
 * const file = walk(bytes);
 * file.elements.find(({ tag }) => tag === 0x00280010); // { vr: 'US', from: 712, valueFrom: 720, to: 722, ... }
 */
import { Refusal } from '../errors/errors.js';
import { SEQUENCES } from './allow-enhanced.js';
import { EXPLICIT_LITTLE, IMPLICIT_LITTLE, type Syntax, syntaxOf } from './syntax.js';

export interface Element {
  /** Group and number, as 0xggggeeee. */
  readonly tag: number;
  /** Undefined in implicit VR, where a dictionary would have to say it. */
  readonly vr: string | undefined;
  /** First byte of the tag. */
  readonly from: number;
  readonly valueFrom: number;
  /** Behind the value, before a delimiter. */
  readonly valueTo: number;
  /** Behind the element, its delimiter included. */
  readonly to: number;
  /** Of a sequence. */
  readonly items?: readonly Item[];
  /** Of encapsulated pixel data. */
  readonly fragments?: true;
}

export interface Item {
  readonly from: number;
  readonly valueFrom: number;
  readonly valueTo: number;
  readonly to: number;
  readonly elements: readonly Element[];
}

export interface WalkedFile {
  readonly bytes: Uint8Array;
  /** Whether 128 bytes and DICM stand before the first element. */
  readonly preamble: boolean;
  /** Group 0002, always explicit little endian; empty where a file has none. */
  readonly meta: readonly Element[];
  readonly syntax: Syntax;
  readonly elements: readonly Element[];
  /** Zeros behind the last element, as some programs leave them. */
  readonly trailing: number;
}

/** Sequences in sequences; the deepest seen in real objects (structured reports) stay under 16. */
export const MAX_DEPTH = 32;
/** Elements and items of a file; an enhanced object of 4,000 frames has some 400,000. */
export const MAX_ELEMENTS = 1_000_000;

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
export const TRANSFER_SYNTAX = 0x00020010;
const PIXEL_DATA = 0x7fe00010;

/** VRs whose length has 32 bits in explicit VR. */
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const SHORT = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ') as readonly string[],
);

export function isLong(vr: string): boolean {
  return LONG.has(vr);
}

/**
 * @throws {Refusal} not-an-image (no DICOM), truncated, header-invalid, too-large (depth, number), datatype-unsupported (compressed)
 */
export function walk(bytes: Uint8Array): WalkedFile {
  const { preamble, meta, at } = openingOf(bytes);
  const said = meta.find(({ tag }) => tag === TRANSFER_SYNTAX);
  if (said === undefined && preamble)
    throw new Refusal('header-invalid', 'expected a transfer syntax in the file meta, found none');
  const syntax = said === undefined ? guessed(bytes, at) : syntaxOf(textOf(bytes, said));
  const { elements, end } = new Reader(bytes, syntax).list(at, bytes.length, 0);
  return { bytes, preamble, meta, syntax, elements, trailing: bytes.length - end };
}

/** Mark and file meta, and where the data set begins. @throws {Refusal} not-an-image, truncated, header-invalid */
export function openingOf(bytes: Uint8Array): Pick<WalkedFile, 'preamble' | 'meta'> & { at: number } {
  const preamble = ascii(bytes, 128, 132) === 'DICM';
  const start = preamble ? 132 : 0;
  if (!preamble && !looksLikeElements(bytes))
    throw new Refusal('not-an-image', 'expected a DICOM file, found bytes of none');
  const reader = new Reader(bytes, EXPLICIT_LITTLE);
  const meta: Element[] = [];
  let at = start;
  while (at + 8 <= bytes.length && reader.tagAt(at) >>> 16 === 0x0002) {
    const element = reader.element(at, bytes.length, 0);
    meta.push(element);
    at = element.to;
  }
  return { preamble, meta, at };
}

/** The text of an element's value, without padding. */
export function textOf(
  bytes: Uint8Array,
  { valueFrom, valueTo }: Pick<Element, 'valueFrom' | 'valueTo'>,
): string {
  return ascii(bytes, valueFrom, valueTo).replace(/[\0 ]+$/, '');
}

/** One character a byte. */
export function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < Math.min(to, bytes.length); i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** Without the mark of a file: a first element of group 0002 or 0008 with a length that fits. */
function looksLikeElements(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const group = (bytes[0] as number) | ((bytes[1] as number) << 8);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return (group === 0x0002 || group === 0x0008) && (knownVr(ascii(bytes, 4, 6)) || length < bytes.length);
}

function guessed(bytes: Uint8Array, at: number): Syntax {
  return knownVr(ascii(bytes, at + 4, at + 6)) ? EXPLICIT_LITTLE : IMPLICIT_LITTLE;
}

function knownVr(vr: string): boolean {
  return LONG.has(vr) || SHORT.has(vr);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #syntax: Syntax;
  #count = 0;

  constructor(bytes: Uint8Array, syntax: Syntax) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#syntax = syntax;
  }

  tagAt(at: number): number {
    const little = this.#syntax.littleEndian;
    return this.#view.getUint16(at, little) * 0x10000 + this.#view.getUint16(at + 2, little);
  }

  /** Elements up to `to`, or to the end of an item that says no length. */
  list(
    from: number,
    to: number,
    depth: number,
    delimited = false,
  ): { elements: Element[]; end: number; after: number } {
    const elements: Element[] = [];
    let at = from;
    let last = -1;
    while (at < to) {
      if (to - at < 8 || this.#isPadding(at, to, depth)) {
        if (depth === 0 && this.#bytes.subarray(at, to).every((byte) => byte === 0)) break;
        throw truncated(at);
      }
      const tag = this.tagAt(at);
      if (delimited && tag === ITEM_END) return { elements, end: at, after: this.#delimiter(at) };
      if (tag >>> 16 === 0xfffe) throw invalid('a delimiter where an element should stand', at);
      // Of two elements with one tag, one reader takes the first and another the last.
      if (depth === 0 && tag <= last) throw invalid('elements that are doubled or out of order', at);
      last = tag;
      const element = this.element(at, to, depth);
      elements.push(element);
      at = element.to;
    }
    if (delimited) throw truncated(at);
    return { elements, end: at, after: at };
  }

  element(at: number, to: number, depth: number): Element {
    this.#countOne(at);
    if (to - at < 8) throw truncated(at);
    const tag = this.tagAt(at);
    let vr: string | undefined;
    let length: number;
    let valueFrom = at + 8;
    if (!this.#syntax.explicit) length = this.#view.getUint32(at + 4, true);
    else {
      vr = ascii(this.#bytes, at + 4, at + 6);
      if (LONG.has(vr)) {
        if (to - at < 12) throw truncated(at);
        length = this.#view.getUint32(at + 8, this.#syntax.littleEndian);
        valueFrom = at + 12;
      } else if (SHORT.has(vr)) length = this.#view.getUint16(at + 6, this.#syntax.littleEndian);
      else throw invalid('a value representation that is none', at);
    }
    if (length === UNDEFINED_LENGTH) return this.#delimitedElement(at, tag, vr, valueFrom, to, depth);
    if (length > to - valueFrom) throw truncated(at);
    const valueTo = valueFrom + length;
    const whole = { tag, vr, from: at, valueFrom, valueTo, to: valueTo };
    if (vr !== 'SQ' && !(vr === undefined && SEQUENCES.has(tag))) return whole;
    return { ...whole, items: this.#items(valueFrom, valueTo, depth, false).items };
  }

  #delimitedElement(
    from: number,
    tag: number,
    vr: string | undefined,
    valueFrom: number,
    to: number,
    depth: number,
  ): Element {
    if (tag === PIXEL_DATA && vr !== 'SQ' && vr !== 'UN') {
      const end = this.#fragments(valueFrom, to);
      return { tag, vr, from, valueFrom, valueTo: end, to: end + 8, fragments: true };
    }
    if (vr !== undefined && vr !== 'SQ' && vr !== 'UN') throw invalid('no length where one is needed', from);
    // What was UN to its writer is implicit inside (PS3.5 6.2.2).
    const inside = vr === 'UN' ? this.#as(IMPLICIT_LITTLE) : this;
    const { items, end, after } = inside.#items(valueFrom, to, depth, true);
    this.#count = inside.#count;
    return { tag, vr, from, valueFrom, valueTo: end, to: after, items };
  }

  #items(
    from: number,
    to: number,
    depth: number,
    delimited: boolean,
  ): { items: Item[]; end: number; after: number } {
    if (depth >= MAX_DEPTH)
      throw new Refusal('too-large', `expected sequences at most ${MAX_DEPTH} deep, found deeper ones`);
    const items: Item[] = [];
    let at = from;
    while (delimited || at < to) {
      if (to - at < 8) throw truncated(at);
      const tag = this.tagAt(at);
      if (delimited && tag === SEQUENCE_END) return { items, end: at, after: this.#delimiter(at) };
      if (tag !== ITEM) throw invalid('something else where an item should stand', at);
      this.#countOne(at);
      const length = this.#view.getUint32(at + 4, this.#syntax.littleEndian);
      const valueFrom = at + 8;
      const open = length === UNDEFINED_LENGTH;
      if (!open && length > to - valueFrom) throw truncated(at);
      const { elements, end, after } = this.list(valueFrom, open ? to : valueFrom + length, depth + 1, open);
      items.push({ from: at, valueFrom, valueTo: end, to: after, elements });
      at = after;
    }
    return { items, end: at, after: at };
  }

  /** @returns where the delimiter stands */
  #fragments(from: number, to: number): number {
    let at = from;
    for (;;) {
      if (to - at < 8) throw truncated(at);
      const tag = this.tagAt(at);
      const length = this.#view.getUint32(at + 4, this.#syntax.littleEndian);
      if (tag === SEQUENCE_END) {
        this.#delimiter(at);
        return at;
      }
      if (tag !== ITEM) throw invalid('something else where a fragment should stand', at);
      this.#countOne(at);
      if (length > to - at - 8) throw truncated(at);
      at += 8 + length;
    }
  }

  #delimiter(at: number): number {
    if (this.#view.getUint32(at + 4, this.#syntax.littleEndian) !== 0)
      throw invalid('a delimiter with a length', at);
    return at + 8;
  }

  /** Zeros are no element: (0000,0000) stands in no file. */
  #isPadding(at: number, to: number, depth: number): boolean {
    return depth === 0 && at > 0 && to - at >= 8 && this.tagAt(at) === 0;
  }

  #as(syntax: Syntax): Reader {
    const reader = new Reader(this.#bytes, syntax);
    reader.#count = this.#count;
    return reader;
  }

  #countOne(at: number): void {
    if (++this.#count > MAX_ELEMENTS)
      throw new Refusal('too-large', `expected at most ${MAX_ELEMENTS} elements, found more by byte ${at}`);
  }
}

function truncated(at: number): Refusal {
  return new Refusal('truncated', `expected a whole element at byte ${at}, found the end before it`);
}

function invalid(found: string, at: number): Refusal {
  return new Refusal('header-invalid', `expected DICOM elements, found ${found} at byte ${at}`);
}
