/**
 * Order statistics of voxels.
 *
 * @example
 * const level = quantile(valuesInside(volume.data, mask.data), 0.5);
 */
import type { VoxelArray } from './volume.js';

/** Copies the finite values where `mask` is set. */
export function valuesInside(data: VoxelArray, mask: Uint8Array): Float32Array {
  let n = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0 && Number.isFinite(data[i])) n++;
  const out = new Float32Array(n);
  n = 0;
  for (let i = 0; i < mask.length; i++)
    if (mask[i] !== 0 && Number.isFinite(data[i])) out[n++] = data[i] as number;
  return out;
}

/** Sorts `values` in place; linear interpolation between ranks (type 7). NaN when empty. */
export function quantile(values: Float32Array, q: number): number {
  if (values.length === 0) return Number.NaN;
  values.sort();
  const position = (values.length - 1) * Math.min(1, Math.max(0, q));
  const low = Math.floor(position);
  const a = values[low] as number;
  const b = values[Math.min(values.length - 1, low + 1)] as number;
  return a + (b - a) * (position - low);
}
