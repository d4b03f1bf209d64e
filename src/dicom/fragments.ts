/**
 * Encapsulated pixel data (PS3.5, A.4) cut into frames: one fragment a frame, or by the table of offsets, or all of them as the only one.
 *
 * @example
 * const [frame] = framesOf(file, element, 1);
 */
import { Refusal } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
import type { Element, WalkedFile } from './walker.js';

/** @param element with fragments, as walked @throws {Refusal} header-invalid */
export function framesOf({ bytes }: WalkedFile, element: Element, frames: number): Uint8Array[] {
  const [table, ...fragments] = itemsOf(bytes, element);
  if (table === undefined || fragments.length === 0) throw invalid('no fragment');
  if (frames === 1) return [joinBytes(fragments.map(({ data }) => data))];
  if (fragments.length === frames) return fragments.map(({ data }) => data);
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
  if (table.data.length !== 4 * frames)
    throw invalid(`${fragments.length} fragments and no table of offsets`);
  const first = fragments[0]?.from ?? 0;
  const starts = Array.from({ length: frames }, (_, i) => first + view.getUint32(4 * i, true));
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? Number.POSITIVE_INFINITY;
    const own = fragments.filter(({ from }) => from >= start && from < end);
    if (own[0]?.from !== start) throw invalid('offsets at which no fragment begins');
    return joinBytes(own.map(({ data }) => data));
  });
}

function itemsOf(
  bytes: Uint8Array,
  { valueFrom, valueTo }: Element,
): { readonly from: number; readonly data: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items = [];
  for (let at = valueFrom; at + 8 <= valueTo; ) {
    const length = view.getUint32(at + 4, true);
    items.push({ from: at, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return items;
}

function invalid(found: string): Refusal {
  return new Refusal('header-invalid', `expected the voxels of each frame in fragments, found ${found}`);
}
