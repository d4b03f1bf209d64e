/**
 * The surface representation Z of a head (C-DeID-GAN section 3.1, formulas 1 to 5): the scan is binarised above its
 * noise and turned K times at random; in each turn, rays along the three axes and from both sides mark the first voxel
 * that they meet; the marks are turned back and averaged. Z is read as the probability that a voxel is on the surface,
 * so what no ray reaches (a cavity that is closed) is 0.
 *
 * Z is computed at 4 mm, where a head has 64^3 voxels and 32 turns take half a second: its only use is a convex hull of
 * a few thousand of its voxels. 2 mm would cost eight times as much.
 *
 * @example
 * const surface = surfaceProbability(binaryHead(head), random);
 */
import type { Head } from '../../brain/head.js';
import { modelGrid } from '../../brain/model-grid.js';
import { type Affine, applyAffine, multiply, translation, type Vec3 } from '../../volume/affine.js';
import { largestComponent } from '../../volume/components.js';
import { sampleNearest } from '../../volume/nearest.js';
import type { Random } from '../../volume/random.js';
import { coverage, resampleLinear } from '../../volume/resample.js';
import { quantile, valuesInside } from '../../volume/statistics.js';
import { cubeGrid, type Mask, type Shape, type Volume, voxelSizes } from '../../volume/volume.js';
import { halve } from '../registration/halve.js';

/** K. Two sets of 32 turns differ in Z by 8 %, of 64 by 5 %; the hulls of two draws overlap by 0.93 with either. */
export const TURNS = 32;
/** delta, as shares of the brain's level: above the air's noise, but within these. */
const TISSUE_SHARE = { least: 0.16, most: 0.35 } as const;

/**
 * 1[x >= delta], its largest piece, on the model cube at 4 mm. delta is 0.16 of the brain's level (the share by which the
 * training data are outlined), or three times the level of the air where that is more. It hangs on the brain and on the
 * darkest fifth of the voxels alone: what a voxel inside the head holds, above delta, changes nothing.
 */
export function binaryHead({ volume, brainLevel, pose }: Head): Mask {
  const grid = modelGrid(pose, 128);
  const soft = halve({ grid, data: resampleLinear(volume, grid) });
  const air = quantile(valuesInside(soft.data, coverage(volume.grid, soft.grid)), 0.2);
  const share = Math.min(TISSUE_SHARE.most, Math.max(TISSUE_SHARE.least, (3 * air) / brainLevel));
  const data = new Uint8Array(soft.data.length);
  for (let v = 0; v < data.length; v++) data[v] = (soft.data[v] as number) >= share * brainLevel ? 1 : 0;
  return largestComponent({ grid: soft.grid, data });
}

/** Uniform on SO(3): a unit quaternion of four normals. Euler angles drawn uniformly are not. */
export function randomRotation(random: Random): Affine {
  let [w, x, y, z] = [0, 0, 0, 0];
  let length = 0;
  while (length < 1e-6) {
    [w, x, y, z] = [random.normal(), random.normal(), random.normal(), random.normal()];
    length = Math.hypot(w, x, y, z);
  }
  [w, x, y, z] = [w / length, x / length, y / length, z / length];
  // biome-ignore format: a matrix reads as rows
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 0,
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 0,
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), 0,
    0, 0, 0, 1,
  ];
}

/** Mean over axes and directions of the first set voxels along rays (formulas 2 to 4), 0 to 1. */
export function firstHits(mask: Uint8Array, shape: Shape): Float32Array {
  const out = new Float32Array(mask.length);
  let stride = 1;
  for (let axis = 0; axis < 3; axis++) {
    const n = shape[axis] as number;
    const block = stride * n;
    for (let base = 0; base < mask.length; base += block)
      for (let start = base; start < base + stride; start++) {
        let first = 0;
        while (first < n && mask[start + first * stride] === 0) first++;
        if (first === n) continue;
        let last = n - 1;
        while (mask[start + last * stride] === 0) last--;
        const [a, b] = [start + first * stride, start + last * stride];
        out[a] = (out[a] as number) + 1 / 6;
        out[b] = (out[b] as number) + 1 / 6;
      }
    stride = block;
  }
  return out;
}

/** World centre (mm) of the box around the set voxels, and the distance to the farthest of them. */
function ballAround({ grid, data }: Mask): { centre: Vec3; radius: number } {
  const [nx, ny] = grid.shape;
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  const places: Vec3[] = [];
  for (let v = 0; v < data.length; v++) {
    if (data[v] === 0) continue;
    const place: Vec3 = [v % nx, ((v / nx) | 0) % ny, (v / (nx * ny)) | 0];
    places.push(place);
    for (let a = 0; a < 3; a++) {
      low[a] = Math.min(low[a] as number, place[a] as number);
      high[a] = Math.max(high[a] as number, place[a] as number);
    }
  }
  const middle: Vec3 = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
  let far = 0;
  for (const p of places)
    far = Math.max(far, Math.hypot(p[0] - middle[0], p[1] - middle[1], p[2] - middle[2]));
  return { centre: applyAffine(grid.affine, middle), radius: far * Math.max(...voxelSizes(grid)) };
}

/**
 * Z on the grid of `head`, 0 to 1; zeros for an empty mask. The cube that is turned is as wide as the ball around the
 * head, so that no corner of it is ever cut off.
 */
export function surfaceProbability(head: Mask, random: Random, turns = TURNS): Volume {
  const out = new Float32Array(head.data.length);
  if (!head.data.some((v) => v !== 0)) return { grid: head.grid, data: out };
  const spacing = Math.min(...voxelSizes(head.grid));
  const { centre, radius } = ballAround(head);
  const size = 2 * Math.ceil(radius / spacing + 1) + 1;
  for (let k = 0; k < turns; k++) {
    const pose = multiply(translation(...centre), randomRotation(random));
    const turned = cubeGrid(pose, [0, 0, 0], size, spacing);
    const hits = firstHits(sampleNearest(head, turned), turned.shape);
    // Only voxels of the head can be its surface: what interpolation puts beside them is left out.
    const back = resampleLinear({ grid: turned, data: hits }, head.grid, { only: head.data });
    for (let v = 0; v < out.length; v++) out[v] = (out[v] as number) + (back[v] as number) / turns;
  }
  return { grid: head.grid, data: out };
}
