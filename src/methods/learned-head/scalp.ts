/**
 * No drawn head is thinner than a scalp: where its surface comes nearer to the brain than 9 mm, skull and scalp are laid
 * on. Without it, one draw in a few let the frontal lobe stand out as bumps on the forehead. Uses the brain's mask alone.
 *
 * @example
 * const head = guardScalp(drawn, brainMaskAt2mm);
 */
import { multiply, translation } from '../../volume/affine.js';
import { largestComponent } from '../../volume/components.js';
import { closeMm, dilateMm, fillHoles } from '../../volume/morphology.js';
import { resampleLinear } from '../../volume/resample.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import type { Mask, Volume } from '../../volume/volume.js';

/** Least distance of the skin from the brain mask; real heads have 10 mm and more. */
export const MIN_SCALP_MM = 9;
const SKULL_MM = 4;
/** Above this (in brain levels) a voxel is tissue. */
const TISSUE = 0.25;
/** What is laid on: skull, then scalp, in brain levels. */
const [SKULL, SCALP] = [0.3, 0.8];

/** Values of `head` at the voxel centres of the 2 mm mask's grid, whose field of view is the same. */
function atMask(head: Volume, mask: Mask): Float32Array {
  return head.data.length === mask.data.length ? head.data : resampleLinear(head, mask.grid);
}

/**
 * @param head on the trimmed model grid, 2 or 1 mm, in brain levels; changed in place
 * @param brain on the trimmed model grid at 2 mm
 * @returns how many voxels of 2 mm were laid on
 */
export function guardScalp(head: Volume, brain: Mask): number {
  const coarse = atMask(head, brain);
  const tissue = new Uint8Array(coarse.length);
  for (let v = 0; v < tissue.length; v++)
    tissue[v] = (coarse[v] as number) > TISSUE || brain.data[v] === 1 ? 1 : 0;
  const inside = fillHoles(largestComponent(closeMm({ grid: brain.grid, data: tissue }, 4)));
  const reach = dilateMm(brain, MIN_SCALP_MM).data;
  const skull = dilateMm(brain, SKULL_MM).data;
  const [nx, ny, nz] = brain.grid.shape;
  const lay = new Float32Array(coarse.length);
  const low = [nx, ny, nz] as [number, number, number];
  const high = [-1, -1, -1] as [number, number, number];
  let count = 0;
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        if (reach[v] === 0 || inside.data[v] === 1) continue;
        lay[v] = skull[v] === 1 ? SKULL : SCALP;
        count++;
        [low[0], low[1], low[2]] = [Math.min(low[0], i), Math.min(low[1], j), Math.min(low[2], k)];
        [high[0], high[1], high[2]] = [Math.max(high[0], i), Math.max(high[1], j), Math.max(high[2], k)];
      }
  if (count === 0) return 0;
  const soft = gaussianSmooth({ grid: brain.grid, data: lay }, 1.5);
  // Only the box around what was laid on, two voxels wider, is touched.
  const factor = Math.round(head.grid.shape[0] / nx);
  const first = low.map((n) => Math.max(0, n - 2) * factor) as [number, number, number];
  const end = high.map((n, axis) => Math.min(brain.grid.shape[axis as 0 | 1 | 2], n + 3) * factor);
  const shape = end.map((n, axis) => n - (first[axis] as number)) as [number, number, number];
  const box = { shape, affine: multiply(head.grid.affine, translation(...first)) };
  const laid = resampleLinear(soft, box);
  const [hx, hy] = head.grid.shape;
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let i = 0; i < shape[0]; i++, o++) {
        const v = first[0] + i + hx * (first[1] + j + hy * (first[2] + k));
        if ((laid[o] as number) > (head.data[v] as number)) head.data[v] = laid[o] as number;
      }
  return count;
}
