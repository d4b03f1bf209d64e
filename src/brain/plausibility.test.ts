/** What is refused as a brain, and with which figure. */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../errors/errors.js';
import { IDENTITY, translation } from '../volume/affine.js';
import type { Mask } from '../volume/volume.js';
import {
  FOUND_LIMITS,
  GIVEN_LIMITS,
  type MaskMeasures,
  measureMask,
  requirePlausible,
} from './plausibility.js';
import { roomyGrid, templateBrain } from './testing/template-brain.js';

const grid = roomyGrid(4);
const brain = templateBrain(grid, IDENTITY);

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) {
      expect(error.tag).toBe('brain-implausible');
      return error.message.split('; ')[0] ?? '';
    }
    throw error;
  }
  return 'not refused';
}

describe('plausibility', { timeout: 120_000 }, () => {
  const good = measureMask(brain);

  it('measures the average brain as one', () => {
    expect(good.millilitres).toBeGreaterThan(1100);
    expect(good.millilitres).toBeLessThan(1700);
    expect(good.largestShare).toBe(1);
    expect(good.borderShare).toBe(0);
    expect(good.fit.correlation).toBeGreaterThan(0.985);
    expect(() => requirePlausible(good, FOUND_LIMITS)).not.toThrow();
  });

  it('refuses each impossible measure by its figure', () => {
    const check = (change: Partial<MaskMeasures>): string =>
      refusal(() => requirePlausible({ ...good, ...change }, FOUND_LIMITS));
    expect(check({ millilitres: 320 })).toBe('expected a brain of 500 to 2600 ml, found 320 ml');
    expect(check({ millilitres: 4000 })).toMatch(/found 4000 ml/);
    expect(check({ largestShare: 0.7 })).toMatch(/in one piece, found its largest piece to be 70 %/);
    expect(check({ borderShare: 0.05 })).toMatch(/field of view, found 5.0 % of it on the border/);
    expect(check({ fit: { ...good.fit, correlation: 0.9 } })).toMatch(/at least 0.93.*0.900/);
    expect(check({ fit: { ...good.fit, correlation: Number.NaN } })).toMatch(/NaN/);
  });

  it('takes from the user what only its shape or the border speaks against', () => {
    const odd = { ...good, borderShare: 0.3, fit: { ...good.fit, correlation: 0.7 } };
    expect(() => requirePlausible(odd, GIVEN_LIMITS)).not.toThrow();
    expect(
      refusal(() => requirePlausible({ ...odd, fit: { ...good.fit, correlation: 0.5 } }, GIVEN_LIMITS)),
    ).toMatch(/shape of one/);
  });

  it('sees pieces and a brain that leaves the image', () => {
    const shifted = measureMask(templateBrain(grid, translation(0, 0, 70)));
    expect(shifted.borderShare).toBeGreaterThan(0.02);
    expect(refusal(() => requirePlausible(shifted, FOUND_LIMITS))).toMatch(/expected a brain/);

    const two = templateBrain(grid, IDENTITY);
    for (let v = 0; v < two.data.length; v++) {
      const x = v % grid.shape[0];
      if (x === 27 || x === 28) two.data[v] = 0;
    }
    expect(refusal(() => requirePlausible(measureMask(two), GIVEN_LIMITS))).toMatch(/in one piece/);
  });

  it('refuses an empty mask before it measures', () => {
    const empty: Mask = { grid, data: new Uint8Array(brain.data.length) };
    expect(refusal(() => measureMask(empty))).toMatch(/found none/);
  });

  it('refuses a box and a shell under the limits for what was found', () => {
    const box = new Uint8Array(brain.data.length);
    const [n] = grid.shape;
    for (let v = 0; v < box.length; v++)
      if ([v % n, ((v / n) | 0) % n, (v / (n * n)) | 0].every((i) => i > 14 && i < 41)) box[v] = 1;
    expect(refusal(() => requirePlausible(measureMask({ grid, data: box }), FOUND_LIMITS))).toMatch(
      /shape of one/,
    );
  });
});
