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
import { allocate } from '../formats/datatypes.js';
import type { NamedBytes, SourceFile, StoredImage } from '../formats/image.js';
import { PIXEL_DATA } from './allow-list.js';
import { strayElements } from './audit.js';
import { describe } from './describe.js';
import { airSaidBy, datatypeOf, fileOf, readVoxels, scalings, withoutExtremes } from './pixels.js';
import { NOTHING, type Retained } from './retain.js';
import type { SliceFacts } from './slice-facts.js';
import { stackGrid } from './stack.js';
import { type WalkedFile, walk } from './walker.js';

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
      found.kind === 'frames' ? 'expected MR slices, found an enhanced object' : found.why,
    );
  });
  const { order, grid } = stackGrid(read.map(({ slice }) => slice));
  const sorted = order.map((i) => read[i] as ReadSlice);
  const { pixels } = (sorted[0] as ReadSlice).slice;
  const datatype = datatypeOf(pixels);
  const perSlice = pixels.rows * pixels.columns;
  const stored = allocate(datatype, perSlice * sorted.length);
  for (const [k, { file, slice }] of sorted.entries())
    readVoxels(file, slice.pixels, stored.subarray(k * perSlice, (k + 1) * perSlice));
  const slices = sorted.map(({ slice }) => slice);
  const sources = sorted.map(({ file }): SourceFile => ({ header: header(file) }));
  return {
    format: FORMAT,
    codec,
    grid,
    volumes: 1,
    datatype,
    stored,
    scaling: scalings(slices),
    files: sources as unknown as StoredImage['files'],
    littleEndian: (sorted[0] as ReadSlice).file.syntax.littleEndian,
    ...airSaidBy(slices),
  };
}

/** @param words of the person, that no result may hold @param retained what may stand in one all the same */
export function seriesCodec(words: readonly string[], retained: Retained = NOTHING): ImageCodec {
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
          bytes: fileOf(header, stored.subarray(k * perSlice, (k + 1) * perSlice)),
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
      const strayBytes = result.files.reduce(
        (sum, { header }) => sum + strayElements(header, words, retained),
        0,
      );
      return { sameGeometry: same, strayBytes };
    },
  };
  return codec;
}

/** All of a result but its voxels, which must be the last thing in it. */
export function headerOf({ bytes, elements, trailing }: WalkedFile): Uint8Array {
  const last = elements.at(-1);
  if (last?.tag !== PIXEL_DATA || trailing !== 0)
    throw new Failure('internal', 'a result in which something stands behind the voxels');
  return bytes.slice(0, last.from);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
