/** What training sees of a head. */
import { describe, expect, it } from 'vitest';
import { BYTES_PER_LEVEL, FLAG } from '../contract/contract.js';
import { applyAffine, multiply, rotation, translation } from '../volume/affine.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Grid, Volume } from '../volume/volume.js';
import { makeHead } from './head.js';
import { prepareHead } from './prepare.js';
import { templateBrain } from './testing/template-brain.js';

describe('prepared heads', { timeout: 120_000 }, () => {
  const grid: Grid = headGrid({ spacing: [4, 4, 4], turn: [0.1, 0, 0.1] });
  const motion = multiply(translation(2, 10, 5), rotation([0.05, 0, 0.1]));
  const { volume } = syntheticHead({ grid, noise: 0 });
  const brainMask = templateBrain(grid, motion);
  // 500 in the brain, 1000 in its right half's label 2: values that can be told apart after resampling
  for (let v = 0; v < volume.data.length; v++) if (brainMask.data[v] === 1) volume.data[v] = 500;
  const labels: Volume<Uint8Array> = {
    grid,
    data: brainMask.data.map((b, v) => (b === 0 ? 0 : v % 2 === 0 ? 7 : 133)),
  };
  const head = makeHead(volume, brainMask);
  const prepared = prepareHead(head, 128, labels);
  const at = (x: number, y: number, z: number): number => x + 128 * (y + 128 * z);
  // The brain's centre stands 22 mm behind and 30 mm above the middle of the cube.
  const centre = at(64, 64 - 11, 64 + 15);

  it('stand on the model grid in the pose of the brain, a hundredth of its level per byte', () => {
    expect(prepared.grid.shape).toEqual([128, 128, 128]);
    expect(head.brainLevel).toBe(500);
    expect(prepared.image[centre]).toBe(BYTES_PER_LEVEL);
    const world = applyAffine(prepared.grid.affine, [63.5, 63.5 - 11, 63.5 + 15]);
    const origin = applyAffine(motion, [0, 0, 0]);
    expect(Math.hypot(...world.map((v, i) => v - (origin[i] as number)))).toBeLessThan(4);
  });

  it('say what is brain, head, seen', () => {
    const count = (bit: number): number => prepared.flags.reduce((n, f) => n + ((f & bit) === 0 ? 0 : 1), 0);
    const brainMl = brainMask.data.reduce((a, b) => a + b, 0) * 0.064;
    expect(Math.abs(count(FLAG.brain) * 0.008 - brainMl) / brainMl).toBeLessThan(0.02);
    expect(prepared.flags[centre]).toBe(FLAG.brain | FLAG.head | FLAG.covered);
    expect(count(FLAG.head)).toBeGreaterThan(1.5 * count(FLAG.brain));
    expect(count(FLAG.head)).toBeLessThan(count(FLAG.covered));
    // 200 mm across are covered of 256
    expect(prepared.flags[at(2, 64, 64)]).toBe(0);
    expect(prepared.image[at(2, 64, 64)]).toBe(0);
  });

  it('keep labels whole: no value between two labels appears', () => {
    expect(new Set(prepared.labels)).toEqual(new Set([0, 7, 133]));
    expect(prepareHead(head, 128).labels).toBeUndefined();
  });
});
