/**
 * Connected components of a mask (6-connected), by flood fill.
 *
 * @example
 * const brain = largestComponent(thresholded);
 */
import type { Mask } from './volume.js';

export interface Components {
  /** 0 outside the mask, else 1, 2, ... in order of first voxel. */
  readonly labels: Int32Array;
  /** Voxels per label; `sizes[0]` is 0. */
  readonly sizes: readonly number[];
}

export function labelComponents(mask: Mask): Components {
  const [nx, ny, nz] = mask.grid.shape;
  const sz = nx * ny;
  const total = sz * nz;
  const labels = new Int32Array(total);
  const sizes = [0];
  const stack = new Int32Array(total);
  const { data } = mask;
  for (let seed = 0; seed < total; seed++) {
    if (data[seed] === 0 || labels[seed] !== 0) continue;
    const label = sizes.length;
    labels[seed] = label;
    stack[0] = seed;
    let top = 1;
    let size = 0;
    // A voxel gets its label when it is put on the stack: none stands there twice.
    while (top > 0) {
      const v = stack[--top] as number;
      size++;
      const z = (v / sz) | 0;
      const y = ((v - z * sz) / nx) | 0;
      const x = v - z * sz - y * nx;
      if (x > 0 && labels[v - 1] === 0 && data[v - 1] !== 0) {
        labels[v - 1] = label;
        stack[top++] = v - 1;
      }
      if (x < nx - 1 && labels[v + 1] === 0 && data[v + 1] !== 0) {
        labels[v + 1] = label;
        stack[top++] = v + 1;
      }
      if (y > 0 && labels[v - nx] === 0 && data[v - nx] !== 0) {
        labels[v - nx] = label;
        stack[top++] = v - nx;
      }
      if (y < ny - 1 && labels[v + nx] === 0 && data[v + nx] !== 0) {
        labels[v + nx] = label;
        stack[top++] = v + nx;
      }
      if (z > 0 && labels[v - sz] === 0 && data[v - sz] !== 0) {
        labels[v - sz] = label;
        stack[top++] = v - sz;
      }
      if (z < nz - 1 && labels[v + sz] === 0 && data[v + sz] !== 0) {
        labels[v + sz] = label;
        stack[top++] = v + sz;
      }
    }
    sizes.push(size);
  }
  return { labels, sizes };
}

/** The biggest piece alone (the first of equals); empty when the mask is. */
export function largestComponent(mask: Mask): Mask {
  const { labels, sizes } = labelComponents(mask);
  let best = 0;
  for (let i = 1; i < sizes.length; i++) if ((sizes[i] as number) > (sizes[best] as number)) best = i;
  const data = new Uint8Array(labels.length);
  if (best > 0) for (let v = 0; v < data.length; v++) data[v] = labels[v] === best ? 1 : 0;
  return { grid: mask.grid, data };
}
