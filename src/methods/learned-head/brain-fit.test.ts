/** The fit of a drawn head to its brain, and the least scalp, on the synthetic brain. */
import { describe, expect, it } from 'vitest';
import { makeHead } from '../../brain/head.js';
import { fakeServices } from '../../deidentify/testing/fixtures.js';
import { nodeGzip } from '../../node/gzip.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import { cpMae } from '../cp-mae/cp-mae.js';
import type { BrainConditioning } from '../method.js';
import { brainMisfit, fitBrain } from './brain-fit.js';
import { brainBlocks, trimmedGrid, trimmedMask } from './grid.js';
import { guardScalp, MIN_SCALP_MM } from './scalp.js';

const { volume, brainMask } = syntheticHead({ grid: headGrid({ spacing: [3, 3, 3] }) });
// `condition` runs no network.
const gamma: BrainConditioning = await cpMae.condition(makeHead(volume, brainMask), {
  networks: fakeServices(nodeGzip).networks,
  resolution: 128,
});

describe('fitBrain', () => {
  const blocks = brainBlocks(gamma);

  it('brings the place of the brain onto the brain, from a drawn head that misses it by a centimetre', () => {
    const shifted = new Float32Array(3 * 64 * 64 * 48);
    shifted.fill(0.08, 0, shifted.length / 3); // 8 % of 96 mm to the right
    const before = brainMisfit(shifted, blocks);
    const after = brainMisfit(fitBrain(shifted, blocks), blocks);
    expect(after).toBeLessThan(0.3 * before);
  });

  it('moves smoothly and only near the brain', () => {
    const still = new Float32Array(3 * 64 * 64 * 48);
    const fitted = fitBrain(still, blocks);
    // the cube's lower front corner is 15 cm from any brain
    expect(Math.abs(fitted[60 * 48 + 24] as number)).toBeLessThan(1e-4);
    let jump = 0;
    for (let o = 0; o + 1 < fitted.length; o++)
      if ((o + 1) % 48 !== 0)
        jump = Math.max(jump, Math.abs((fitted[o + 1] as number) - (fitted[o] as number)));
    // below 1 voxel of 4 mm a voxel: no fold along x
    expect(jump * 24).toBeLessThan(1);
  });

  it('is the same twice', () => {
    const zero = new Float32Array(3 * 64 * 64 * 48);
    expect(fitBrain(zero, blocks)).toEqual(fitBrain(zero, blocks));
  });
});

describe('guardScalp', () => {
  const brain = trimmedMask(gamma);
  const head = (resolution: 128 | 256): { data: Float32Array; grid: ReturnType<typeof trimmedGrid> } => {
    const grid = trimmedGrid(gamma.pose, resolution);
    return { grid, data: new Float32Array(grid.shape[0] * grid.shape[1] * grid.shape[2]) };
  };

  it('covers a naked brain', () => {
    const naked = head(128);
    for (let v = 0; v < naked.data.length; v++) naked.data[v] = brain.data[v] as number;
    expect(guardScalp(naked, brain)).toBeGreaterThan(1000);
    // straight up from the brain's top: tissue within the least scalp
    const [nx, ny, nz] = brain.grid.shape;
    let top = 0;
    for (let v = 0; v < brain.data.length; v++) if (brain.data[v] === 1) top = v;
    const above = top + Math.floor((MIN_SCALP_MM - 3) / 2) * nx * ny;
    expect(above).toBeLessThan(nx * ny * nz);
    expect(naked.data[above] as number).toBeGreaterThan(0.25);
  });

  it('leaves a head alone that is thick enough, at both resolutions', () => {
    for (const resolution of [128, 256] as const) {
      const full = head(resolution);
      full.data.fill(1);
      expect(guardScalp(full, brain)).toBe(0);
      expect(full.data.every((v) => v === 1)).toBe(true);
    }
  });
});
