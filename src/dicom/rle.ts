/**
 * RLE Lossless (PS3.5, annex G): a frame is up to 15 runs of bytes, one for each byte of a voxel, the highest first.
 *
 * @example
 * const voxels = decodeRle(fragment, { voxels: 512 * 512, bytesPerVoxel: 2 }); // little endian
 */
import { Refusal } from '../errors/errors.js';

/** Number of segments and their places. */
const HEADER = 64;

/** @throws {Refusal} corrupt */
export function decodeRle(
  data: Uint8Array,
  { voxels, bytesPerVoxel }: { readonly voxels: number; readonly bytesPerVoxel: number },
): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = data.length < HEADER ? 0 : view.getUint32(0, true);
  if (count !== bytesPerVoxel)
    throw corrupt(`expected RLE voxels in ${bytesPerVoxel} segments, found ${count}`);
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 * (i + 1), true));
  const out = new Uint8Array(voxels * bytesPerVoxel);
  for (const [i, from] of starts.entries()) {
    const to = starts[i + 1] ?? data.length;
    if (from < HEADER || to < from || to > data.length)
      throw corrupt('expected RLE segments one behind the other, found others');
    unpack(data.subarray(from, to), out, bytesPerVoxel - 1 - i, bytesPerVoxel);
  }
  return out;
}

/** Every `step`-th byte of `out`, from `first`. */
function unpack(segment: Uint8Array, out: Uint8Array, first: number, step: number): void {
  let at = first;
  for (let i = 0; at < out.length; ) {
    const control = segment[i++];
    if (control === undefined) throw corrupt('expected RLE voxels to the end of the picture, found fewer');
    if (control === 128) continue;
    const literal = control < 128;
    const n = literal ? control + 1 : 257 - control;
    if (i + (literal ? n : 1) > segment.length)
      throw corrupt('expected RLE voxels to the end of the picture, found fewer');
    for (let k = 0; k < n && at < out.length; k++, at += step)
      out[at] = segment[literal ? i + k : i] as number;
    i += literal ? n : 1;
  }
}

function corrupt(message: string): Refusal {
  return new Refusal('corrupt', message);
}
