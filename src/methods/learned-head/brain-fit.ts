/**
 * Makes the drawn head fit its brain: a smooth correction of the displacement, so that the place of the brain in the
 * learned head lands on the subject's brain. Demons (Thirion 1998) on two masks at 8 mm; gamma and the draw decide,
 * nothing else.
 *
 * The decoder alone leaves a few millimetres, enough for a large brain to stand out through a drawn forehead.
 *
 * @example
 * const displacement = fitBrain(drawn.data, blocks); // normalised coordinates, [3, 64, 64, 48]
 */
import { FIELD_SHAPE } from '../../contract/contract.js';
import { gaussianKernel } from '../../volume/smooth.js';
import { TEMPLATE_BRAIN_BASE64 } from './template-brain-data.js';

/** The fields' grid, and half of it along each axis: 8 mm. */
const [FX, FY, FZ] = FIELD_SHAPE;
const [NX, NY, NZ] = [FX / 2, FY / 2, FZ / 2];
const COUNT = NX * NY * NZ;
const SIZES = [NX, NY, NZ] as const;
const ITERATIONS = 30;
/** Of the correction, in voxels of 8 mm: skull and scalp must come along with the brain's surface. */
const SIGMA = 1.6;
/** Of both masks, in voxels of 8 mm: their slopes, and so the forces, reach out to the skin. */
const SOFTNESS = 1.3;

/** Means of 2^3 blocks of one channel at 4 mm (48 x 64 x 64). */
function halve(data: Float32Array, start: number): Float32Array {
  const out = new Float32Array(COUNT);
  for (let v = 0; v < 8 * COUNT; v++) {
    const x = v % FX;
    const y = ((v / FX) | 0) % FY;
    const z = (v / (FX * FY)) | 0;
    const o = (x >> 1) + NX * ((y >> 1) + NY * (z >> 1));
    out[o] = (out[o] as number) + (data[start + v] as number) / 8;
  }
  return out;
}

/** Axis by axis, edges replicated; along y and z whole layers at a time. */
function smooth(data: Float32Array, sigma: number): Float32Array {
  const kernel = gaussianKernel(sigma);
  const radius = (kernel.length - 1) / 2;
  const along = new Float32Array(COUNT);
  const line = new Float64Array(NX + 2 * radius);
  for (let base = 0; base < COUNT; base += NX) {
    for (let i = -radius; i < NX + radius; i++)
      line[i + radius] = data[base + Math.min(NX - 1, Math.max(0, i))] as number;
    for (let i = radius; i < NX + radius; i++) {
      let sum = (kernel[radius] as number) * (line[i] as number);
      for (let t = 1; t <= radius; t++)
        sum += (kernel[radius + t] as number) * ((line[i - t] as number) + (line[i + t] as number));
      along[base + i - radius] = sum;
    }
  }
  return layered(layered(along, kernel, NY, NX), kernel, NZ, NX * NY);
}

/** Along the axis of `n` layers of `stride` voxels: each layer the weighted sum of its neighbours. */
function layered(from: Float32Array, kernel: Float64Array, n: number, stride: number): Float32Array {
  const to = new Float32Array(COUNT);
  const radius = (kernel.length - 1) / 2;
  const middle = kernel[radius] as number;
  for (let base = 0; base < COUNT; base += stride * n)
    for (let i = 0; i < n; i++) {
      const out = base + i * stride;
      for (let s = 0; s < stride; s++) to[out + s] = middle * (from[out + s] as number);
      // The kernel is even: two layers at a time.
      for (let t = 1; t <= radius; t++) {
        const weight = kernel[radius + t] as number;
        const low = base + Math.max(0, i - t) * stride;
        const high = base + Math.min(n - 1, i + t) * stride;
        for (let s = 0; s < stride; s++)
          to[out + s] =
            (to[out + s] as number) + weight * ((from[low + s] as number) + (from[high + s] as number));
      }
    }
  return to;
}

/** Linear at (x, y, z) in voxels, the edge's value beyond it. */
function sample(data: Float32Array, x: number, y: number, z: number): number {
  const cx = Math.min(NX - 1.001, Math.max(0, x));
  const cy = Math.min(NY - 1.001, Math.max(0, y));
  const cz = Math.min(NZ - 1.001, Math.max(0, z));
  const i = cx | 0;
  const j = cy | 0;
  const k = cz | 0;
  const fx = cx - i;
  const fy = cy - j;
  const fz = cz - k;
  const b = i + NX * (j + NY * k);
  const at = (d: number): number => data[b + d] as number;
  const plane = NX * NY;
  const a00 = at(0) * (1 - fx) + at(1) * fx;
  const a10 = at(NX) * (1 - fx) + at(NX + 1) * fx;
  const a01 = at(plane) * (1 - fx) + at(plane + 1) * fx;
  const a11 = at(plane + NX) * (1 - fx) + at(plane + NX + 1) * fx;
  return (a00 * (1 - fy) + a10 * fy) * (1 - fz) + (a01 * (1 - fy) + a11 * fy) * fz;
}

