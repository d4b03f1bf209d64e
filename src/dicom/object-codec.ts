/**
 * An enhanced object as an image of one file, for the pipeline: frames sorted into volumes, a scaling for each, and the header that the
 * new file will have. It is written back in the order in which its frames came.
 *
 * @example
 * const image = readObject(file, (walked) => cleanHeader(walked, cleaning), words);
 */
import { Failure, Refusal } from '../errors/errors.js';
import type { ImageCodec } from '../formats/codec.js';
import { allocate, type StoredArray } from '../formats/datatypes.js';
import type { StoredImage } from '../formats/image.js';
import { strayElements } from './audit.js';
import { describe } from './describe.js';
import { gridOf, type Layout, layoutOf } from './frames.js';
import { airSaidBy, datatypeOf, fileOf, readVoxels, scalings, withoutExtremes } from './pixels.js';
import { NOTHING, type Retained } from './retain.js';
import { headerOf, sameBytes } from './series-codec.js';
import type { FrameFacts } from './slice-facts.js';
import { type WalkedFile, walk } from './walker.js';

const FORMAT = 'dicom-object';

/**
 * @param header what `SourceFile.header` is to be: the new file without its voxels
 * @param words of the person, that no result may hold  @param retained what may stand in one all the same
 * @throws {Refusal} as `describe`, `layoutOf` and `gridOf` say
 */
export function readObject(
  file: WalkedFile,
  header: (file: WalkedFile) => Uint8Array,
  words: readonly string[],
  retained: Retained = NOTHING,
): StoredImage {
  const layout = layoutOf(framesOf(file));
  return readBy(file, layout, header, objectCodec(words, layout, retained));
}

function framesOf(file: WalkedFile): readonly FrameFacts[] {
  const found = describe(file);
  if (found.kind === 'frames') return found.frames;
  throw new Refusal(
    'header-invalid',
    found.kind === 'slice' ? 'expected an enhanced object, found a slice' : found.why,
  );
}

function readBy(
  file: WalkedFile,
  layout: Layout,
  header: (file: WalkedFile) => Uint8Array,
  codec: ImageCodec,
): StoredImage {
  const frames = framesOf(file);
  const inOrder = layout.flat();
  if (inOrder.length !== frames.length) throw new Failure('internal', 'a layout of other frames');
  const grid = gridOf(frames, layout);
  const { pixels } = frames[0] as FrameFacts;
  const datatype = datatypeOf(pixels);
  const perFrame = pixels.rows * pixels.columns;
  const stored = allocate(datatype, perFrame * inOrder.length);
  for (const [k, frame] of inOrder.entries())
    readVoxels(file, pixels, stored.subarray(k * perFrame, (k + 1) * perFrame), frame);
  const sorted = inOrder.map((i) => frames[i] as FrameFacts);
  return {
    format: FORMAT,
    codec,
    grid,
    volumes: layout.length,
    datatype,
    stored,
    scaling: scalings(sorted),
    files: [{ header: header(file) }],
    littleEndian: file.syntax.littleEndian,
    ...airSaidBy(sorted),
  };
}

/** @param layout of the frames as they came: what is written reads back by it, and not by what the new header says of it */
function objectCodec(words: readonly string[], layout: Layout, retained: Retained): ImageCodec {
  const codec: ImageCodec = {
    format: FORMAT,
    title: 'enhanced DICOM object',
    endings: ['.dcm'],
    doubts: () => [],
    sniff: () => undefined,
    fileNames: (name) => ({ compressed: false, files: [name] }),
    read: async ([{ bytes }]) => readBy(walk(bytes), layout, headerOf, codec),
    write: async (like, stored, _, { names }) => [
      {
        name: `${names.files[0]}/000001.dcm`,
        bytes: fileOf(like.files[0].header, inFrameOrder(stored, layout)),
      },
    ],
    retype: () => undefined,
    audit: ({ files: [original] }, { files: [result] }) => ({
      sameGeometry: sameBytes(withoutExtremes(result.header), original.header),
      strayBytes: strayElements(result.header, words, retained),
    }),
  };
  return codec;
}

function inFrameOrder(stored: StoredArray, layout: Layout): StoredArray {
  const inOrder = layout.flat();
  const perFrame = stored.length / inOrder.length;
  const out = stored.slice();
  for (const [k, frame] of inOrder.entries())
    (out as Uint8Array).set(
      stored.subarray(k * perFrame, (k + 1) * perFrame) as Uint8Array,
      frame * perFrame,
    );
  return out;
}
