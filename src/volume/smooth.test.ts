/** Gaussian smoothing; scipy compares the numbers (test/geometry-scipy.test.ts). */
import { describe, expect, it } from 'vitest';
import { scaling } from './affine.js';
import { gaussianKernel, gaussianSmooth } from './smooth.js';
import type { Volume } from './volume.js';

function impulse(): Volume {
  const data = new Float32Array(21 * 21 * 21);
  data[10 + 21 * (10 + 21 * 10)] = 1000;
  return { grid: { shape: [21, 21, 21], affine: scaling(1, 1, 2) }, data };
}

describe('Gaussian smoothing', () => {
  it('keeps the sum and has the variance asked, in millimetres on every axis', () => {
    const { data } = gaussianSmooth(impulse(), 2);
    const sum = data.reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1000, 1);
    const variance = [0, 0, 0];
    data.forEach((v, o) => {
      const at = [o % 21, ((o / 21) | 0) % 21, (o / 441) | 0].map((n) => n - 10);
      at.forEach((n, axis) => {
        variance[axis] = (variance[axis] ?? 0) + (v / sum) * (n * (axis === 2 ? 2 : 1)) ** 2;
      });
    });
    // A kernel cut at 3 sigma has 97 % of the variance.
    for (const v of variance) expect(Math.abs(v - 4)).toBeLessThan(0.15);
  });

  it('leaves its input alone, and a sigma below a tenth of a voxel changes nothing', () => {
    const volume = impulse();
    const before = volume.data.slice();
    expect(gaussianSmooth(volume, 0.05).data).toEqual(before);
    gaussianSmooth(volume, 3);
    expect(volume.data).toEqual(before);
  });

  it('has symmetric kernels that sum to one', () => {
    for (const sigma of [0.1, 0.5, 1, 2.3, 7]) {
      const kernel = gaussianKernel(sigma);
      expect(kernel.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect([...kernel].reverse()).toEqual([...kernel]);
    }
  });
});
