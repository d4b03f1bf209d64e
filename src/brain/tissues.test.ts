/** Tissues of a brain drawn from their own priors, in four contrasts: means found again, contrast named, nothing outside the mask read. */
import { describe, expect, it } from 'vitest';
import { brain, grid, mask, motion, SIGNALS } from './testing/tissue-brain.js';
import { contrastOf, fitTissues } from './tissues.js';

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
