import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiply, rotation, translation } from './affine.js';
import { resampleLinear } from './resample.js';
import { tissueBlocks } from './tissue-blocks.js';
import type { Grid, Volume } from './volume.js';

describe('blocks of tissue', () => {
  it('change nothing in what is sampled, wherever a few voxels of tissue lie', () => {
    const shape = [19, 17, 21] as const;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(18), fc.nat(16), fc.nat(20)), { minLength: 1, maxLength: 5 }),
        fc.tuple(
          fc.double({ min: -0.6, max: 0.6, noNaN: true }),
          fc.double({ min: -9, max: 9, noNaN: true }),
        ),
        (voxels, [angle, shift]) => {
          const data = new Float32Array(19 * 17 * 21);
          for (const [i, j, k] of voxels) data[i + 19 * (j + 17 * k)] = 1 + i;
          const turned = multiply(translation(shift, 0.3, -0.4), rotation([angle, angle / 2, -angle]));
          const source: Volume = { grid: { shape, affine: turned }, data };
          const target: Grid = { shape: [20, 20, 20], affine: translation(-1, -1, -1) };
          const tissue = tissueBlocks(data, shape);
          expect(resampleLinear(source, target, { tissue })).toEqual(resampleLinear(source, target));
        },
      ),
    );
  });
});
