/** The brain as the networks see it, at 4 mm and by sites, against plain means. */
import { describe, expect, it } from 'vitest';
import { modelGrid } from '../../brain/model-grid.js';
import { applyAffine, IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { siteMeans } from '../cp-mae/sites.js';
import { brainBlocks, trimmedGrid } from './grid.js';

describe('the conditioning grid', () => {
  const random = new Random(sha256(Uint8Array.of(4)));
  const grid = modelGrid(IDENTITY, 128);
  const noise = (top: number): Float32Array =>
    Float32Array.from({ length: 128 ** 3 }, () => top * random.uniform());
  const [brain, mask] = [noise(4), noise(1)];
  const blocks = brainBlocks({ brain: { grid, data: brain }, mask: { grid, data: mask }, pose: IDENTITY });

  function naive(channel: 0 | 1, x: number, y: number, z: number, edge: number): number {
    let sum = 0;
    for (let k = 0; k < edge; k++)
      for (let j = 0; j < edge; j++)
        for (let i = 0; i < edge; i++) {
          const o = 16 + x * edge + i + 128 * (y * edge + j + 128 * (z * edge + k));
          if ((mask[o] as number) > 0.5) sum += channel === 0 ? 1 : Math.min(2.55, brain[o] as number);
        }
    return sum / edge ** 3;
  }

  it('has means of 2^3 voxels of the trimmed cube', () => {
    for (let n = 0; n < 500; n++) {
      const [x, y, z] = [random.below(48), random.below(64), random.below(64)];
      for (const channel of [0, 1] as const)
        expect(blocks[x + 48 * (y + 64 * (z + 64 * channel))]).toBeCloseTo(naive(channel, x, y, z, 2), 5);
    }
  });

  it('and of the sites, 32 mm a side', () => {
    const sites = siteMeans(blocks, { x: 6, y: 8, z: 8, count: 384 });
    expect(sites).toHaveLength(2 * 384);
    for (let n = 0; n < 20; n++) {
      const [x, y, z] = [random.below(6), random.below(8), random.below(8)];
      for (const channel of [0, 1] as const)
        expect(sites[x + 6 * (y + 8 * (z + 8 * channel))]).toBeCloseTo(naive(channel, x, y, z, 16), 4);
    }
  });

  it('trims 32 mm on either side, at both resolutions', () => {
    for (const resolution of [128, 256] as const) {
      const trimmed = trimmedGrid(IDENTITY, resolution);
      expect(trimmed.shape).toEqual([(resolution * 3) / 4, resolution, resolution]);
      expect(applyAffine(trimmed.affine, [-0.5, -0.5, -0.5])).toEqual([-96, -106, -158]);
      expect(applyAffine(trimmed.affine, [trimmed.shape[0] - 0.5, -0.5, -0.5])[0]).toBe(96);
    }
  });
});
