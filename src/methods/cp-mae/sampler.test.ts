/** What is kept stays, all that is wanted is drawn, chance comes from the seed alone; and the latent has its posterior. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../errors/errors.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { drawCategorical, drawLatent, drawPrior, drawSites, undrawn } from './sampler.js';

const generator = (label: number): Random => new Random(sha256(Uint8Array.of(label)));
const CODES = 5;

describe('drawing codes', () => {
  it('gives each site that is wanted a code and leaves all others alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kept: fc.boolean(), wanted: fc.boolean() }), { minLength: 1, maxLength: 60 }),
        fc.nat(255),
        (sites, seed) => {
          const begun = {
            indices: Int32Array.from(sites, (s) => (s.kept ? 4 : 0)),
            kept: Uint8Array.from(sites, (s) => (s.kept ? 1 : 0)),
          };
          const before = { indices: [...begun.indices], kept: [...begun.kept] };
          // code 4 is never drawn
          const logits = Float32Array.from({ length: sites.length * CODES }, (_, o) =>
            o % CODES === 4 ? -1e9 : 0,
          );
          const wanted = Uint8Array.from(sites, (s) => (s.wanted ? 1 : 0));
          const drawn = drawSites(begun, logits, CODES, generator(seed), wanted);
          expect({ indices: [...begun.indices], kept: [...begun.kept] }).toEqual(before);
          expect([...drawn.kept]).toEqual(sites.map((s) => (s.kept || s.wanted ? 1 : 0)));
          sites.forEach((s, o) => {
            if (s.kept) expect(drawn.indices[o]).toBe(4);
            else expect(drawn.indices[o]).not.toBe(4);
          });
        },
      ),
    );
  });

  it('repeats with the seed and differs without', () => {
    const logits = new Float32Array(40 * CODES);
    const draw = (label: number): number[] => [
      ...drawSites(undrawn(40), logits, CODES, generator(label)).indices,
    ];
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  it('draws as often as the probabilities say', () => {
    const one = [1, 0, -1, 2, -3];
    const sum = one.reduce((a, l) => a + Math.exp(l), 0);
    const sites = 20000;
    const logits = Float32Array.from({ length: sites * CODES }, (_, o) => one[o % CODES] as number);
    const counts = new Array<number>(CODES).fill(0);
    for (const code of drawSites(undrawn(sites), logits, CODES, generator(9)).indices)
      counts[code] = (counts[code] as number) + 1;
    // Chi squared of 4 degrees: 18.5 is passed once in a thousand.
    const chi = counts.reduce((total, n, c) => {
      const expected = (sites * Math.exp(one[c] as number)) / sum;
      return total + (n - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(18.5);
  });

  it('refuses to draw from logits that are not finite', () => {
    const broken = new Float32Array(CODES).fill(Number.NaN);
    expect(() => drawCategorical(broken, 0, CODES, generator(1))).toThrow(Failure);
  });
});

describe('drawing the latent', () => {
  /** Entries of `ways` (n x n) make the precision 1 + ways ways^T. */
  const precisionOf = (ways: readonly number[], n: number): Float32Array =>
    Float32Array.from({ length: n * n }, (_, o) => {
      const [i, j] = [Math.floor(o / n), o % n];
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < n; k++) sum += (ways[i * n + k] as number) * (ways[j * n + k] as number);
      return sum;
    });

  it('has the mean and the covariance of the posterior', () => {
    const n = 3;
    const precision = precisionOf([2, 0.5, -1, 0, 1, 0.5, 1, 1, 0], n);
    const mean = [1, -2, 0.5];
    const evidence = Float32Array.from(mean, (_, i) =>
      mean.reduce((sum, m, j) => sum + (precision[i * n + j] as number) * m, 0),
    );
    const random = generator(4);
    const draws = Array.from({ length: 20000 }, () => drawLatent(precision, evidence, random));
    const of = (f: (z: Float32Array) => number): number =>
      draws.reduce((sum, z) => sum + f(z), 0) / draws.length;
    mean.forEach((m, i) => {
      expect(of((z) => z[i] as number)).toBeCloseTo(m, 1);
    });
    // precision times covariance is the identity
    const covariance = (i: number, j: number): number =>
      of((z) => ((z[i] as number) - (mean[i] as number)) * ((z[j] as number) - (mean[j] as number)));
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += (precision[i * n + k] as number) * covariance(k, j);
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(0.1);
      }
  });

  it('lies at the mean where much is seen, whatever the precision is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (ways, mean) => {
          const precision = precisionOf(ways, 4).map((p) => p * 1e6);
          const evidence = Float32Array.from(mean, (_, i) =>
            mean.reduce((sum, m, j) => sum + (precision[i * 4 + j] as number) * m, 0),
          );
          const z = drawLatent(precision, evidence, generator(2));
          mean.forEach((m, i) => {
            expect(Math.abs((z[i] as number) - m)).toBeLessThan(0.02);
          });
        },
      ),
    );
  });

  it('is standard normal where nothing is seen, and repeats with the seed', () => {
    const z = drawPrior(20000, generator(7));
    expect(z.reduce((a, b) => a + b, 0) / z.length).toBeCloseTo(0, 1);
    expect(z.reduce((a, b) => a + b * b, 0) / z.length).toBeCloseTo(1, 1);
    expect(drawPrior(5, generator(3))).toEqual(drawPrior(5, generator(3)));
  });

  it('refuses a precision that is none', () => {
    for (const broken of [Float32Array.of(1, 2, 2, 1), Float32Array.of(Number.NaN, 0, 0, 1)])
      expect(() => drawLatent(broken, new Float32Array(2), generator(1))).toThrow(Failure);
  });
});
