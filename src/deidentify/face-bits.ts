/**
 * What tells that stored values were kept, though something may have been drawn over them: words made of single stored
 * values, under the skin of a face or all through its zone.
 *
 * @example
 * const before = bitsUnder(volume, place, depth);
 * // ... the volume becomes a result ...
 * const same = before[ray] !== 0 && before[ray] === bitsUnder(result, place, depth)[ray];
 */
import { invert, multiply } from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import { FROM_MM, type Rays, rayInVoxels } from './face-rays.js';

/** Where rays run. */
export type Place = Pick<Rays, 'frame' | 'scale' | 'chart'>;

/** Reads the nearest voxel of a ray, so many mm from the axis; NaN outside the scan. */
function reader(volume: Volume, { frame, scale, chart }: Place): (ray: number, radius: number) => number {
  const toVoxel = multiply(invert(volume.grid.affine), frame);
  const [nx, ny, nz] = volume.grid.shape;
  let known = -1;
  let line = rayInVoxels(toVoxel, chart, scale, 0);
  return (ray, radius) => {
    if (ray !== known) line = rayInVoxels(toVoxel, chart, scale, ray);
    known = ray;
    const [i, j, k] = [0, 1, 2].map((axis) =>
      Math.round((line[axis] as number) + (line[axis + 3] as number) * radius),
    ) as [number, number, number];
    if (!(i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz)) return Number.NaN;
    return volume.data[i + nx * (j + ny * k)] as number;
  };
}

const VALUE = new Float32Array(1);
const WORD = new Int32Array(VALUE.buffer);

function mixed(hash: number, value: number): number {
  VALUE[0] = value;
  const h = Math.imul(hash ^ (WORD[0] as number), 2654435761);
  return h ^ (h >>> 15);
}

/** mm under the skin. */
const UNDER = [1, 3, 5];

/** One word a ray; 0 where its three values are the same or outside the scan, so that nothing can be told. */
export function bitsUnder(volume: Volume, place: Place, depth: Float32Array): Int32Array {
  const read = reader(volume, place);
  return Int32Array.from(depth, (d, ray) => {
    if (Number.isNaN(d)) return 0;
    const values = UNDER.map((under) => read(ray, FROM_MM - d - under / place.scale));
    // NaN makes this false.
    if (!(Math.max(...values) > Math.min(...values))) return 0;
    return values.reduce(mixed, 17) || 1;
  });
}

/** Distances from the axis (mm) that hold the skin of most faces: cheeks of IXI heads lie at 63 to 99. */
const LAYERS = [66, 70, 74, 78, 82, 86, 90, 94];

/**
 * `LAYERS.length` words a ray, for scans whose air hides the skin; 0 outside the scan, and for the least and greatest
 * value there are, which much of such air shares.
 */
export function zoneBits(volume: Volume, place: Place): Int32Array {
  const read = reader(volume, place);
  const count = place.chart.columns * place.chart.rows;
  const values = Float32Array.from({ length: count * LAYERS.length }, (_, o) =>
    read(Math.floor(o / LAYERS.length), LAYERS[o % LAYERS.length] as number),
  );
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return Int32Array.from(values, (v) => (v > low && v < high ? mixed(17, v) || 1 : 0));
}
