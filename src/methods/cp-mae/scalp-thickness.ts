/**
 * Loosens the head's outline from its brain's. A drawn head that fits its brain everywhere has the brain's outline, and
 * with it its owner's: an attacker trained on such results picked the owner of 90 % of 18 test heads out of five.
 * So skull and scalp get a drawn, smoothly varying thickness on top of the template's.
 *
 * @example
 * const displacement = addThickness(fitted, brainBlocks(gamma), drawThickness(random.fork('thickness')));
 */

import { FIELD_COUNT as COUNT, FIELD_SHAPE as SHAPE, FIELD_MM as VOXEL_MM } from '../../contract/contract.js';
import { squaredDistance } from '../../volume/morphology.js';
import type { Random } from '../../volume/random.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import type { Mask } from '../../volume/volume.js';

/** Mean thickness to add, and where it ends: never less than the template's by more than 3 mm, never 11 mm more. */
const MEAN_MM = 3;
const [MIDDLE_MM, REACH_MM] = [4, 7];
/** Standard deviation of what each degree of the surface harmonics adds, in mm; degree 2 is length, breadth and height. */
const SPREAD_MM = [2.5, 1.5, 3, 1.8, 1.2] as const;
/** Less to the sides: many scans end just beyond the ears, and a head that reaches out of one is cut flat. */
const SIDE_SHARE = 0.4;
/** Odd in left and right: heads are nearly symmetric. */
const ASYMMETRY = 0.4;
/** Nothing moves this near to the brain, and a skull and scalp of the template take up the next millimetres. */
const STILL_MM = 3;
const SHELL_MM = 9;
const DISTANCE_SIGMA_MM = 4;

/** A real polynomial basis of the sphere up to degree 4, with the deviation of each term. */
const TERMS: readonly { readonly powers: readonly [number, number, number]; readonly spread: number }[] =
  SPREAD_MM.flatMap((total, degree) => {
    const powers: [number, number, number][] = [];
    for (let x = 0; x <= degree; x++)
      for (let y = 0; x + y <= degree; y++) powers.push([x, y, degree - x - y]);
    // The mean square of x^a y^b z^c on the sphere, so that each degree adds the deviation it is given.
    const weights = powers.map((p) => Math.sqrt(meanSquare(p)));
    const share = total / Math.sqrt(powers.length);
    return powers.map((p, i) => ({
      powers: p,
      spread: (share / (weights[i] as number)) * (p[0] % 2 === 1 ? ASYMMETRY : 1),
    }));
  });

/** Mean of (x^a y^b z^c)^2 over the unit sphere. */
function meanSquare([a, b, c]: readonly [number, number, number]): number {
  const odd = (n: number): number => (n <= 1 ? 1 : n * odd(n - 2));
  return (odd(2 * a - 1) * odd(2 * b - 1) * odd(2 * c - 1)) / odd(2 * (a + b + c) + 1);
}

/** How much thicker the shell becomes, in mm, in the direction of a unit vector (right, front, up). */
export type Thickness = (x: number, y: number, z: number) => number;

/**
 * How much thicker the shell round the brain becomes, by direction from the brain's centre.
 * @returns millimetres (-3 to 11) for a unit vector (right, front, up)
 */
export function drawThickness(random: Random): Thickness {
  // Coefficients by power of x, of y and of z: Horner's rule without an array a voxel.
  const c = new Float64Array(5 * 5 * 5);
  for (const { powers, spread } of TERMS)
    c[25 * powers[0] + 5 * powers[1] + powers[2]] = spread * random.normal();
  return (x, y, z) => {
    let sum = 0;
    for (let a = 4; a >= 0; a--) {
      let inner = 0;
      for (let b = 4 - a; b >= 0; b--) {
        let last = 0;
        for (let o = 25 * a + 5 * b + 4 - a - b, end = 25 * a + 5 * b; o >= end; o--)
          last = last * z + (c[o] as number);
        inner = inner * y + last;
      }
      sum = sum * x + inner;
    }
    return (
      (1 - SIDE_SHARE * x * x) * (MIDDLE_MM + REACH_MM * Math.tanh((MEAN_MM + sum - MIDDLE_MM) / REACH_MM))
    );
  };
}

