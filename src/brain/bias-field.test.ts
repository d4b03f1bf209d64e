/** A known brightness over a brain is found again and carried on; clean brains get none; nothing outside the brain takes part. */
import { describe, expect, it } from 'vitest';
import { IDENTITY } from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import { type BiasField, biasAt, brighten, fitBias, unusualBias } from './bias-field.js';
import { brain, mask, motion as pose, SIGNALS } from './testing/tissue-brain.js';

const NONE: BiasField = Array.from({ length: 9 }, () => 0);
/** Brighter to the right, darker in front, and brighter from the middle to either side. */
const COIL: BiasField = [0.25, -0.2, 0, 0.2, 0, 0, 0, 0, 0];
const placed = { pose, scale: 1 };
const volume = brain(SIGNALS.t1w);

function under(field: BiasField, of: Volume = volume): Volume {
  const data = of.data.slice();
  brighten(data, of.grid, field, placed);
  return { grid: of.grid, data };
}

describe('fitBias', () => {
  const clean = fitBias(volume, mask, pose, 1);

  it('finds the terms of a field that was laid over a brain', () => {
    const found = fitBias(under(COIL), mask, pose, 1);
    for (const [t, term] of COIL.entries())
      expect(Math.abs((found?.field[t] as number) - (clean?.field[t] as number) - term), `${t}`).toBeLessThan(
        0.06,
      );
    expect(found?.t1w).toBe(true);
  });

  it('reads nothing outside the mask (P1), and follows a shift and a scale of all values', () => {
    const spoilt = volume.data.map((v, o) => (mask.data[o] === 1 ? v : (o * 7919) % 30000));
    expect(fitBias({ grid: volume.grid, data: spoilt }, mask, pose, 1)).toEqual(clean);
    const moved = fitBias(
      { grid: volume.grid, data: volume.data.map((v) => 0.25 * v - 64) },
      mask,
      pose,
      1,
      -64,
    );
    moved?.field.forEach((term, t) => {
      expect(term).toBeCloseTo(clean?.field[t] as number, 3);
    });
  });

  it('has no answer for a brain of one value', () => {
    expect(
      fitBias({ grid: volume.grid, data: new Float32Array(volume.data.length).fill(7) }, mask, pose, 1),
    ).toBeUndefined();
  });
});

describe('unusualBias', () => {
  it('leaves nothing of the fields that clean heads have, and most of a strong one', () => {
    const learnt = [0.014, 0.1, -0.27, -0.462, -0.279, -0.477, -0.081, -0.019, 0.032];
    expect(unusualBias(learnt, true)).toBeUndefined();
    expect(unusualBias(NONE, false)).toBeUndefined();
    const left = unusualBias(
      learnt.map((term, t) => term + (t === 0 ? 0.4 : 0)),
      true,
    );
    expect(left?.[0]).toBeGreaterThan(0.38);
    expect(left?.slice(1).every((term) => term === 0)).toBe(true);
  });
});

describe('biasAt', () => {
  it('goes on beyond the brain without a step, flattens out, and never doubles twice', () => {
    const along = (mm: number): number => biasAt(COIL, mm, 0, 0);
    expect(Math.abs(along(66.01) - along(65.99))).toBeLessThan(0.002);
    expect(along(75)).toBeGreaterThan(along(66));
    expect(along(90) - along(80)).toBeLessThan(along(76) - along(66));
    const strong = COIL.map((term) => 20 * term);
    for (let mm = -300; mm <= 300; mm += 10)
      expect(Math.abs(biasAt(strong, mm, mm / 2, 0))).toBeLessThanOrEqual(Math.log(2));
  });
});

describe('brighten', () => {
  it('multiplies by the field at each voxel, to a hundredth between its nodes', () => {
    const ones = new Float32Array(volume.data.length).fill(1);
    brighten(ones, volume.grid, COIL, { pose: IDENTITY, scale: 1 });
    const [nx, ny] = volume.grid.shape;
    const { affine } = volume.grid;
    for (const [i, j, k] of [
      [0, 0, 0],
      [13, 57, 31],
      [55, 60, 66],
      [nx - 1, ny - 1, 50],
    ] as const) {
      const at = (r: number): number =>
        (affine[4 * r] as number) * i +
        (affine[4 * r + 1] as number) * j +
        (affine[4 * r + 2] as number) * k +
        (affine[4 * r + 3] as number);
      expect(Math.log(ones[i + nx * (j + ny * k)] as number)).toBeCloseTo(
        biasAt(COIL, at(0), at(1), at(2)),
        1.6,
      );
    }
  });
});
