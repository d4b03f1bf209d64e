/**
 * Where face, ears and brain are in the average head, in mm of its brain frame (x right, y front, z up). Face and ears
 * are geometry read off the average itself: brow ridge at z = -5, eyes at -32, tip of the nose at (0, 130, -57), mouth
 * at -90, chin at (0, 104, -128), ears at |x| = 75 to 90 beside y = -5.
 *
 * @example
 * const face = voxelsWhere(head.volume.grid, toWorld, inFace); // on the stored grid
 */
import { type Affine, at, IDENTITY, invert, multiply } from '../../volume/affine.js';
import { squaredDistance } from '../../volume/morphology.js';
import { resampleLinear } from '../../volume/resample.js';
import type { Grid, Volume } from '../../volume/volume.js';
import { trimmedGrid } from '../learned-head/grid.js';
import { TEMPLATE_BRAIN_BASE64 } from '../learned-head/template-brain-data.js';
import { halvedGrid } from './halve.js';

/** Above the brows nothing is face: the forehead's shape follows the brain. */
const BROW_Z = 2;
const HALF_WIDTH = 74;

/** Eyes, nose, mouth, cheeks, chin and the air before them; not the ears. */
export function inFace(x: number, y: number, z: number): boolean {
  if (z > BROW_Z || x > HALF_WIDTH || x < -HALF_WIDTH) return false;
  // The back of the region: 62 mm before the brain's centre at the eyes, 34 under the chin.
  const share = Math.min(1, Math.max(0, (-40 - z) / 80));
  return y > 62 - 28 * share;
}

/** The outer ears and the air beside them. */
export function inEar(x: number, y: number, z: number): boolean {
  return Math.abs(x) > 68 && y > -45 && y < 25 && z > -80 && z < -5;
}

/** Share of the heads that must have brain where the prior begins: what differs from head to head lies within. */
const PRIOR = 0.1;

let cached: Volume | undefined;

/** Distance (mm, 0 inside) from the brain of the average head, at 4 mm. */
export function brainDistance(): Volume {
  if (cached !== undefined) return cached;
  const grid4 = halvedGrid(trimmedGrid(IDENTITY, 128));
  const prior = Float32Array.from(atob(TEMPLATE_BRAIN_BASE64), (c) => c.charCodeAt(0) / 255);
  const fine = resampleLinear({ grid: halvedGrid(grid4), data: prior }, grid4);
  const mask = { grid: grid4, data: Uint8Array.from(fine, (p) => (p > PRIOR ? 1 : 0)) };
  cached = { grid: grid4, data: squaredDistance(mask).map(Math.sqrt) };
  return cached;
}

/** 1 where the voxel's place in the template satisfies `test`. @param toWorld template mm to world mm */
export function voxelsWhere(
  grid: Grid,
  toWorld: Affine,
  test: (x: number, y: number, z: number) => boolean,
): Uint8Array {
  const m = multiply(invert(toWorld), grid.affine);
  const [nx, ny, nz] = grid.shape;
  const out = new Uint8Array(nx * ny * nz);
  const [dx, dy, dz] = [at(m, 0, 0), at(m, 1, 0), at(m, 2, 0)];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const x = at(m, 0, 1) * j + at(m, 0, 2) * k + at(m, 0, 3);
      const y = at(m, 1, 1) * j + at(m, 1, 2) * k + at(m, 1, 3);
      const z = at(m, 2, 1) * j + at(m, 2, 2) * k + at(m, 2, 3);
      for (let i = 0; i < nx; i++, o++) if (test(x + dx * i, y + dy * i, z + dz * i)) out[o] = 1;
    }
  return out;
}
