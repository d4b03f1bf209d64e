/**
 * Values of elements: text, numbers, words. What is no valid value of its kind is undefined, never a guess.
 *
 * @example
 * const values = new Values(walk(bytes));
 * values.numbers(0x00200032); // [-112.5, -98.1, 44.0]
 */
import { type Element, textOf, type WalkedFile } from './walker.js';

/** A decimal or integer string: 16 characters at most, though some programs write more. */
const NUMBER = /^ *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})? *$/;
const LONGEST_NUMBER = 32;
/** Longer texts than this are no value that is read here. */
const LONGEST = 4096;

/** Of a decimal or integer string with any number of values; undefined where one is none. */
export function parseNumbers(text: string): number[] | undefined {
  const parts = text.split('\\');
  if (!parts.every((part) => part.length <= LONGEST_NUMBER && NUMBER.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every(Number.isFinite) ? numbers : undefined;
}

export class Values {
  readonly #file: WalkedFile;
  readonly #byTag: ReadonlyMap<number, Element>;

  constructor(file: WalkedFile) {
    this.#file = file;
    this.#byTag = new Map(file.elements.map((element) => [element.tag, element]));
  }

  get(tag: number): Element | undefined {
    return this.#byTag.get(tag);
  }

  /** Trimmed; empty for an element that is not there. */
  text(tag: number): string {
    const element = this.get(tag);
    if (element === undefined || element.valueTo - element.valueFrom > LONGEST) return '';
    return textOf(this.#file.bytes, element).trim();
  }

  /** Of DS and IS; undefined where there is none, or no number. */
  numbers(tag: number): number[] | undefined {
    const text = this.text(tag);
    return text === '' ? undefined : parseNumbers(text);
  }

  /** The first of them. */
  number(tag: number): number | undefined {
    return this.numbers(tag)?.[0];
  }

  /** A single US or SS. */
  word(tag: number, signed = false): number | undefined {
    const element = this.get(tag);
    if (element === undefined || element.valueTo - element.valueFrom !== 2) return undefined;
    const { bytes, syntax } = this.#file;
    const view = new DataView(bytes.buffer, bytes.byteOffset + element.valueFrom, 2);
    return signed ? view.getInt16(0, syntax.littleEndian) : view.getUint16(0, syntax.littleEndian);
  }

  /** Of US and AT, as many as there are. */
  words(tag: number): number[] | undefined {
    return this.#binary(tag, 2, (view, at, little) => view.getUint16(at, little));
  }

  /** Of UL, as many as there are. */
  longs(tag: number): number[] | undefined {
    return this.#binary(tag, 4, (view, at, little) => view.getUint32(at, little));
  }

  /** Of FD, as many as there are. */
  doubles(tag: number): number[] | undefined {
    return this.#binary(tag, 8, (view, at, little) => view.getFloat64(at, little));
  }

  #binary(
    tag: number,
    size: number,
    read: (view: DataView, at: number, little: boolean) => number,
  ): number[] | undefined {
    const element = this.get(tag);
    const length = element === undefined ? 0 : element.valueTo - element.valueFrom;
    if (element === undefined || length === 0 || length % size !== 0 || length > LONGEST) return undefined;
    const { bytes, syntax } = this.#file;
    const view = new DataView(bytes.buffer, bytes.byteOffset + element.valueFrom, length);
    return Array.from({ length: length / size }, (_, i) => read(view, size * i, syntax.littleEndian));
  }

  /** The values of a sequence's only item; undefined where there is none, or more. */
  item(tag: number): Values | undefined {
    const [only, ...others] = this.get(tag)?.items ?? [];
    return only === undefined || others.length > 0
      ? undefined
      : new Values({ ...this.#file, elements: only.elements });
  }
}
