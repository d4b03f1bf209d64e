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
  let top = 0;
  let label = 0;
  const visit = (n: number): void => {
    if (data[n] !== 0 && labels[n] === 0) {
      labels[n] = label;
      stack[top++] = n;
    }
  };
  for (let seed = 0; seed < total; seed++) {
    if (data[seed] === 0 || labels[seed] !== 0) continue;
    label = sizes.length;
    let size = 0;
    visit(seed);
    while (top > 0) {
      const v = stack[--top] as number;
      size++;
      const x = v % nx;
      const y = ((v / nx) | 0) % ny;
      if (x > 0) visit(v - 1);
      if (x < nx - 1) visit(v + 1);
      if (y > 0) visit(v - nx);
      if (y < ny - 1) visit(v + nx);
      if (v >= sz) visit(v - sz);
      if (v < sz * (nz - 1)) visit(v + sz);
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
