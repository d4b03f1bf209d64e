/** Where the first look lays its grid. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { multiply, scaling, translation } from '../volume/affine.js';
import type { Grid } from '../volume/volume.js';
import { viewGrid } from './finder.js';

it('lays the same grid for a scan whose header has other last digits, as float32 headers have', () => {
  // 96 voxels of 2 mm are 192 mm, exactly three steps of the network: a ten-thousandth of a millimetre made them four.
  const sizes = fc.constantFrom(32, 96, 128, 160, 192, 256);
  const last = fc.double({ min: -1e-6, max: 1e-6, noNaN: true });
  fc.assert(
    fc.property(fc.tuple(sizes, sizes, sizes), fc.constantFrom(1, 2, 4), last, (shape, mm, off) => {
      const grid = (size: number): Grid => ({
        shape,
        affine: multiply(translation(-90, -100, -70), scaling(size, size, size)),
      });
      const [exact, other] = [viewGrid(grid(mm)), viewGrid(grid(mm * (1 + off)))];
      expect(other.shape).toEqual(exact.shape);
      other.affine.forEach((v, e) => {
        expect(v).toBeCloseTo(exact.affine[e] as number, 2);
      });
    }),
  );
});
