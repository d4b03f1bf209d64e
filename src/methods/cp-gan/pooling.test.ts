/** Probabilistic average pooling: binary in, binary out, the proportion kept in expectation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { averagePool, probabilisticPool, upsampleNearest } from './pooling.js';

const random = (n: number): Random => new Random(sha256(Uint8Array.of(n & 255, n >> 8)));
const mean = (data: ArrayLike<number>): number =>
  Array.from(data).reduce((sum, v) => sum + v, 0) / data.length;
/** n, a divisor of it, and n^3 bits of a random density. */
const cubes = fc
  .tuple(
    fc.constantFrom<readonly [number, number]>([4, 1], [4, 2], [6, 3], [8, 2], [8, 4], [8, 8]),
    fc.nat(9999),
    fc.nat(100),
  )
  .map(([[n, factor], seed, percent]) => {
    const r = random(seed);
    return {
      n,
      factor,
      seed,
      bits: Uint8Array.from({ length: n ** 3 }, () => (100 * r.uniform() < percent ? 1 : 0)),
    };
  });

describe('averagePool', () => {
  it('is the mean of each block', () => {
    fc.assert(
      fc.property(cubes, ({ n, factor, bits }) => {
        const m = n / factor;
        const found = averagePool(bits, n, factor);
        expect(found).toHaveLength(m ** 3);
        for (let o = 0; o < found.length; o++) {
          const corner = [o % m, ((o / m) | 0) % m, (o / m / m) | 0].map((c) => c * factor) as [
            number,
            number,
            number,
          ];
          let sum = 0;
          for (let k = 0; k < factor; k++)
            for (let j = 0; j < factor; j++)
              for (let i = 0; i < factor; i++)
                sum += bits[corner[0] + i + n * (corner[1] + j + n * (corner[2] + k))] as number;
          expect(found[o]).toBeCloseTo(sum / factor ** 3, 6);
        }
        expect(mean(found)).toBeCloseTo(mean(bits), 6);
      }),
    );
  });
});

describe('probabilisticPool', () => {
  it('gives zeros and ones, and sure ones where a block is all one value', () => {
    fc.assert(
      fc.property(cubes, ({ n, factor, seed, bits }) => {
        const means = averagePool(bits, n, factor);
        const found = probabilisticPool(bits, n, factor, random(seed));
        found.forEach((v, o) => {
          expect(v === 0 || v === 1).toBe(true);
          if (means[o] === 0 || means[o] === 1) expect(v).toBe(means[o]);
        });
        expect(probabilisticPool(bits, n, factor, random(seed))).toEqual(found);
      }),
    );
  });

  it('keeps the proportion in expectation, voxel by voxel and in all', () => {
    fc.assert(
      fc.property(cubes, ({ n, factor, seed, bits }) => {
        const means = averagePool(bits, n, factor);
        const draws = 400;
        const r = random(seed + 1);
        const sum = new Float64Array(means.length);
        for (let d = 0; d < draws; d++)
          probabilisticPool(bits, n, factor, r).forEach((v, o) => {
            sum[o] = (sum[o] as number) + v / draws;
          });
        // Five standard deviations of a mean of 400 coins; of all voxels together, of the sum of their variances.
        let variance = 0;
        means.forEach((p, o) => {
          variance += (p * (1 - p)) / draws;
          expect(Math.abs((sum[o] as number) - p)).toBeLessThanOrEqual(
            5 * Math.sqrt((p * (1 - p)) / draws) + 1e-6,
          );
        });
        expect(Math.abs(mean(sum) - mean(bits))).toBeLessThanOrEqual(
          (5 * Math.sqrt(variance)) / means.length + 1e-6,
        );
      }),
      { numRuns: 40, seed: 7 },
    );
  });
});

describe('upsampleNearest', () => {
  it('is undone by pooling', () => {
    fc.assert(
      fc.property(cubes, ({ n, factor, bits }) => {
        const small = Float32Array.from(bits);
        const large = upsampleNearest(small, n, factor);
        expect(large).toHaveLength((n * factor) ** 3);
        expect(averagePool(large, n * factor, factor)).toEqual(small);
        expect(new Set(large)).toEqual(new Set(small));
      }),
      { numRuns: 30 },
    );
  });
});
