/**
 * Order statistics of voxels.
 *
 * @example
 * const level = quantile(valuesInside(volume.data, mask.data), 0.5);
 */
import type { VoxelArray } from './volume.js';

/** Copies the finite values where `mask`, of 0 and 1, is set. */
export function valuesInside(data: VoxelArray, mask: Uint8Array): Float32Array {
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const out = new Float32Array(pickInside(values, mask, undefined));
  pickInside(values, mask, out);
  return out;
}

/** From run to run of a mask: a brain fills a seventh of a scan. @returns how many values there are */
function pickInside(values: Float32Array, mask: Uint8Array, out: Float32Array | undefined): number {
  let n = 0;
  for (let i = mask.indexOf(1); i >= 0; i = mask.indexOf(1, i))
    for (; mask[i] === 1; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) continue;
      if (out !== undefined) out[n] = value;
      n++;
    }
  return n;
}

/**
 * Linear interpolation between ranks (type 7); NaN when empty. Reorders `values`: selection instead of a sort, 15 ms
 * instead of 150 for a brain at 1 mm.
 */
export function quantile(values: Float32Array, q: number): number {
  if (values.length === 0) return Number.NaN;
  const position = (values.length - 1) * Math.min(1, Math.max(0, q));
  const low = Math.floor(position);
  select(values, low);
  const a = values[low] as number;
  if (position === low) return a;
  let b = Number.POSITIVE_INFINITY;
  for (let i = low + 1; i < values.length; i++) b = Math.min(b, values[i] as number);
  return a + (b - a) * (position - low);
}

/** Hoare's selection: afterwards `values[rank]` is what a sort would put there, smaller ones before it, larger behind. */
function select(values: Float32Array, rank: number): void {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    // The median of three guards against sorted input.
    const [x, y, z] = [values[low], values[(low + high) >> 1], values[high]] as [number, number, number];
    const pivot = Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const swap = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = swap;
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else return;
  }
}
