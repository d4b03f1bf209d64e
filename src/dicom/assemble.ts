/**
 * Elements back into bytes: one that stays keeps its bytes, one that is new is encoded in the syntax of its file.
 *
 * @example
 * const bytes = concatenate([verbatim(file, element), encodeElement(0x00120062, 'CS', text('YES'), file.syntax)]);
 */
import { joinBytes } from '../volume/bytes.js';
import type { Syntax } from './syntax.js';
import { type Element, isLong, type WalkedFile } from './walker.js';

/** The element's own bytes, a view of the file. */
export function verbatim(
  file: Pick<WalkedFile, 'bytes'>,
  { from, to }: Pick<Element, 'from' | 'to'>,
): Uint8Array {
  return file.bytes.subarray(from, to);
}

/** Text as an even number of bytes; UIDs are filled with a zero, all else with a space. */
export function text(value: string, filler = 0x20): Uint8Array {
  const bytes = new Uint8Array(value.length + (value.length % 2)).fill(filler);
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i) & 0x7f;
  return bytes;
}

export function uidText(value: string): Uint8Array {
  return text(value, 0);
}

function head(tag: number, vr: string, length: number, { explicit, littleEndian }: Syntax): Uint8Array {
  const long = !explicit || isLong(vr);
  const bytes = new Uint8Array(explicit && long ? 12 : 8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag >>> 16, littleEndian);
  view.setUint16(2, tag & 0xffff, littleEndian);
  if (explicit) {
    bytes[4] = vr.charCodeAt(0);
    bytes[5] = vr.charCodeAt(1);
  }
  if (long) view.setUint32(explicit ? 8 : 4, length, littleEndian);
  else view.setUint16(6, length, littleEndian);
  return bytes;
}

/** @param value of even length, in the byte order of the syntax */
export function encodeElement(tag: number, vr: string, value: Uint8Array, syntax: Syntax): Uint8Array {
  return joinBytes([head(tag, vr, value.length, syntax), value]);
}

/** @param items the encoded elements of each */
export function encodeSequence(tag: number, items: readonly Uint8Array[], syntax: Syntax): Uint8Array {
  const parts = items.flatMap((item) => {
    const start = new Uint8Array(8);
    const view = new DataView(start.buffer);
    view.setUint16(0, 0xfffe, syntax.littleEndian);
    view.setUint16(2, 0xe000, syntax.littleEndian);
    view.setUint32(4, item.length, syntax.littleEndian);
    return [start, item];
  });
  return encodeElement(tag, 'SQ', joinBytes(parts), syntax);
}

export function words16(values: readonly number[], { littleEndian }: Syntax): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint16(2 * i, value & 0xffff, littleEndian);
  });
  return bytes;
}

/** A pass that changes nothing, from the elements alone: what it gives back is the file, or the walker has lost something. */
export function unchanged(file: WalkedFile): Uint8Array {
  const parts: Uint8Array[] = [file.bytes.subarray(0, file.preamble ? 132 : 0)];
  const put = (element: Element): void => {
    const { items, from, valueFrom, valueTo, to } = element;
    if (items === undefined) {
      parts.push(verbatim(file, element));
      return;
    }
    parts.push(file.bytes.subarray(from, valueFrom));
    for (const item of items) {
      parts.push(file.bytes.subarray(item.from, item.valueFrom));
      for (const inner of item.elements) put(inner);
      parts.push(file.bytes.subarray(item.valueTo, item.to));
    }
    parts.push(file.bytes.subarray(valueTo, to));
  };
  for (const element of [...file.meta, ...file.elements]) put(element);
  parts.push(new Uint8Array(file.trailing));
  return joinBytes(parts);
}
