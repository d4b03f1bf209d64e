/**
 * Voxels as they are stored in pixel data: their type and range, what they mean, out of the words of a file and into those of a new one.
 *
 * @example
 * readVoxels(file, pixels, stored);            // all of a classic image
 * readVoxels(file, pixels, stored, 12);        // frame 12 of an enhanced object
 */
import { Refusal } from '../errors/errors.js';
import { type Datatype, HOST_IS_LITTLE_ENDIAN, type StoredArray, swapBytes } from '../formats/datatypes.js';
import type { Scaling } from '../formats/image.js';
import { joinBytes } from '../volume/bytes.js';
import { LARGEST_PIXEL, PIXEL_DATA, SMALLEST_PIXEL } from './allow-list.js';
import { encodeElement, words16 } from './assemble.js';
import type { PixelFacts, SliceFacts } from './slice-facts.js';
import { Values } from './values.js';
import { type Element, type WalkedFile, walk } from './walker.js';

export function datatypeOf({ allocated, signed }: PixelFacts): Datatype {
  return allocated === 8 ? (signed ? 'int8' : 'uint8') : signed ? 'int16' : 'uint16';
}

/** Lowest and highest stored value. */
export function rangeOf({ stored, signed }: PixelFacts): readonly [number, number] {
  return signed ? [-(2 ** (stored - 1)), 2 ** (stored - 1) - 1] : [0, 2 ** stored - 1];
}

/** Where dark is high (MONOCHROME1) values count down from the highest. */
export function scalingOfSlice({
  pixels,
  slope,
  intercept,
}: Pick<SliceFacts, 'pixels' | 'slope' | 'intercept'>): Scaling {
  if (!pixels.inverted) return { slope, intercept };
  const [low, high] = rangeOf(pixels);
  return { slope: -slope, intercept: intercept + slope * (low + high) };
}

/** One for all where they are all the same. */
export function scalings(slices: readonly SliceFacts[]): readonly [Scaling, ...Scaling[]] {
  const scaling = slices.map(scalingOfSlice) as unknown as readonly [Scaling, ...Scaling[]];
  const [first] = scaling;
  const same = scaling.every((s) => s.slope === first.slope && s.intercept === first.intercept);
  return same ? [first] : scaling;
}

/** A padding value that means the same in every slice. */
export function airSaidBy(slices: readonly SliceFacts[]): { airSaid?: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const slice of slices) {
    if (slice.padding === undefined) return {};
    const { slope, intercept } = scalingOfSlice(slice);
    const said = slice.padding * slope + intercept;
    low = Math.min(low, said);
    high = Math.max(high, said);
  }
  return high - low <= 1e-3 * Math.abs(low) ? { airSaid: low } : {};
}

/**
 * Bits above the highest one stored are no part of a value: old files hold overlays there. They become 0, or the sign.
 * @param frame from 0
 * @throws {Refusal} datatype-unsupported
 */
export function readVoxels(
  { bytes, syntax, elements }: WalkedFile,
  pixels: PixelFacts,
  into: StoredArray,
  frame = 0,
): void {
  const element = elements.find(({ tag }) => tag === PIXEL_DATA) as Element;
  const { allocated, stored, signed } = pixels;
  const from = element.valueFrom + frame * into.length * (allocated / 8);
  const empty = 32 - stored;
  const shorten = (v: number): number => (signed ? (v << empty) >> empty : (v << empty) >>> empty);
  if (allocated === 8) {
    if (!syntax.littleEndian && element.vr === 'OW')
      throw new Refusal('datatype-unsupported', 'expected bytes of voxels, found them in swapped words');
    for (let o = 0; o < into.length; o++) into[o] = shorten(bytes[from + o] as number);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let o = 0; o < into.length; o++) into[o] = shorten(view.getUint16(from + 2 * o, syntax.littleEndian));
}

/** Smallest and largest value are known when the voxels are. */
function extremesIn(header: Uint8Array): readonly Element[] {
  return walk(header).elements.filter(({ tag }) => tag === SMALLEST_PIXEL || tag === LARGEST_PIXEL);
}

export function withoutExtremes(header: Uint8Array): Uint8Array {
  const copy = new Uint8Array(header);
  for (const { valueFrom, valueTo } of extremesIn(header)) copy.fill(0, valueFrom, valueTo);
  return copy;
}

/** A whole file: a header with its extremes put right, and its voxels, none of which is outside of the bits that are stored. */
export function fileOf(header: Uint8Array, voxels: StoredArray): Uint8Array {
  const file = walk(header);
  const [low, high] = rangeOf(pixelsOfHeader(file));
  let [smallest, largest] = [high, low];
  const clamped = voxels.slice() as Uint8Array | Int8Array | Uint16Array | Int16Array;
  for (let o = 0; o < clamped.length; o++) {
    // New voxels alone: what was read is within the bits that are stored.
    const v = Math.min(high, Math.max(low, clamped[o] as number));
    clamped[o] = v;
    if (v < smallest) smallest = v;
    if (v > largest) largest = v;
  }
  const head = new Uint8Array(header);
  for (const { tag, valueFrom } of extremesIn(header))
    head.set(words16([tag === SMALLEST_PIXEL ? smallest : largest], file.syntax), valueFrom);
  const raw = new Uint8Array(clamped.buffer, clamped.byteOffset, clamped.byteLength);
  const bytes = new Uint8Array(raw.length + (raw.length % 2));
  bytes.set(raw);
  const vr = clamped.BYTES_PER_ELEMENT === 1 ? 'OB' : 'OW';
  if (vr === 'OW' && file.syntax.littleEndian !== HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, 2);
  return joinBytes([head, encodeElement(PIXEL_DATA, vr, bytes, file.syntax)]);
}

function pixelsOfHeader(file: WalkedFile): PixelFacts {
  const values = new Values(file);
  const word = (tag: number): number => values.word(tag) ?? 0;
  return {
    rows: word(0x00280010),
    columns: word(0x00280011),
    allocated: word(0x00280100) === 8 ? 8 : 16,
    stored: word(0x00280101),
    signed: word(0x00280103) === 1,
    inverted: false,
  };
}
