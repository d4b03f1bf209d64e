/**
 * Marker-based watershed on a posed cube: voxels are reached from the markers in the order of their cost, each taking
 * the label of the neighbour it was reached from (Meyer 1991), with one bucket for each of 256 costs.
 *
 * @example
 * const labels = flood(gradient, markers, shape); // every voxel 1 or 2
 */
import type { Shape } from '../../volume/volume.js';

/**
 * @param costs 0 to 255 per voxel
 * @param markers 0 = to be reached, else a label; not changed
 */
export function flood(costs: Uint8Array, markers: Uint8Array, shape: Shape): Uint8Array {
  const [nx, ny, nz] = shape;
  const plane = nx * ny;
  const labels = markers.slice();
  // Linked lists, first in, first out: on plateaus the fronts meet half-way.
  const next = new Int32Array(labels.length).fill(-1);
  const heads = new Int32Array(256).fill(-1);
  const tails = new Int32Array(256).fill(-1);
  let level = 255;
  const push = (v: number, cost: number): void => {
    if (heads[cost] === -1) heads[cost] = v;
    else next[tails[cost] as number] = v;
    tails[cost] = v;
    if (cost < level) level = cost;
  };
  const reach = (v: number, label: number, from: number): void => {
    if (labels[v] !== 0) return;
    labels[v] = label;
    push(v, Math.max(from, costs[v] as number));
  };
  const spread = (v: number, from: number): void => {
    const label = labels[v] as number;
    const x = v % nx;
    const y = ((v / nx) | 0) % ny;
    if (x > 0) reach(v - 1, label, from);
    if (x < nx - 1) reach(v + 1, label, from);
    if (y > 0) reach(v - nx, label, from);
    if (y < ny - 1) reach(v + nx, label, from);
    if (v >= plane) reach(v - plane, label, from);
    if (v < plane * (nz - 1)) reach(v + plane, label, from);
  };
  for (let v = 0; v < labels.length; v++) if (markers[v] !== 0) spread(v, 0);
  for (;;) {
    while (level < 256 && heads[level] === -1) level++;
    if (level === 256) return labels;
    const v = heads[level] as number;
    heads[level] = next[v] as number;
    spread(v, level);
  }
}
