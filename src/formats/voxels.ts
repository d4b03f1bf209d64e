/**
 * From stored voxels to values and back: value = stored * slope + intercept.
 *
 * @example
 * const values = frameValues(image, 0);
 * toStored(image, newValues, result, 0, outsideBrain); // brain voxels of `result` stay as they are
 */
import { Failure, Refusal } from '../errors/errors.js';
import { voxelCount } from '../volume/volume.js';
import { DATATYPES, type StoredArray } from './datatypes.js';
import type { StoredImage } from './stored-image.js';

function frameBounds(image: StoredImage, frame: number): { first: number; count: number } {
  if (!Number.isInteger(frame) || frame < 0 || frame >= image.frames)
    throw new Failure('internal', `frame ${frame} of ${image.frames}`);
  const count = voxelCount(image.grid.shape);
  return { first: frame * count, count };
}

/**
 * The values of one frame, scaling applied in double precision; an array of its own. Voxels that are not finite
 * stay so; values beyond single precision become infinite.
 */
export function frameValues(image: StoredImage, frame: number): Float32Array {
  const { first, count } = frameBounds(image, frame);
  const { slope, intercept } = image;
  const source = image.stored.subarray(first, first + count);
  if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = Number(source[i]) * slope + intercept;
    return out;
  }
  if (slope === 1 && intercept === 0) return new Float32Array(source);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = (source[i] as number) * slope + intercept;
  return out;
}

/**
 * Writes values into stored voxels of a frame where `only` is not 0: unscaled, rounded to the nearest integer (halves
 * up) and clamped into the type; a value that is not a number counts as 0. Nothing else in `into` is touched.
 *
 * @param values one per voxel of a frame, in the image's units
 * @param into all frames, of the image's type
 * @param only one per voxel of a frame
 */
export function toStored(
  image: StoredImage,
  values: Float32Array,
  into: StoredArray,
  frame: number,
  only: Uint8Array,
): void {
  const { first, count } = frameBounds(image, frame);
  const { array, range } = DATATYPES[image.datatype];
  if (
    !(into instanceof array) ||
    into.length !== count * image.frames ||
    values.length !== count ||
    only.length !== count
  )
    throw new Failure('internal', 'values, mask and stored voxels do not belong together');
  const { slope, intercept } = image;
  const unscale = (i: number): number => {
    const value = values[i] as number;
    return ((Number.isNaN(value) ? 0 : value) - intercept) / slope;
  };
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) {
    const [low, high] = range ?? [0n, 0n];
    for (let i = 0; i < count; i++) {
      if (only[i] === 0) continue;
      const v = Math.round(unscale(i));
      // Number(high) rounds up to 2^63 or 2^64, so that everything from there on is beyond the type.
      into[first + i] = v <= Number(low) ? low : v >= Number(high) ? high : BigInt(v);
    }
    return;
  }
  // Values that overflow single precision are clamped to its largest, so that no infinity is made here.
  const single = 3.4028234663852886e38;
  const low = range ? Number(range[0]) : image.datatype === 'float32' ? -single : -Number.MAX_VALUE;
  const high = range ? Number(range[1]) : image.datatype === 'float32' ? single : Number.MAX_VALUE;
  for (let i = 0; i < count; i++) {
    if (only[i] === 0) continue;
    const v = unscale(i);
    into[first + i] = Math.min(Math.max(range ? Math.round(v) : v, low), high);
  }
}

/**
 * Refuses an image in which nothing can be seen: all finite voxels equal, or none finite. Looks no further than
 * the first two that differ.
 * @throws {Refusal} no-signal
 */
export function requireSignal(stored: StoredArray): void {
  let seen: number | bigint | undefined;
  for (let i = 0; i < stored.length; i++) {
    const v = stored[i] as number | bigint;
    if (typeof v === 'number' && !Number.isFinite(v)) continue;
    if (seen === undefined) seen = v;
    else if (v !== seen) return;
  }
  throw new Refusal(
    'no-signal',
    seen === undefined
      ? 'expected an image with voxels of different values, found none that is finite'
      : `expected an image with voxels of different values, found ${seen} everywhere`,
  );
}
