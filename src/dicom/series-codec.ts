/**
 * A stack of a DICOM series as an image of many files, for the pipeline: voxels of all slices, a scaling for each, and per slice the
 * header that the new file will have. It stands above the table of formats, as it needs what a person's files have in common (their
 * words), so images carry it along.
 *
 * @example
 * const image = readStack(files, (file) => cleanHeader(file, cleaning), seriesCodec(words));
 */
import { Failure, Refusal } from '../errors/errors.js';
import type { ImageCodec } from '../formats/codec.js';
import {
  allocate,
  type Datatype,
  HOST_IS_LITTLE_ENDIAN,
  type StoredArray,
  swapBytes,
} from '../formats/datatypes.js';
import type { NamedBytes, Scaling, SourceFile, StoredImage } from '../formats/image.js';
import { joinBytes } from '../volume/bytes.js';
import { LARGEST_PIXEL, PIXEL_DATA, SMALLEST_PIXEL } from './allow-list.js';
import { encodeElement, words16 } from './assemble.js';
import { strayElements } from './audit.js';
import { describe, type PixelFacts, type SliceFacts } from './describe.js';
import { stackGrid } from './stack.js';
import { Values } from './values.js';
import { type Element, type WalkedFile, walk } from './walker.js';

const FORMAT = 'dicom-series';

interface ReadSlice {
  readonly file: WalkedFile;
  readonly slice: SliceFacts;
}

/**
 * @param files of one stack, in any order
 * @param header what `SourceFile.header` is to be: the new file without its voxels
 * @throws {Refusal} as `stackGrid` and `describe` say
 */
export function readStack(
  files: readonly WalkedFile[],
  header: (file: WalkedFile) => Uint8Array,
  codec: ImageCodec,
): StoredImage {
  const read = files.map((file): ReadSlice => {
    const found = describe(file);
    if (found.kind === 'slice') return { file, slice: found.slice };
    throw new Refusal(
      'header-invalid',
      found.kind === 'refused' ? found.why : `expected MR slices, found ${found.why}`,
    );
  });
  const { order, grid } = stackGrid(read.map(({ slice }) => slice));
  const sorted = order.map((i) => read[i] as ReadSlice);
  const { pixels } = (sorted[0] as ReadSlice).slice;
  const datatype = datatypeOf(pixels);
  const perSlice = pixels.rows * pixels.columns;
  const stored = allocate(datatype, perSlice * sorted.length);
  const scaling = sorted.map(({ file, slice }, k) => {
    readVoxels(file, slice.pixels, stored.subarray(k * perSlice, (k + 1) * perSlice));
    return scalingOfSlice(slice);
  }) as unknown as readonly [Scaling, ...Scaling[]];
  const sources = sorted.map(({ file }): SourceFile => ({ header: header(file) }));
  return {
    format: FORMAT,
    codec,
    grid,
    volumes: 1,
    datatype,
    stored,
    scaling: sameForAll(scaling) ? [scaling[0]] : scaling,
    files: sources as unknown as StoredImage['files'],
    littleEndian: (sorted[0] as ReadSlice).file.syntax.littleEndian,
    ...airSaidBy(sorted.map(({ slice }) => slice)),
  };
}

function sameForAll(scaling: readonly Scaling[]): boolean {
  const [first] = scaling;
  return scaling.every((s) => s.slope === first?.slope && s.intercept === first?.intercept);
}

/** A padding value that means the same in every slice. */
function airSaidBy(slices: readonly SliceFacts[]): { airSaid?: number } {
  const said = slices.map((slice) => {
    const { slope, intercept } = scalingOfSlice(slice);
    return (slice.padding ?? Number.NaN) * slope + intercept;
  });
  const [low, high] = [Math.min(...said), Math.max(...said)];
  return high - low <= 1e-3 * Math.abs(low) ? { airSaid: low } : {};
}

function datatypeOf({ allocated, signed }: PixelFacts): Datatype {
  return allocated === 8 ? (signed ? 'int8' : 'uint8') : signed ? 'int16' : 'uint16';
}

/** Lowest and highest stored value. */
function rangeOf({ stored, signed }: PixelFacts): readonly [number, number] {
  return signed ? [-(2 ** (stored - 1)), 2 ** (stored - 1) - 1] : [0, 2 ** stored - 1];
}

