/**
 * From stored voxels to values and back: value = stored * slope + intercept, for all slices or for each.
 *
 * @example
 * const values = scaledData(image, 0);
 * unscale(image, newValues, result, 0, outsideBrain); // brain voxels of `result` stay as they are
 */
import { Failure, Refusal } from '../errors/errors.js';
import { type Volume, voxelCount } from '../volume/volume.js';
import { DATATYPES, type Datatype, type StoredArray } from './datatypes.js';
import { type Described, requireImage, type StoredImage, scalingOf } from './image.js';

function volumeBounds(image: Described, volume: number): { first: number; count: number } {
  if (!Number.isInteger(volume) || volume < 0 || volume >= image.volumes)
    throw new Failure('internal', `volume ${volume} of ${image.volumes}`);
  const count = voxelCount(image.grid.shape);
  return { first: volume * count, count };
}

/**
 * The values of one volume, scaling applied in double precision; an array of its own. Voxels that are not finite
 * stay so; values beyond single precision become infinite.
 */
export function scaledData(image: StoredImage, volume: number): Float32Array {
  requireImage(image);
  const { first, count } = volumeBounds(image, volume);
  const source = image.stored.subarray(first, first + count);
  const parts = scaledParts(image, volume);
  const plain = parts.every(({ slope, intercept }) => slope === 1 && intercept === 0);
  if (plain && !(source instanceof BigInt64Array || source instanceof BigUint64Array))
    return new Float32Array(source);
  const out = new Float32Array(count);
  for (const { from, to, slope, intercept } of parts)
    if (source instanceof BigInt64Array || source instanceof BigUint64Array)
      for (let i = from; i < to; i++) out[i] = Number(source[i]) * slope + intercept;
    else for (let i = from; i < to; i++) out[i] = (source[i] as number) * slope + intercept;
  return out;
}

/**
 * A scan as everything here reads one that looks for a brain, a face or a surface in it: the values of one volume, all
 * finite. What is not (NaN outside of a field of view, an infinity) is air: 0, or the lowest value of a scan that has
 * values below 0. Whether the brain itself is whole is asked of the stored voxels (`volumeStatistics`).
 */
export function finiteVolume(image: StoredImage, volume = 0): Volume {
  const data = scaledData(image, volume);
  let [lowest, broken] = [0, 0];
  for (let o = 0; o < data.length; o++) {
    const v = data[o] as number;
    if (!Number.isFinite(v)) broken++;
    else if (v < lowest) lowest = v;
  }
  if (broken > 0) for (let o = 0; o < data.length; o++) if (!Number.isFinite(data[o])) data[o] = lowest;
  return { grid: image.grid, data };
}

/** The stretches of a volume's voxels that are scaled alike: all of them, or slice by slice. */
function scaledParts(
  image: Described,
  volume: number,
): { from: number; to: number; slope: number; intercept: number }[] {
  const [nx, ny, nz] = image.grid.shape;
  if (image.scaling.length === 1) return [{ from: 0, to: nx * ny * nz, ...scalingOf(image, 0) }];
  return Array.from({ length: nz }, (_, k) => ({
    from: k * nx * ny,
    to: (k + 1) * nx * ny,
    ...scalingOf(image, volume * nz + k),
  }));
}

/**
 * Writes values into stored voxels of a volume where `only` is not 0: unscaled, rounded to the nearest integer (halves
 * up) and clamped into the type; a value that is not a number counts as 0. Nothing else in `into` is touched.
 *
 * @param values one per voxel of a volume, in the image's units
 * @param into all volumes, of the image's type
 * @param only one per voxel of a volume
 */
export function unscale(
  image: Described,
  values: Float32Array,
  into: StoredArray,
  volume: number,
  only: Uint8Array,
): void {
  const { first, count } = volumeBounds(image, volume);
  const { array } = DATATYPES[image.datatype];
  if (
    !(into instanceof array) ||
    into.length !== count * image.volumes ||
    values.length !== count ||
    only.length !== count
  )
    throw new Failure('internal', 'values, mask and stored voxels do not belong together');
  for (const part of scaledParts(image, volume))
    writePart(image.datatype, values, into.subarray(first, first + count), only, part);
}

function writePart(
  datatype: Datatype,
  values: Float32Array,
  into: StoredArray,
  only: Uint8Array,
  { from, to, slope, intercept }: { from: number; to: number; slope: number; intercept: number },
): void {
  const { range } = DATATYPES[datatype];
  const storedValue = (i: number): number => {
    const value = values[i] as number;
    return ((Number.isNaN(value) ? 0 : value) - intercept) / slope;
  };
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) {
    const [low, high] = range ?? [0n, 0n];
    for (let i = from; i < to; i++) {
      if (only[i] === 0) continue;
      const v = Math.round(storedValue(i));
      // Number(high) rounds up to 2^63 or 2^64, so that everything from there on is beyond the type.
      into[i] = v <= Number(low) ? low : v >= Number(high) ? high : BigInt(v);
    }
    return;
  }
  // Values that overflow single precision are clamped to its largest, so that no infinity is made here.
  const single = 3.4028234663852886e38;
  const low = range ? Number(range[0]) : datatype === 'float32' ? -single : -Number.MAX_VALUE;
  const high = range ? Number(range[1]) : datatype === 'float32' ? single : Number.MAX_VALUE;
  for (let i = from; i < to; i++) {
    if (only[i] === 0) continue;
    const v = storedValue(i);
    into[i] = Math.min(Math.max(range ? Math.round(v) : v, low), high);
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
