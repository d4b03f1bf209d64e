/** What of a brain lies on the crop's sides. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IDENTITY } from '../volume/affine.js';
import type { Shape } from '../volume/volume.js';
import { onSides } from './crop.js';

it('counts what is above the level on five sides, each voxel once, and not what the cord leaves by', () => {
  const size = fc.integer({ min: 2, max: 6 });
  fc.assert(
    fc.property(
      fc.tuple(size, size, size),
      fc.infiniteStream(fc.integer({ min: -3, max: 3 })),
      (shape, values) => {
        const [nx, ny, nz] = shape as Shape;
        const data = Float32Array.from({ length: nx * ny * nz }, () => values.next().value as number);
        let expected = 0;
        data.forEach((value, o) => {
          const [x, y, z] = [o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))];
          if (value > 0 && (x === 0 || x === nx - 1 || y === 0 || y === ny - 1 || z === nz - 1)) expected++;
        });
        expect(onSides({ grid: { shape, affine: IDENTITY }, data }, 0)).toBe(expected);
      },
    ),
  );
});
