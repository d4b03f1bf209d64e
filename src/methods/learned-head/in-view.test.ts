/** A nose is set back into the scan, and nothing else is moved. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CUBE_CENTRE_MM, FIELD_COUNT, FIELD_SHAPE } from '../../contract/contract.js';
import { type Affine, applyAffine, invert, multiply, rotation, translation } from '../../volume/affine.js';
import type { Grid } from '../../volume/volume.js';
import { keptInView } from './in-view.js';
import { fieldPointMm, pointReading, UNIT_MM } from './landmark.js';

const TIP = [-2, 107, -30] as const;
const still = (): Float32Array => new Float32Array(3 * FIELD_COUNT);

/** A scan of 1 mm about a head posed by `pose`, that ends `front` mm before the cube's centre. */
function scanEnding(front: number, pose: Affine): Grid {
  const [x, y, z] = CUBE_CENTRE_MM;
  const corner = translation(x - 100, y + front - 219.5, z - 120);
  return { shape: [200, 220, 240], affine: multiply(pose, corner) };
}

const poses = fc
  .tuple(
    fc.integer({ min: -60, max: 60 }),
    fc.integer({ min: -30, max: 30 }),
    fc.integer({ min: -20, max: 20 }),
  )
  .map(([a, b, c]) => multiply(translation(a, b, c), rotation([a / 200, b / 100, c / 100])));

describe('keptInView', () => {
  it('leaves a face that fits, and one in a scan that cuts every face, as it was drawn', () => {
    fc.assert(
      fc.property(poses, fc.constantFrom(111, 120, 128, 60, 80), (pose, front) => {
        const fields = still();
        expect(keptInView(fields, scanEnding(front, pose), pose, 0)).toBe(fields);
      }),
      { numRuns: 20 },
    );
  });

  it('brings the tip of a nose into the scan, 3 mm from its end, wherever the head stands', () => {
    fc.assert(
      fc.property(poses, fc.double({ min: 96, max: 109, noNaN: true }), (pose, front) => {
        const scan = scanEnding(front, pose);
        const tip = pointReading(keptInView(still(), scan, pose, 0), TIP);
        const world = applyAffine(multiply(pose, translation(...CUBE_CENTRE_MM)), tip);
        const [, y] = applyAffine(invert(scan.affine), world);
        expect(219.5 - y).toBeGreaterThan(2.4);
        expect(219.5 - y).toBeLessThan(5);
      }),
      { numRuns: 30 },
    );
  });

  it('sets back farther by what is drawn, and by what it must where there is no room for more', () => {
    const behind = (front: number, spare: number): number => {
      const scan = scanEnding(front, translation(0, 0, 0));
      return front - pointReading(keptInView(still(), scan, translation(0, 0, 0), spare), TIP)[1];
    };
    expect(behind(105, 0)).toBeLessThan(5);
    for (const spare of [2, 5, 8]) expect(behind(105, spare) - behind(105, 0)).toBeCloseTo(spare, -0.3);
    // 13 mm of the 16 that a face may be set back are needed.
    expect(behind(96, 9)).toBe(behind(96, 0));
    // Far out: set back all the same, and no farther than it must.
    expect(behind(88, 9)).toBeGreaterThan(2.4);
    expect(behind(88, 9)).toBeLessThan(5);
    // A nose that fits stays, whatever is drawn.
    expect(behind(112, 9)).toBe(5);
  });

  it.each([97, 86.5])(
    'moves nothing forwards or sideways, folds nothing, and leaves the brain where it is: %s mm',
    (front) => {
      const pose = translation(0, 0, 0);
      const out = keptInView(still(), scanEnding(front, pose), pose, 0);
      const [nx, ny, nz] = FIELD_SHAPE;
      let most = 0;
      let ordered = true;
      for (let k = 0, v = 0; k < nz; k++)
        for (let j = 0; j < ny; j++)
          for (let i = 0; i < nx; i++, v++) {
            const mm = (out[FIELD_COUNT + v] as number) * UNIT_MM[1];
            if (out[v] !== 0 || out[2 * FIELD_COUNT + v] !== 0 || mm < 0) ordered = false;
            // Read places stay in order: 4 mm further on, no less far.
            if (j + 1 < ny && !(4 + (out[FIELD_COUNT + v + nx] as number) * UNIT_MM[1] - mm > 0))
              ordered = false;
            const [, y, z] = fieldPointMm(i, j, k);
            // The frontal pole: 70 mm before the brain's centre and above the orbits.
            if (y < 70 - CUBE_CENTRE_MM[1] && z > -CUBE_CENTRE_MM[2] - 20) most = Math.max(most, mm);
          }
      expect(ordered).toBe(true);
      expect(most).toBeLessThan(1);
    },
  );
});
