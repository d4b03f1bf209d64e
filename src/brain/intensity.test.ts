/** Where air lies, told by the brain alone: 0 for magnitude images of every contrast, found again after a shift and a scaling. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../errors/errors.js';
import { Random } from '../volume/random.js';
import { brainIntensity, measureIntensity } from './intensity.js';

/** Fluid, grey and white matter by share and signal, with noise. */
function brain(signals: readonly [number, number, number], noise = 4, seed = 1): Float32Array {
  const random = new Random(new Uint32Array(8).fill(seed));
  const [fluid, grey, white] = signals;
  return Float32Array.from({ length: 20_000 }, () => {
    const kind = random.uniform();
    // A rim of half bone and half fluid makes the darkest voxels.
    const signal = kind < 0.03 ? fluid * random.uniform() : kind < 0.12 ? fluid : kind < 0.57 ? grey : white;
    return Math.max(0, signal + noise * random.normal());
  });
}
const all = (n: number): Uint8Array => new Uint8Array(n).fill(1);
const CONTRASTS = {
  t1w: [250, 680, 1000],
  t2w: [1600, 700, 450],
  flair: [150, 950, 700],
  pdw: [1000, 900, 750],
} as const;

describe('brainIntensity', () => {
  it('takes 0 for air in magnitude images of every contrast', () => {
    for (const signals of Object.values(CONTRASTS)) {
      const values = brain(signals);
      const { air, level } = brainIntensity(values, all(values.length));
      expect(air).toBe(0);
      expect(level).toBeGreaterThan(400);
    }
  });

  it('finds air again to a tenth of the level where a T1-weighted image was shifted below zero or made of mean 0', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 3, noNaN: true }),
        fc.double({ min: 0.3, max: 2, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (gain, below, seed) => {
          const values = brain(CONTRASTS.t1w, 4, seed);
          const shift = -below * gain * 750;
          const moved = values.map((v) => gain * v + shift);
          const { air, level } = brainIntensity(moved, all(values.length));
          expect(Math.abs(air - shift)).toBeLessThan(0.1 * gain * 750);
          expect(level / gain).toBeGreaterThan(600);
        },
      ),
    );
  });

  it("takes a header's padding value for air where it fits the brain better than 0 does, and not otherwise", () => {
    const t1w = brain(CONTRASTS.t1w).map((v) => 8 * v);
    const lowered = t1w.map((v) => v - 400);
    const mask = all(lowered.length);
    // All of the brain lies above 0: nothing but the header can say it.
    expect(brainIntensity(lowered, mask).air).toBe(0);
    expect(brainIntensity(lowered, mask, -400).air).toBe(-400);
    for (const said of [-32768, -2000, 0, 7000, Number.NaN]) {
      expect(brainIntensity(brain(CONTRASTS.t1w), mask, said).air).toBe(0);
      expect(brainIntensity(lowered, mask, said)).toEqual(brainIntensity(lowered, mask));
    }
  });

  it('finds a raised background too, and looks at no voxel outside the mask', () => {
    const values = brain(CONTRASTS.t1w).map((v) => v + 8000);
    const mask = all(values.length);
    const whole = Float32Array.of(...values, -1e9, Number.NaN, 1e9);
    const found = brainIntensity(whole, Uint8Array.of(...mask, 0, 0, 0));
    expect(found).toEqual(brainIntensity(values, mask));
    expect(Math.abs(found.air - 8000)).toBeLessThan(100);
  });

  it('has an answer for one positive value, none for zeros or an empty mask', () => {
    expect(brainIntensity(new Float32Array(9).fill(5), all(9))).toEqual({ air: 0, level: 5 });
    expect(measureIntensity(new Float32Array(9), all(9))).toBeUndefined();
    expect(measureIntensity(new Float32Array(9).fill(-3), all(9))).toBeUndefined();
    expect(() => brainIntensity(new Float32Array(9), all(9))).toThrow(Refusal);
    expect(() => brainIntensity(new Float32Array(9), new Uint8Array(9))).toThrow(/mask/);
  });
});
