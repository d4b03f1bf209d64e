/** The box that a mask reaches, against a walk over every voxel. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IDENTITY } from './affine.js';
import { maskBox } from './mask-box.js';

it('is that of every voxel that is set', () => {
  const sizes = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(sizes, sizes, sizes, fc.array(fc.nat(400), { maxLength: 5 }), (nx, ny, nz, places) => {
      const data = new Uint8Array(nx * ny * nz);
      for (const place of places) data[place % data.length] = 1;
      const low = [nx, ny, nz];
      const high = [-1, -1, -1];
      data.forEach((v, o) => {
        if (v === 0) return;
        [o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))].forEach((index, axis) => {
          low[axis] = Math.min(low[axis] as number, index);
          high[axis] = Math.max(high[axis] as number, index);
        });
      });
      const found = maskBox({ grid: { shape: [nx, ny, nz], affine: IDENTITY }, data });
      expect(found.high).toEqual(high);
      if (places.length > 0) expect(found.low).toEqual(low);
    }),
  );
});
