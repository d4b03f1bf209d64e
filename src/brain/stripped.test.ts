/** A brain alone is told from a head, whatever lies in the brain. */
import { describe, expect, it } from 'vitest';
import { syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Volume } from '../volume/volume.js';
import { reducedScan } from './levels.js';
import { strippedBrainMl } from './stripped.js';
import { brainTemplate } from './template.js';

const template = brainTemplate();
/** Bright where the average brain is, with a dark middle as of ventricles. */
const brain: Volume = {
  grid: template.grid,
  data: Float32Array.from(template.data, (v, o) => (v > 0.5 ? 600 + 100 * ((o * 7919) % 3) : 0)),
};

function mlOf(volume: Volume): number | undefined {
  const scan = reducedScan(volume);
  if (scan === undefined) throw new Error('expected a scan');
  return strippedBrainMl(scan);
}

describe('a scan without a head', () => {
  it('is known by its tissue, which is a brain', () => {
    const ml = mlOf(brain);
    expect(ml).toBeGreaterThan(1000);
    expect(ml).toBeLessThan(2000);
  });

  it('is not what holds a head, a ball or a half brain', () => {
    const [nx, ny, nz] = brain.grid.shape;
    expect(
      mlOf(
        syntheticHead({
          grid: { shape: [90, 110, 100], affine: [2, 0, 0, -90, 0, 2, 0, -110, 0, 0, 2, -110, 0, 0, 0, 1] },
        }).volume,
      ),
    ).toBeUndefined();
    const half = brain.data.map((v, o) => (o % nx < nx / 2 ? v : 0));
    expect(mlOf({ ...brain, data: half })).toBeUndefined();
    const box = brain.data.map((_, o) => {
      const [i, j, k] = [o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))];
      return Math.abs(i - nx / 2) < nx / 3 && Math.abs(j - ny / 2) < ny / 3 && Math.abs(k - nz / 2) < nz / 3
        ? 500
        : 0;
    });
    expect(mlOf({ ...brain, data: box })).toBeUndefined();
  });
});
