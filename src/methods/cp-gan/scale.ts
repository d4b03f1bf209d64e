/**
 * Control of the synthesis through gamma (C-DeID-GAN section 4.2, figure 5): a head of another size.
 *
 * Two ways. `scaleGamma` is the paper's: brain, mask and hull alike are resized within the cube. Its brain is
 * interpolated, so nothing that keeps a subject's brain can use it; it is for figures and studies. `scaleHull` is the
 * product's (docs/decisions/0010): the hull alone is resized, about the brain's centre, and the brain stays as it is.
 *
 * @example
 * const larger = scaleHull(gamma, 1.1);
 */
import { type Affine, invert, multiply, scaling, translation } from '../../volume/affine.js';
import { dilateMm } from '../../volume/morphology.js';
import { resampleLinear } from '../../volume/resample.js';
import type { Grid, Volume, VoxelArray } from '../../volume/volume.js';
import type { GanConditioning } from './gamma.js';

/** The sizes of brains in the paper's data. */
export const SCALE_LIMITS = [0.85, 1.15] as const;
/** Skull and scalp are thinner than this almost nowhere above the brow: a smaller hull still leaves them room. */
const SHELL_MM = 8;

function atHalf(data: Float32Array): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let v = 0; v < out.length; v++) out[v] = (data[v] as number) > 0.5 ? 1 : 0;
  return out;
}

/** Resized from S^3 to floor(alpha S)^3 by linear interpolation, then cropped about the centre or padded evenly to S^3. */
function resized(volume: Volume<VoxelArray>, alpha: number): Float32Array {
  const [size] = volume.grid.shape;
  const scaled = Math.floor(alpha * size + 1e-9);
  // Of an odd number the lesser half stands before.
  const lead = scaled <= size ? Math.floor((size - scaled) / 2) : -Math.floor((scaled - size) / 2);
  const step = size / scaled;
  const shift = (0.5 - lead) * step - 0.5;
  const voxels = multiply(translation(shift, shift, shift), scaling(step, step, step));
  return resampleLinear(volume, {
    shape: volume.grid.shape,
    affine: multiply(volume.grid.affine, voxels),
  });
}

/** All of gamma resized as in the paper's figure 5; mask and hull zeros and ones again, the brain masked again. */
export function scaleGamma(gamma: GanConditioning, alpha: number): GanConditioning {
  const { grid } = gamma.brain;
  const before = atHalf(gamma.mask.data);
  const inside = new Float32Array(before.length);
  for (let v = 0; v < inside.length; v++) if (before[v] === 1) inside[v] = gamma.brain.data[v] as number;
  const share = resized({ grid, data: before }, alpha);
  const sums = resized({ grid, data: inside }, alpha);
  const mask = new Float32Array(before.length);
  const brain = new Float32Array(before.length);
  for (let v = 0; v < brain.length; v++) {
    if (!((share[v] as number) > 0.5)) continue;
    mask[v] = 1;
    // Divided by the share of brain in what was interpolated, or the rim would be dark.
    brain[v] = (sums[v] as number) / (share[v] as number);
  }
  return {
    brain: { grid, data: brain },
    mask: { grid, data: mask },
    hull: { grid, data: atHalf(resized(gamma.hull, alpha)) },
    pose: gamma.pose,
  };
}

/** The hull resized about the brain's centre, with room for skull and scalp around the brain, which stays as it is. */
export function scaleHull(gamma: GanConditioning, alpha: number): GanConditioning {
  if (alpha === 1) return gamma;
  const { grid } = gamma.hull;
  // The pose's origin is the brain's centroid.
  const about: Affine = multiply(
    gamma.pose,
    multiply(scaling(1 / alpha, 1 / alpha, 1 / alpha), invert(gamma.pose)),
  );
  const source: Grid = { shape: grid.shape, affine: multiply(about, grid.affine) };
  const data = atHalf(resampleLinear(gamma.hull, source));
  const shell = dilateMm({ grid, data: atHalf(gamma.mask.data) }, SHELL_MM).data;
  for (let v = 0; v < data.length; v++) if (shell[v] !== 0) data[v] = 1;
  return { ...gamma, hull: { grid, data } };
}
