/**
 * A brain whose voxels are each of one tissue, drawn from the priors at its place, in four contrasts.
 *
 * @example
 * fitTissues(brain(SIGNALS.t2w), mask, motion);
 */
import { applyAffine, invert, multiply, rotation, translation } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { resampleLinear } from '../../volume/resample.js';
import { cubeGrid, type Grid, type Mask, type Volume } from '../../volume/volume.js';
import { tissuePriors } from '../tissues.js';
import { templateBrain } from './template-brain.js';

export const motion = multiply(translation(5, -9, 14), rotation([0.2, -0.1, 0.3]));
export const grid: Grid = cubeGrid(translation(5, -9, 14), [0, 0, 0], 72, 3);
export const mask: Mask = templateBrain(grid, motion);
export const SIGNALS = {
  t1w: { fluid: 300, grey: 700, white: 1000 },
  t2w: { fluid: 1500, grey: 800, white: 500 },
  flair: { fluid: 180, grey: 900, white: 700 },
  pdw: { fluid: 950, grey: 950, white: 720 },
} as const;

/** Each voxel is of one tissue, drawn by the priors at its place; a bias field and noise over all. */
export function brain(signal: { fluid: number; grey: number; white: number }, outside = 0): Volume {
  const random = new Random(new Uint32Array(8).fill(3));
  const brainFrame = { shape: grid.shape, affine: multiply(invert(motion), grid.affine) };
  const priors = tissuePriors().map((prior) => resampleLinear(prior, brainFrame));
  const [nx, ny] = grid.shape;
  // Lumps of 12 mm: tissues are thicker than voxels.
  const lumps = Float64Array.from({ length: 18 ** 3 }, () => random.uniform());
  const data = mask.data.reduce((out, inside, v) => {
    if (inside === 0) {
      out[v] = outside * random.uniform();
      return out;
    }
    const [f, g, w] = priors.map((p) => (p[v] as number) + 0.01) as [number, number, number];
    const chance =
      (lumps[((v % nx) >> 2) + 18 * (((((v / nx) | 0) % ny) >> 2) + 18 * ((v / (nx * ny)) >> 2))] as number) *
      (f + g + w);
    const value = chance < f ? signal.fluid : chance < f + g ? signal.grey : signal.white;
    const [x] = applyAffine(grid.affine, [v % nx, ((v / nx) | 0) % ny, (v / (nx * ny)) | 0]);
    out[v] = value * (1 + x / 1500) + 30 * random.normal();
    return out;
  }, new Float32Array(mask.data.length));
  return { grid, data };
}
