/** Iterative sampling: what is kept stays, all is drawn, chance comes from the seed alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../errors/errors.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import {
  drawCategorical,
  type Predict,
  type SamplingOptions,
  sampleCodes,
  stillMasked,
  undrawn,
} from './sampler.js';

const generator = (label: number): Random => new Random(sha256(Uint8Array.of(label)));
const OPTIONS: SamplingOptions = { steps: 7, temperature: 1, choiceNoise: 4.5 };
const CODES = 5;

/** Logits that depend on what is kept, as a network's do. */
const predict: Predict = async (indices, kept) =>
  Float32Array.from({ length: indices.length * CODES }, (_, o) => {
    const s = Math.floor(o / CODES);
    const before = s > 0 && kept[s - 1] === 1 ? (indices[s - 1] as number) : 2;
    return Math.sin(1 + s * 0.7 + (o % CODES) * 1.3) + (o % CODES === before ? 1 : 0);
  });

describe('the schedule', () => {
  it('falls from all to none, never rising', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (sites, steps) => {
        expect(stillMasked(sites, 0, steps)).toBe(sites);
        expect(stillMasked(sites, steps, steps)).toBe(0);
        for (let t = 1; t <= steps; t++) {
          const now = stillMasked(sites, t, steps);
          expect(now).toBeLessThanOrEqual(stillMasked(sites, t - 1, steps));
          expect(Number.isInteger(now)).toBe(true);
          if (t < steps) expect(now).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('sampling', () => {
  it('never changes what it kept, keeps as many as the schedule says, and ends with every site drawn', async () => {
    const sites = 60;
    let [keptBefore, indicesBefore] = [new Uint8Array(sites), new Int32Array(sites)];
    let step = 0;
    const watched: Predict = (indices, kept) => {
      expect(kept.filter((k) => k === 0)).toHaveLength(stillMasked(sites, step, OPTIONS.steps));
      keptBefore.forEach((k, s) => {
        if (k === 0) return;
        expect(kept[s]).toBe(1);
        expect(indices[s]).toBe(indicesBefore[s]);
      });
      [keptBefore, indicesBefore] = [kept.slice(), indices.slice()];
      step++;
      return predict(indices, kept);
    };
    const { indices: out } = await sampleCodes(undrawn(sites), CODES, watched, generator(1), OPTIONS);
    expect(step).toBe(OPTIONS.steps);
    expect(out).toHaveLength(sites);
    for (const code of out) expect(code).toBeLessThan(CODES);
    keptBefore.forEach((k, s) => {
      if (k === 1) expect(out[s]).toBe(indicesBefore[s]);
    });
    // A site that was never drawn would hold 0; here no site may.
    const never0: Predict = async (indices) =>
      Float32Array.from({ length: indices.length * CODES }, (_, o) => (o % CODES === 0 ? -1e9 : 0));
    const { indices } = await sampleCodes(undrawn(sites), CODES, never0, generator(2), OPTIONS);
    expect([...indices]).not.toContain(0);
  });

  it('repeats with the seed and differs without', async () => {
    const draw = async (label: number): Promise<Int32Array> =>
      (await sampleCodes(undrawn(40), CODES, predict, generator(label), OPTIONS)).indices;
    expect(await draw(5)).toEqual(await draw(5));
    expect(await draw(5)).not.toEqual(await draw(6));
  });

  it('draws as often as the probabilities say', async () => {
    const logits = [1, 0, -1, 2, -3];
    const sum = logits.reduce((a, l) => a + Math.exp(l), 0);
    const sites = 20000;
    const constant: Predict = async () =>
      Float32Array.from({ length: sites * CODES }, (_, o) => logits[o % CODES] as number);
    const once = { ...OPTIONS, steps: 1 };
    const { indices: out } = await sampleCodes(undrawn(sites), CODES, constant, generator(9), once);
    const counts = new Array<number>(CODES).fill(0);
    for (const code of out) counts[code] = (counts[code] as number) + 1;
    // Chi squared of 4 degrees: 18.5 is passed once in a thousand.
    const chi = counts.reduce((total, n, c) => {
      const expected = (sites * Math.exp(logits[c] as number)) / sum;
      return total + (n - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(18.5);
  });

  it('gives the log-probability of its draw, and a low temperature takes the likeliest', () => {
    const logits = Float32Array.of(9, 9, 0.5, 1.5, -1);
    const random = generator(3);
    for (let i = 0; i < 50; i++) {
      const { index, logProbability } = drawCategorical(logits, 2, 3, 1, random);
      const sum = Math.exp(0.5) + Math.exp(1.5) + Math.exp(-1);
      expect(logProbability).toBeCloseTo((logits[2 + index] as number) - Math.log(sum), 6);
      expect(drawCategorical(logits, 2, 3, 0.01, random).index).toBe(1);
    }
  });

  it('refuses to draw from logits that are not finite', async () => {
    const broken: Predict = async (indices) => new Float32Array(indices.length * CODES).fill(Number.NaN);
    await expect(sampleCodes(undrawn(4), CODES, broken, generator(1), OPTIONS)).rejects.toThrow(Failure);
  });

  it('draws what is wanted and not yet drawn, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kept: fc.boolean(), wanted: fc.boolean() }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        async (sites, steps) => {
          const kept = Uint8Array.from(sites, (s) => (s.kept ? 1 : 0));
          const begun = { indices: Int32Array.from(sites, (s) => (s.kept ? 4 : 0)), kept };
          const wanted = Uint8Array.from(sites, (s) => (s.wanted ? 1 : 0));
          // code 4 is never drawn
          const without4: Predict = async (indices) =>
            Float32Array.from({ length: indices.length * CODES }, (_, o) => (o % CODES === 4 ? -1e9 : 0));
          const drawn = await sampleCodes(
            begun,
            CODES,
            without4,
            generator(steps),
            { ...OPTIONS, steps },
            wanted,
          );
          expect([...begun.kept]).toEqual([...kept]);
          sites.forEach((s, o) => {
            expect(drawn.kept[o]).toBe(s.kept || s.wanted ? 1 : 0);
            if (s.kept) expect(drawn.indices[o]).toBe(4);
            else expect(drawn.indices[o]).not.toBe(4);
          });
        },
      ),
    );
  });
});