/** Where dark is high (MONOCHROME1) values count down from the highest. */
function scalingOfSlice({ pixels, slope, intercept }: SliceFacts): Scaling {
  if (!pixels.inverted) return { slope, intercept };
  const [low, high] = rangeOf(pixels);
  return { slope: -slope, intercept: intercept + slope * (low + high) };
}

/** Bits above the highest one stored are no part of a value: old files hold overlays there. They become 0, or the sign. */
function readVoxels({ bytes, syntax, elements }: WalkedFile, pixels: PixelFacts, into: StoredArray): void {
  const element = elements.find(({ tag }) => tag === PIXEL_DATA) as Element;
  const { allocated, stored, signed } = pixels;
  const { valueFrom } = element;
  const empty = 32 - stored;
  const shorten = (v: number): number => (signed ? (v << empty) >> empty : (v << empty) >>> empty);
  if (allocated === 8) {
    if (!syntax.littleEndian && element.vr === 'OW')
      throw new Refusal('datatype-unsupported', 'expected bytes of voxels, found them in swapped words');
    for (let o = 0; o < into.length; o++) into[o] = shorten(bytes[valueFrom + o] as number);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let o = 0; o < into.length; o++)
    into[o] = shorten(view.getUint16(valueFrom + 2 * o, syntax.littleEndian));
}

/** @param words of the person, that no result may hold */
export function seriesCodec(words: readonly string[]): ImageCodec {
  const codec: ImageCodec = {
    format: FORMAT,
    title: 'DICOM series',
    endings: ['.dcm'],
    // One frame of reference, in each file the same way: nothing to be understood in two ways.
    doubts: () => [],
    sniff: () => undefined,
    fileNames: (name) => ({ compressed: false, files: [name] }),
    read: async (files) => {
      const read: WalkedFile[] = [];
      const image = readStack(
        files.map(({ bytes }) => walk(bytes)),
        (file) => {
          read.push(file);
          return headerOf(file);
        },
        codec,
      );
      if (!read.every(({ bytes }, k) => bytes === files[k]?.bytes))
        throw new Failure('internal', 'slices that were written in another order');
      return image;
    },
    write: async (like, stored, _, { names }) => {
      const perSlice = stored.length / like.files.length;
      const written = like.files.map(
        ({ header }, k): NamedBytes => ({
          name: `${names.files[0]}/${String(k + 1).padStart(6, '0')}.dcm`,
          bytes: writtenSlice(header, stored.subarray(k * perSlice, (k + 1) * perSlice)),
        }),
      );
      return written as unknown as readonly [NamedBytes, ...NamedBytes[]];
    },
    retype: () => undefined,
    audit(original, result) {
      const same =
        result.files.length === original.files.length &&
        result.files.every(({ header }, k) =>
          sameBytes(withoutExtremes(header), original.files[k]?.header ?? new Uint8Array(0)),
        );
      const strayBytes = result.files.reduce((sum, { header }) => sum + strayElements(header, words), 0);
      return { sameGeometry: same, strayBytes };
    },
  };
  return codec;
}

/** All of a result but its voxels, which must be the last thing in it. */
function headerOf({ bytes, elements, trailing }: WalkedFile): Uint8Array {
  const last = elements.at(-1);
  if (last?.tag !== PIXEL_DATA || trailing !== 0)
    throw new Failure('internal', 'a result in which something stands behind the voxels');
  return bytes.slice(0, last.from);
}

/** Smallest and largest value are known when the voxels are. */
function extremesIn(header: Uint8Array): readonly Element[] {
  return walk(header).elements.filter(({ tag }) => tag === SMALLEST_PIXEL || tag === LARGEST_PIXEL);
}

function withoutExtremes(header: Uint8Array): Uint8Array {
  const copy = new Uint8Array(header);
  for (const { valueFrom, valueTo } of extremesIn(header)) copy.fill(0, valueFrom, valueTo);
  return copy;
}

function writtenSlice(header: Uint8Array, voxels: StoredArray): Uint8Array {
  const file = walk(header);
  const pixels = pixelsOfHeader(file);
  const [low, high] = rangeOf(pixels);
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

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
