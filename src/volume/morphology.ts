/**
 * Binary morphology by millimetres on anisotropic grids, through the exact Euclidean distance transform
 * (Felzenszwalb and Huttenlocher 2012), and hole filling.
 *
 * @example
 * const grown = dilateMm(brainMask, 5);
 */
import { maskBox } from './mask-box.js';
import { type Mask, voxelSizes } from './volume.js';

/** As float32, so that lines in which nothing is set compare equal to it and are skipped. */
const FAR = Math.fround(1e12);

function transformLine(
  f: Float64Array,
  n: number,
  spacing: number,
  d: Float64Array,
  v: Int32Array,
  z: Float64Array,
): void {
  const s2 = spacing * spacing;
  let k = 0;
  v[0] = 0;
  z[0] = -FAR;
  z[1] = FAR;
  for (let q = 1; q < n; q++) {
    for (;;) {
      const p = v[k] as number;
      const s = ((f[q] as number) + s2 * q * q - ((f[p] as number) + s2 * p * p)) / (2 * s2 * (q - p));
      if (s <= (z[k] as number) && k > 0) {
        k--;
        continue;
      }
      if (s <= (z[k] as number)) {
        v[0] = q;
        z[0] = -FAR;
        z[1] = FAR;
        break;
      }
      k++;
      v[k] = q;
      z[k] = s;
      z[k + 1] = FAR;
      break;
    }
  }
  k = 0;
  for (let q = 0; q < n; q++) {
    while ((z[k + 1] as number) < q) k++;
    const p = v[k] as number;
    d[q] = s2 * (q - p) * (q - p) + (f[p] as number);
  }
}

/** Squared distance (mm^2) from each voxel's centre to the nearest set voxel's centre; about 1e12 where none is set. */
export function squaredDistance(mask: Mask): Float32Array {
  const { shape } = mask.grid;
  const sizes = voxelSizes(mask.grid);
  const out = Float32Array.from(mask.data, (v) => (v > 0 ? 0 : FAR));
  const longest = Math.max(...shape);
  const f = new Float64Array(longest);
  const d = new Float64Array(longest);
  const v = new Int32Array(longest + 1);
  const z = new Float64Array(longest + 2);
  let stride = 1;
  for (let axis = 0; axis < 3; axis++) {
    const n = shape[axis] as number;
    const block = stride * n;
    for (let base = 0; base < out.length; base += block)
      for (let s = 0; s < stride; s++) {
        const start = base + s;
        let any = false;
        for (let i = 0; i < n; i++) {
          const value = out[start + i * stride] as number;
          f[i] = value;
          if (value < FAR) any = true;
        }
        if (!any) continue;
        transformLine(f, n, sizes[axis] as number, d, v, z);
        for (let i = 0; i < n; i++) out[start + i * stride] = Math.min(d[i] as number, FAR);
      }
    stride = block;
  }
  return out;
}

export function invertMask(mask: Mask): Mask {
  // A loop: the callbacks of map cost 60 ns a voxel.
  const data = new Uint8Array(mask.data.length);
  for (let v = 0; v < data.length; v++) data[v] = (mask.data[v] as number) > 0 ? 0 : 1;
  return { grid: mask.grid, data };
}

/** Voxel offsets whose length is at most `mm`. */
function ballOffsets(sizes: readonly [number, number, number], mm: number): Int32Array {
  const reach = sizes.map((s) => Math.floor(mm / s + 1e-6)) as [number, number, number];
  const out: number[] = [];
  for (let k = -reach[2]; k <= reach[2]; k++)
    for (let j = -reach[1]; j <= reach[1]; j++)
      for (let i = -reach[0]; i <= reach[0]; i++)
        if ((i * sizes[0]) ** 2 + (j * sizes[1]) ** 2 + (k * sizes[2]) ** 2 <= mm * mm + 1e-6)
          out.push(i, j, k);
  return Int32Array.from(out);
}

/**
 * All voxels whose centre lies within `mm` of a set voxel's centre. Stamps a ball on the surface voxels alone (the
 * nearest set voxel always has an unset neighbour), five times faster than a distance transform at these radii.
 */
