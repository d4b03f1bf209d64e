/**
 * A file with compressed voxels as a plain one: its pixel data decoded, all else as it stands, in explicit little endian. So nothing
 * behind it knows of compression; marks of an earlier lossy one are elements, and stay.
 *
 * @example
 * const file = await decompressed(walk(bytes), decoders);
 */
import { isRefusal, Refusal } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
import { PIXEL_DATA } from './allow-list.js';
import { encodeElement, uidText, verbatim } from './assemble.js';
import { framesOf } from './fragments.js';
import { decodeRle } from './rle.js';
import { type Compression, EXPLICIT_LITTLE } from './syntax.js';
import { Values } from './values.js';
import { TRANSFER_SYNTAX, type WalkedFile, walk } from './walker.js';

export interface FrameSize {
  readonly rows: number;
  readonly columns: number;
}

/** Voxels row by row, little endian where they have two bytes. */
export interface DecodedFrame extends FrameSize {
  readonly components: number;
  readonly bytesPerVoxel: 1 | 2;
  readonly bytes: Uint8Array;
}

/**
 * One frame. What a codestream says of its own size is compared with `size` before memory is taken for it.
 * @throws anything where it cannot
 */
export type Decoder = (data: Uint8Array, size: FrameSize) => Promise<DecodedFrame>;
export type Decoders = Readonly<Record<Exclude<Compression, 'rle'>, Decoder>>;

/** @throws {Refusal} corrupt, datatype-unsupported, header-invalid */
export async function decompressed(file: WalkedFile, decoders: Decoders): Promise<WalkedFile> {
  const { compressed, decoder } = file.syntax;
  if (compressed === undefined) return file;
  if (decoder === undefined)
    throw new Refusal('datatype-unsupported', `expected voxels that can be decoded, found ${compressed}`);
  const values = new Values(file);
  const [rows, columns, allocated] = [0x00280010, 0x00280011, 0x00280100].map(
    (tag) => values.word(tag) ?? 0,
  ) as [number, number, number];
  const element = values.get(PIXEL_DATA);
  const frames = values.number(0x00280008) ?? 1;
  const bytesPerVoxel = allocated === 8 ? 1 : 2;
  const voxels = rows * columns;
  if (element?.fragments === undefined || !(voxels > 0) || !(frames >= 1 && frames * voxels < 2 ** 30))
    throw new Refusal('header-invalid', `expected ${compressed} voxels in fragments, found none`);
  const parts: Uint8Array[] = [];
  for (const data of framesOf(file, element, frames)) {
    if (decoder === 'rle') parts.push(decodeRle(data, { voxels, bytesPerVoxel }));
    else
      parts.push(
        asWide(await decodedBy(decoders[decoder], data, { rows, columns }, compressed), bytesPerVoxel),
      );
  }
  const native = joinBytes(parts);
  const padded = native.length % 2 === 0 ? native : joinBytes([native, new Uint8Array(1)]);
  const { bytes, meta, elements } = file;
  return walk(
    joinBytes([
      bytes.subarray(0, file.preamble ? 132 : 0),
      ...meta.map((each) =>
        each.tag === TRANSFER_SYNTAX
          ? encodeElement(TRANSFER_SYNTAX, 'UI', uidText(EXPLICIT_LITTLE.uid), EXPLICIT_LITTLE)
          : verbatim(file, each),
      ),
      ...elements.map((each) =>
        each.tag === PIXEL_DATA
          ? encodeElement(PIXEL_DATA, bytesPerVoxel === 1 ? 'OB' : 'OW', padded, EXPLICIT_LITTLE)
          : verbatim(file, each),
      ),
    ]),
  );
}

async function decodedBy(
  decode: Decoder,
  data: Uint8Array,
  size: FrameSize,
  compressed: string,
): Promise<DecodedFrame> {
  let frame: DecodedFrame;
  try {
    frame = await decode(data, size);
  } catch (cause) {
    if (isRefusal(cause)) throw cause;
    throw new Refusal('corrupt', `expected ${compressed} voxels, found data that cannot be decoded`, {
      cause,
    });
  }
  requireSize(frame, size);
  if (frame.bytes.length !== frame.rows * frame.columns * frame.bytesPerVoxel)
    throw new Refusal('corrupt', `expected ${compressed} voxels of the whole picture, found fewer`);
  return frame;
}

/** Of a codestream and of what was decoded. @throws {Refusal} header-invalid */
export function requireSize(
  { rows, columns, components }: Omit<DecodedFrame, 'bytes' | 'bytesPerVoxel'>,
  size: FrameSize,
): void {
  if (rows !== size.rows || columns !== size.columns || components !== 1)
    throw new Refusal(
      'header-invalid',
      `expected compressed voxels of ${size.columns} x ${size.rows} with 1 value each, found ${columns} x ${rows} with ${components}`,
    );
}

/** As many bytes a voxel as the header says: a codec that needs one for eight bits gives one. */
function asWide({ bytes, bytesPerVoxel }: DecodedFrame, wanted: 1 | 2): Uint8Array {
  if (bytesPerVoxel === wanted) return bytes;
  if (bytesPerVoxel > wanted)
    throw new Refusal('header-invalid', 'expected compressed voxels of 8 bits, found more');
  const wide = new Uint8Array(2 * bytes.length);
  for (let o = 0; o < bytes.length; o++) wide[2 * o] = bytes[o] as number;
  return wide;
}
