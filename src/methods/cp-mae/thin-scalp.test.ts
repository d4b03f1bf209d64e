import { describe, expect, it } from 'vitest';
import { directionOf, RINGS, ROUND } from '../../brain/cranium.js';
import { bareness, thickened } from './thin-scalp.js';

const COUNT = RINGS * ROUND;

describe('thickening where the brain is bare', () => {
  it('adds nothing where there is enough, or where nothing is known', () => {
    const brain = new Float32Array(COUNT).fill(70);
    const skin = new Float32Array(COUNT).fill(83);
    skin[5] = Number.NaN;
    const missing = bareness(brain, skin);
    expect(missing.every((mm) => mm === 0)).toBe(true);
    expect(thickened(() => 2, missing)(0, 1, 0)).toBe(2);
  });

  it('brings the skin out to where it is missing, smoothly, and leaves the back of the head alone', () => {
    const brain = new Float32Array(COUNT).fill(70);
    const skin = new Float32Array(COUNT).fill(85);
    const front = 12 * ROUND;
    for (let ring = 12; ring <= 14; ring++)
      for (const place of [0, 1, 2, ROUND - 2, ROUND - 1]) skin[ring * ROUND + place] = 75;
    const missing = bareness(brain, skin);
    expect(missing[front]).toBeCloseTo(6);
    const thickness = thickened(() => -1, missing);
    expect(thickness(...directionOf(13, 0))).toBeGreaterThan(2.5);
    expect(thickness(0, -1, 0)).toBe(-1);
    // no step of more than 1.5 mm from one direction to the next (5 degrees)
    for (let place = 0; place < ROUND; place++) {
      const [a, b] = [thickness(...directionOf(13, place)), thickness(...directionOf(13, place + 1))];
      expect(Math.abs(a - b)).toBeLessThan(1.5);
    }
  });
});