export function dilateMm(mask: Mask, mm: number): Mask {
  const [nx, ny, nz] = mask.grid.shape;
  const sz = nx * ny;
  const { data } = mask;
  const out = new Uint8Array(data.length);
  for (let v = 0; v < out.length; v++) out[v] = (data[v] as number) > 0 ? 1 : 0;
  const ball = ballOffsets(voxelSizes(mask.grid) as [number, number, number], mm);
  // Away from the volume's edge the ball is stamped without asking for each of its voxels whether it is inside.
  const steps = new Int32Array(ball.length / 3);
  let [rx, ry, rz] = [0, 0, 0];
  for (let t = 0; t < steps.length; t++) {
    const [x, y, z] = [ball[3 * t] as number, ball[3 * t + 1] as number, ball[3 * t + 2] as number];
    steps[t] = x + y * nx + z * sz;
    [rx, ry, rz] = [Math.max(rx, x), Math.max(ry, y), Math.max(rz, z)];
  }
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        if (data[v] === 0) continue;
        const inner =
          (i === 0 || data[v - 1] !== 0) &&
          (i === nx - 1 || data[v + 1] !== 0) &&
          (j === 0 || data[v - nx] !== 0) &&
          (j === ny - 1 || data[v + nx] !== 0) &&
          (k === 0 || data[v - sz] !== 0) &&
          (k === nz - 1 || data[v + sz] !== 0);
        if (inner) continue;
        if (i >= rx && j >= ry && k >= rz && i < nx - rx && j < ny - ry && k < nz - rz) {
          for (let t = 0; t < steps.length; t++) out[v + (steps[t] as number)] = 1;
          continue;
        }
        for (let t = 0; t < ball.length; t += 3) {
          const x = i + (ball[t] as number);
          const y = j + (ball[t + 1] as number);
          const z = k + (ball[t + 2] as number);
          if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz) out[x + y * nx + z * sz] = 1;
        }
      }
  return { grid: mask.grid, data: out };
}

export function erodeMm(mask: Mask, mm: number): Mask {
  return invertMask(dilateMm(invertMask(mask), mm));
}

/** Dilation then erosion. The volume's edge counts as outside the mask and is not eroded from. */
export function closeMm(mask: Mask, mm: number): Mask {
  return erodeMm(dilateMm(mask, mm), mm);
}

/** Sets what cannot be reached from the volume's edge through unset voxels (6-connected). */
export function fillHoles(mask: Mask): Mask {
  const [nx, ny] = mask.grid.shape;
  const sz = nx * ny;
  const { data } = mask;
  const out = new Uint8Array(data.length);
  // Around the box that the mask reaches there is nothing to fill; inside it, what is not reached from its faces is.
  const { low, high } = maskBox(mask);
  if (high[0] < low[0]) return { grid: mask.grid, data: out };
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      const row = j * nx + k * sz;
      out.fill(1, row + low[0], row + high[0] + 1);
    }
  const stack = new Int32Array((high[0] - low[0] + 1) * (high[1] - low[1] + 1) * (high[2] - low[2] + 1));
  let top = 0;
  const open = (v: number): void => {
    if (out[v] === 1 && data[v] === 0) {
      out[v] = 0;
      stack[top++] = v;
    }
  };
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++) {
      const row = j * nx + k * sz;
      if (j === low[1] || j === high[1] || k === low[2] || k === high[2])
        for (let i = low[0]; i <= high[0]; i++) open(row + i);
      else {
        open(row + low[0]);
        open(row + high[0]);
      }
    }
  while (top > 0) {
    const v = stack[--top] as number;
    const z = (v / sz) | 0;
    const y = ((v - z * sz) / nx) | 0;
    const x = v - z * sz - y * nx;
    if (x > low[0]) open(v - 1);
    if (x < high[0]) open(v + 1);
    if (y > low[1]) open(v - nx);
    if (y < high[1]) open(v + nx);
    if (z > low[2]) open(v - sz);
    if (z < high[2]) open(v + sz);
  }
  return { grid: mask.grid, data: out };
}
