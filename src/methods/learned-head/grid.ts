/**
 * The learned head's part of the model grid: the cube trimmed to 192 mm across (skin reaches 91 mm to each side), and the
 * brain on it at 4 mm, as the training package makes it.
 *
 * @example
 * const blocks = brainBlocks(gamma); // [2, 64, 64, 48]
 */

import { modelGrid } from '../../brain/model-grid.js';
import { CUBE_EDGE_MM, FIELD_AXES, FIELD_SHAPE, MAX_LEVEL, TRIM_MM } from '../../contract/contract.js';
import type { Tensor } from '../../networks/runner.js';
import { type Affine, multiply, translation } from '../../volume/affine.js';
import type { Grid, Mask } from '../../volume/volume.js';
import type { BrainConditioning } from '../method.js';

/** Voxels at 2 mm that are left out on either side. */
const TRIM = (TRIM_MM * 128) / CUBE_EDGE_MM;

/** The trimmed cube at `resolution` voxels along the uncut 256 mm edge. */
export function trimmedGrid(pose: Affine, resolution: 128 | 256): Grid {
  const whole = modelGrid(pose, resolution);
  const cut = (TRIM * resolution) / 128;
  return {
    shape: [resolution - 2 * cut, resolution, resolution],
    affine: multiply(whole.affine, translation(cut, 0, 0)),
  };
}

/** Mask fraction and mean intensity (brain level = 1) in blocks of 4 mm: channel, z, y, x = [2, 64, 64, 48]. */
export function brainBlocks(gamma: BrainConditioning): Float32Array {
  const [nx, ny, nz] = FIELD_SHAPE;
  const out = new Float32Array(2 * nx * ny * nz);
  const plane = nx * ny * nz;
  const { brain, mask } = gamma;
  for (let k = 0; k < 2 * nz; k++)
    for (let j = 0; j < 2 * ny; j++) {
      const row = 128 * (j + 128 * k) + TRIM;
      const to = nx * ((j >> 1) + ny * (k >> 1));
      for (let i = 0; i < 2 * nx; i++) {
        if (!((mask.data[row + i] as number) > 0.5)) continue;
        const o = to + (i >> 1);
        out[o] = (out[o] as number) + 1 / 8;
        const value = Math.min(MAX_LEVEL, Math.max(0, brain.data[row + i] as number));
        out[plane + o] = (out[plane + o] as number) + value / 8;
      }
    }
  return out;
}

/** Those blocks as the networks take them, [1, 2, 64, 64, 48]; shares their memory. */
export function brainTensor(blocks: Float32Array): Tensor {
  return { data: blocks, shape: [1, 2, ...FIELD_AXES] };
}

/** The brain mask on the trimmed grid at 2 mm, 96 x 128 x 128. */
export function trimmedMask(gamma: BrainConditioning): Mask {
  const grid = trimmedGrid(gamma.pose, 128);
  const [nx] = grid.shape;
  const data = new Uint8Array(nx * 128 * 128);
  for (let row = 0; row < 128 * 128; row++)
    for (let i = 0; i < nx; i++)
      data[row * nx + i] = (gamma.mask.data[row * 128 + TRIM + i] as number) > 0.5 ? 1 : 0;
  return { grid, data };
}
