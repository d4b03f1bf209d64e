/** Tissues of a brain drawn from their own priors, in four contrasts: means found again, contrast named, nothing outside the mask read. */
import { describe, expect, it } from 'vitest';
import { applyAffine, invert, multiply, rotation, translation } from '../volume/affine.js';
import { Random } from '../volume/random.js';
import { resampleLinear } from '../volume/resample.js';
import { cubeGrid, type Grid, type Mask, type Volume } from '../volume/volume.js';
import { templateBrain } from './testing/template-brain.js';
import { contrastOf, fitTissues, tissuePriors } from './tissues.js';

const motion = multiply(translation(5, -9, 14), rotation([0.2, -0.1, 0.3]));
const grid: Grid = cubeGrid(translation(5, -9, 14), [0, 0, 0], 72, 3);
const mask: Mask = templateBrain(grid, motion);
const SIGNALS = {
  t1w: { fluid: 300, grey: 700, white: 1000 },
  t2w: { fluid: 1500, grey: 800, white: 500 },
  flair: { fluid: 180, grey: 900, white: 700 },
  pdw: { fluid: 950, grey: 950, white: 720 },
} as const;

/** Each voxel is of one tissue, drawn by the priors at its place; a bias field and noise over all. */
function brain(signal: { fluid: number; grey: number; white: number }, outside = 0): Volume {
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

describe('fitTissues', () => {
  it.each(Object.entries(SIGNALS))('finds the means of a %s brain again and names it', (name, signal) => {
    const fit = fitTissues(brain(signal), mask, motion);
    if (fit === undefined) throw new Error('no fit');
    expect(contrastOf(fit)).toBe(name);
    expect(Math.abs(fit.mean.white - signal.white)).toBeLessThan(0.1 * signal.white);
    expect(Math.abs(fit.mean.grey - signal.grey)).toBeLessThan(0.1 * signal.grey);
    if (name !== 'pdw') expect(Math.abs(fit.mean.fluid - signal.fluid)).toBeLessThan(150);
    expect(fit.share.fluid + fit.share.grey + fit.share.white).toBeCloseTo(1, 3);
  });

  it('gives the same whatever stands outside the mask, and follows a shift of all values', () => {
    const plain = fitTissues(brain(SIGNALS.t1w), mask, motion);
    // Other voxels, the same brain.
    const inside = brain(SIGNALS.t1w).data;
    const other = inside.map((v, o) => (mask.data[o] === 1 ? v : 9999));
    expect(fitTissues({ grid, data: other }, mask, motion)).toEqual(plain);
    const shifted = fitTissues({ grid, data: inside.map((v) => v - 1024) }, mask, motion);
    expect(shifted?.mean.white).toBeCloseTo((plain?.mean.white ?? 0) - 1024, 0);
    expect(contrastOf(shifted as NonNullable<typeof shifted>, -1024)).toBe('t1w');
  });

  it('has no answer for a brain of one value or of a few voxels', () => {
    expect(
      fitTissues({ grid, data: new Float32Array(mask.data.length).fill(7) }, mask, motion),
    ).toBeUndefined();
    const few = { grid, data: mask.data.map((v, o) => (o % 997 === 0 ? v : 0)) };
    expect(fitTissues(brain(SIGNALS.t1w), few, motion)).toBeUndefined();
  });

  it('calls an order that no contrast has unknown', () => {
    const means = (fluid: number, grey: number, white: number) => ({
      mean: { fluid, grey, white },
      spread: { fluid: 1, grey: 1, white: 1 },
      share: { fluid: 0.1, grey: 0.5, white: 0.4 },
    });
    expect(contrastOf(means(2000, 700, 1000))).toBe('unknown');
    expect(contrastOf(means(10, -5, 10))).toBe('unknown');
  });
});
