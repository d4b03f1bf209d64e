/** The image continued into the brain. */
import { describe, expect, it } from 'vitest';
import { continueInwards } from './continue-inwards.js';

describe('continueInwards', () => {
  const n = 24;
  const radius = (v: number): number =>
    Math.hypot((v % n) - 11.5, (((v / n) | 0) % n) - 11.5, ((v / n / n) | 0) - 11.5);
  const share = Float32Array.from({ length: n ** 3 }, (_, v) =>
    radius(v) < 9 ? 1 : radius(v) < 10 ? 0.3 : 0,
  );

  it('hides what stands inside, three voxels deep, and leaves what is outside', () => {
    // Inside: whatever.
    const image = Float32Array.from(share, (s, v) => (s > 0.5 ? 1000 * Math.sin(v) : 2));
    const found = continueInwards(image, share, n);
    for (let v = 0; v < found.length; v++) {
      if ((share[v] as number) < 0.5) expect(found[v]).toBe(image[v]);
      else if (radius(v) > 7) expect(found[v]).toBeCloseTo(2, 5);
      else if (radius(v) < 3) expect(found[v]).toBe(image[v]);
    }
  });

  it('takes from voxels with little brain more than from those with some', () => {
    const image = new Float32Array(27);
    const some = new Float32Array(27);
    some[13] = 1;
    for (let v = 0; v < 27; v++) {
      if (v === 13) continue;
      some[v] = v < 13 ? 0.4 : 0;
      image[v] = v < 13 ? 1 : 3;
    }
    expect(continueInwards(image, some, 3)[13]).toBeCloseTo((0.6 * 1 + 1 * 3) / 1.6, 5);
  });
});
