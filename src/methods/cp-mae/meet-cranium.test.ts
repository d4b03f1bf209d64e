/** The thickness that joins a drawn head to a cranium that stays. */
import { describe, expect, it } from 'vitest';
import { directionOf, RINGS, ROUND } from '../../brain/cranium.js';
import { meetCranium } from './meet-cranium.js';

const missing = new Float32Array(RINGS * ROUND).fill(Number.NaN);
for (let ring = 12; ring < RINGS; ring++)
  for (let place = 0; place < ROUND; place++) {
    const [x, y] = directionOf(ring, place);
    missing[ring * ROUND + place] = 4 + 3 * y - 2 * x;
  }
const thickness = meetCranium(missing, () => -1);

describe('meetCranium', () => {
  it('adds what is missing where the cranium stays', () => {
    for (let ring = 13; ring < RINGS - 1; ring++)
      for (let place = 0; place < ROUND; place += 5) {
        const d = directionOf(ring, place);
        expect(Math.abs(thickness(...d) - (missing[ring * ROUND + place] as number))).toBeLessThan(0.5);
      }
  });

  it('goes over to the free draw below, without a jump', () => {
    for (let place = 0; place < ROUND; place += 7) {
      expect(thickness(...directionOf(1, place))).toBeCloseTo(-1, 2);
      for (let e = -1.4; e < 1.4; e += 0.02) {
        const at = (elevation: number): number => {
          const a = (2 * Math.PI * place) / ROUND;
          const flat = Math.cos(elevation);
          return thickness(flat * Math.sin(a), flat * Math.cos(a), Math.sin(elevation));
        };
        // 0.02 rad is 2 mm of skin
        expect(Math.abs(at(e + 0.02) - at(e))).toBeLessThan(0.6);
      }
    }
  });

  it('asks nothing of the shell that it does not bear', () => {
    const wild = meetCranium(
      missing.map((mm) => 30 * mm),
      () => 0,
    );
    const thin = meetCranium(
      missing.map((mm) => -30 * mm),
      () => 0,
    );
    for (let ring = 0; ring < RINGS; ring++) {
      const d = directionOf(ring, 3);
      expect(wild(...d)).toBeLessThanOrEqual(20);
      expect(thin(...d)).toBeGreaterThanOrEqual(-6);
    }
  });
});
