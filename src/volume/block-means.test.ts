/** Means of blocks: sums and places stay, ends are means of what there is, hot voxels are cut before they count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, multiply, rotation, scaling, type Vec3 } from './affine.js';
import { blockMeans, blocksOf } from './block-means.js';
import type { Shape, Volume } from './volume.js';

const small = fc.tuple(
  ...[0, 1, 2].map(() => fc.integer({ min: 1, max: 7 })),
) as unknown as fc.Arbitrary<Shape>;
const factor = fc.tuple(
  ...[0, 1, 2].map(() => fc.integer({ min: 1, max: 4 })),
) as unknown as fc.Arbitrary<Shape>;

describe('blockMeans', () => {
  it('is the mean of the voxels of each block, also of a part of one at the end', () => {
    fc.assert(
      fc.property(small, factor, fc.integer({ min: 0, max: 1000 }), (shape, factors, seed) => {
        const data = Float32Array.from(
          { length: shape[0] * shape[1] * shape[2] },
          (_, i) => ((i * 37 + seed) % 101) - 50,
        );
        const out = blockMeans({ grid: { shape, affine: scaling(1, 1, 1) }, data }, factors);
        expect(out.grid.shape).toEqual(shape.map((n, a) => Math.ceil(n / (factors[a] as number))));
        const sums = new Map<number, number[]>();
        data.forEach((v, o) => {
          const at = [
            o % shape[0],
            Math.floor(o / shape[0]) % shape[1],
            Math.floor(o / (shape[0] * shape[1])),
          ];
          const [x, y, z] = at.map((n, a) => Math.floor(n / (factors[a] as number))) as [
            number,
            number,
            number,
          ];
          const block = x + out.grid.shape[0] * (y + out.grid.shape[1] * z);
          sums.set(block, [...(sums.get(block) ?? []), v]);
        });
        for (const [block, values] of sums)
          expect(out.data[block]).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 4);
      }),
    );
  });

  it('is the mean of clipped values, whether blocks of eight are taken at once or not', () => {
    const twos: fc.Arbitrary<Shape> = fc.constant([2, 2, 2]);
    fc.assert(
      fc.property(
        small,
        fc.oneof(twos, factor),
        fc.integer({ min: 0, max: 1000 }),
        (shape, factors, seed) => {
          const grid = { shape, affine: scaling(1, 1, 1) };
          const data = Float32Array.from(
            { length: shape[0] * shape[1] * shape[2] },
            (_, i) => ((i * 37 + seed) % 101) - 50,
          );
          const clipped = data.map((v) => Math.min(3, Math.max(0, (v + 20) / 10)));
          const out = blockMeans({ grid, data }, factors, { low: -20, high: -10, ceiling: 3 }).data;
          const expected = blockMeans({ grid, data: clipped }, factors).data;
          expected.forEach((v, o) => {
            expect(out[o]).toBeCloseTo(v, 4);
          });
        },
      ),
    );
  });

  it('keeps places: the middle of a block is where its voxels are', () => {
    const affine = multiply(rotation([0.3, -0.2, 0.5]), scaling(0.5, 1, 2));
    const volume: Volume = { grid: { shape: [8, 6, 4], affine }, data: new Float32Array(192) };
    const { grid } = blockMeans(volume, [4, 2, 1]);
    const middle: Vec3 = applyAffine(affine, [5.5, 2.5, 3]);
    applyAffine(grid.affine, [1, 1, 3]).forEach((v, a) => {
      expect(v).toBeCloseTo(middle[a as 0], 10);
    });
    expect(blocksOf(volume.grid, 2)).toEqual([4, 2, 1]);
    expect(blocksOf(volume.grid, 0.1)).toEqual([1, 1, 1]);
  });

  it('cuts what is outside the range first, and takes what is not finite for its floor', () => {
    const data = Float32Array.of(100, 300, 100_000, Number.NaN, -5, 300, 200, Number.POSITIVE_INFINITY);
    const volume: Volume = { grid: { shape: [2, 2, 2], affine: scaling(1, 1, 1) }, data };
    const out = blockMeans(volume, [2, 1, 1], { low: 100, high: 300, ceiling: 3 });
    // (0 + 1) / 2, (3 + 0) / 2, (0 + 1) / 2, (0.5 + 3) / 2
    expect([...out.data]).toEqual([0.5, 1.5, 0.5, 1.75]);
    expect(blockMeans(volume, [2, 2, 1]).data[0]).toBeCloseTo(25_100, 5);
  });
});