/** Centre of the brain, in voxels of 4 mm. */
function centreOf(blocks: Float32Array): [number, number, number] {
  const [nx, ny, nz] = SHAPE;
  let [x, y, z, sum] = [0, 0, 0, 0];
  for (let v = 0; v < COUNT; v++) {
    const w = blocks[v] as number;
    if (w === 0) continue;
    x += w * (v % nx);
    y += w * (((v / nx) | 0) % ny);
    z += w * ((v / (nx * ny)) | 0);
    sum += w;
  }
  return sum > 0 ? [x / sum, y / sum, z / sum] : [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2];
}

/**
 * The head pulled outwards from its brain: inside the brain nothing moves, from its surface the shell is stretched, and
 * beyond it everything moves by the drawn thickness.
 * @param displacement [3, 64, 64, 48] in normalised coordinates (x, y, z), where each point reads the template; not changed
 * @param blocks the brain at 4 mm, see `brainBlocks`
 */
export function addThickness(
  displacement: Float32Array,
  blocks: Float32Array,
  thickness: Thickness,
): Float32Array {
  const [cx, cy, cz] = centreOf(blocks);
  const brain: Mask = {
    grid: {
      shape: SHAPE,
      affine: [VOXEL_MM, 0, 0, 0, 0, VOXEL_MM, 0, 0, 0, 0, VOXEL_MM, 0, 0, 0, 0, 1],
    },
    data: Uint8Array.from(blocks.subarray(0, COUNT), (w) => (w > 0.5 ? 1 : 0)),
  };
  const squared = squaredDistance(brain);
  const steps = new Float32Array(COUNT);
  for (let v = 0; v < COUNT; v++) steps[v] = Math.sqrt(squared[v] as number);
  // Distances between the voxels of a mask at 4 mm come in steps, and skin that is moved by them in terraces.
  const distance = gaussianSmooth({ grid: brain.grid, data: steps }, DISTANCE_SIGMA_MM).data;
  // Of the kernel, what lies inside the grid: beyond its edge there is nothing, not a distance of 0.
  const inside = gaussianSmooth(
    { grid: brain.grid, data: new Float32Array(COUNT).fill(1) },
    DISTANCE_SIGMA_MM,
  ).data;
  const out = displacement.slice();
  const scale = SHAPE.map((n) => 2 / n) as [number, number, number];
  for (let k = 0, v = 0; k < SHAPE[2]; k++)
    for (let j = 0; j < SHAPE[1]; j++)
      for (let i = 0; i < SHAPE[0]; i++, v++) {
        const depth = (distance[v] as number) / (inside[v] as number) - STILL_MM;
        if (depth <= 0) continue;
        const dx = i - cx;
        const dy = j - cy;
        const dz = k - cz;
        const length = Math.max(1e-6, Math.sqrt(dx * dx + dy * dy + dz * dz));
        const t = thickness(dx / length, dy / length, dz / length);
        const pull = (t * Math.min(1, depth / (SHELL_MM + t))) / VOXEL_MM / length;
        const px = i - pull * dx;
        const py = j - pull * dy;
        const pz = k - pull * dz;
        out[v] = sample(displacement, 0, px, py, pz) - pull * dx * scale[0];
        out[COUNT + v] = sample(displacement, COUNT, px, py, pz) - pull * dy * scale[1];
        out[2 * COUNT + v] = sample(displacement, 2 * COUNT, px, py, pz) - pull * dz * scale[2];
      }
  return out;
}

/** Linear at (x, y, z) in voxels, the edge's value beyond it. */
function sample(data: Float32Array, start: number, x: number, y: number, z: number): number {
  const [nx, ny, nz] = SHAPE;
  const ax = Math.min(nx - 1.001, Math.max(0, x));
  const ay = Math.min(ny - 1.001, Math.max(0, y));
  const az = Math.min(nz - 1.001, Math.max(0, z));
  const i = ax | 0;
  const j = ay | 0;
  const k = az | 0;
  const fx = ax - i;
  const fy = ay - j;
  const fz = az - k;
  const b = start + i + nx * (j + ny * k);
  const plane = nx * ny;
  const row = (o: number): number => (data[o] as number) * (1 - fx) + (data[o + 1] as number) * fx;
  return (
    (row(b) * (1 - fy) + row(b + nx) * fy) * (1 - fz) +
    (row(b + plane) * (1 - fy) + row(b + plane + nx) * fy) * fz
  );
}
