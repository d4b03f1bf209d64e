/**
 * Means over boxes whose size depends on the depth, by a summed-volume table.
 *
 * @example
 * const smooth = boxMeans(flat, [nu, nv, nd], (d) => [6, 6, 2]);
 */
import type { Shape } from '../../volume/volume.js';

/** @param halfWidths voxels to either side along the three axes, by the index along the third; boxes are cut at the edges */
export function boxMeans(
  data: Float32Array,
  [nu, nv, nd]: Shape,
  halfWidths: (d: number) => readonly [number, number, number],
): Float32Array {
  const [su, sv] = [nu + 1, nv + 1];
  const table = new Float64Array(su * sv * (nd + 1));
  const get = (u: number, v: number, d: number): number => table[u + su * (v + sv * d)] as number;
  for (let d = 1; d <= nd; d++)
    for (let v = 1; v <= nv; v++) {
      let line = 0;
      for (let u = 1; u <= nu; u++) {
        line += data[u - 1 + nu * (v - 1 + nv * (d - 1))] as number;
        table[u + su * (v + sv * d)] = line + get(u, v - 1, d) + get(u, v, d - 1) - get(u, v - 1, d - 1);
      }
    }
  const out = new Float32Array(data.length);
  for (let d = 0, o = 0; d < nd; d++) {
    const [ru, rv, rd] = halfWidths(d);
    const [d0, d1] = [Math.max(0, d - rd), Math.min(nd, d + rd + 1)];
    for (let v = 0; v < nv; v++) {
      const [v0, v1] = [Math.max(0, v - rv), Math.min(nv, v + rv + 1)];
      for (let u = 0; u < nu; u++, o++) {
        const [u0, u1] = [Math.max(0, u - ru), Math.min(nu, u + ru + 1)];
        const upper = get(u1, v1, d1) - get(u0, v1, d1) - get(u1, v0, d1) + get(u0, v0, d1);
        const lower = get(u1, v1, d0) - get(u0, v1, d0) - get(u1, v0, d0) + get(u0, v0, d0);
        out[o] = (upper - lower) / ((u1 - u0) * (v1 - v0) * (d1 - d0));
      }
    }
  }
  return out;
}