let cached: Float32Array | undefined;

/** Share of heads with brain at each voxel of the template's frame, 8 mm, softened. */
function templateBrain(): Float32Array {
  cached ??= smooth(
    Float32Array.from(atob(TEMPLATE_BRAIN_BASE64), (c) => c.charCodeAt(0) / 255),
    SOFTNESS,
  );
  return cached;
}

/** The moved template's brain at each voxel. */
function moved(template: Float32Array, u: readonly Float32Array[], c: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(COUNT);
  const [ux, uy, uz] = u as [Float32Array, Float32Array, Float32Array];
  const [cx, cy, cz] = c as [Float32Array, Float32Array, Float32Array];
  for (let k = 0, v = 0; k < NZ; k++)
    for (let j = 0; j < NY; j++)
      for (let i = 0; i < NX; i++, v++)
        out[v] = sample(
          template,
          i + (ux[v] as number) + (cx[v] as number),
          j + (uy[v] as number) + (cy[v] as number),
          k + (uz[v] as number) + (cz[v] as number),
        );
  return out;
}

/** Mean absolute difference of the masks, for tests and the curious. */
export function brainMisfit(displacement: Float32Array, blocks: Float32Array): number {
  const u = SIZES.map((n, axis) => halve(displacement, axis * 8 * COUNT).map((w) => (w * n) / 2));
  const zero = SIZES.map(() => new Float32Array(COUNT));
  const found = moved(templateBrain(), u, zero);
  const target = smooth(halve(blocks, 0), SOFTNESS);
  let sum = 0;
  for (let v = 0; v < COUNT; v++) sum += Math.abs((found[v] as number) - (target[v] as number));
  return sum / COUNT;
}

/**
 * @param displacement [3, 64, 64, 48] in normalised coordinates (x, y, z); not changed
 * @param blocks the brain at 4 mm, see `brainBlocks`
 * @returns the corrected displacement, same shape and units
 */
export function fitBrain(displacement: Float32Array, blocks: Float32Array): Float32Array {
  const template = templateBrain();
  const target = smooth(halve(blocks, 0), SOFTNESS);
  // normalised coordinates to voxels of 8 mm: half a grid is n / 2 voxels
  const u = SIZES.map((n, axis) => halve(displacement, axis * 8 * COUNT).map((w) => (w * n) / 2));
  let c = SIZES.map(() => new Float32Array(COUNT));
  const plane = NX * NY;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const found = moved(template, u, c);
    const step = SIZES.map(() => new Float32Array(COUNT)) as [Float32Array, Float32Array, Float32Array];
    for (let k = 1; k < NZ - 1; k++)
      for (let j = 1; j < NY - 1; j++)
        for (let i = 1; i < NX - 1; i++) {
          const v = i + NX * (j + NY * k);
          const error = (target[v] as number) - (found[v] as number);
          if (Math.abs(error) < 0.01) continue;
          const gx = ((found[v + 1] as number) - (found[v - 1] as number)) / 2;
          const gy = ((found[v + NX] as number) - (found[v - NX] as number)) / 2;
          const gz = ((found[v + plane] as number) - (found[v - plane] as number)) / 2;
          const factor = error / (gx * gx + gy * gy + gz * gz + error * error + 1e-3);
          step[0][v] = factor * gx;
          step[1][v] = factor * gy;
          step[2][v] = factor * gz;
        }
    // the factor makes up for what smoothing a thin shell of forces takes away
    c = c.map((field, axis) => {
      const soft = smooth(step[axis] as Float32Array, SIGMA);
      return field.map((x, v) => x + 2.5 * (soft[v] as number));
    });
  }
  const out = displacement.slice();
  SIZES.forEach((n, axis) => {
    const field = c[axis] as Float32Array;
    for (let v = 0; v < 8 * COUNT; v++) {
      const x = ((v % FX) - 0.5) / 2;
      const y = ((((v / FX) | 0) % FY) - 0.5) / 2;
      const z = (((v / (FX * FY)) | 0) - 0.5) / 2;
      const o = axis * 8 * COUNT + v;
      out[o] = (out[o] as number) + (sample(field, x, y, z) * 2) / n;
    }
  });
  return out;
}
