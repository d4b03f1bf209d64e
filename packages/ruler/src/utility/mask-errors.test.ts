import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/volume/random.js';
import { headGrid, syntheticHead } from '../../../../src/volume/testing/synthetic-head.js';
import { dice } from '../statistics/statistics.js';
import { damageMask, MASK_ERRORS, maskErrorCost } from './mask-errors.js';

const { brainMask } = syntheticHead({ grid: headGrid({ spacing: [4, 4, 4] }) });
const random = (): Random => new Random(new Uint32Array(8).fill(7));
const count = (data: Uint8Array): number => data.reduce((sum, v) => sum + v, 0);

describe('masks with mistakes', () => {
  it('grow, shrink, move and become rough, the more the larger the error', () => {
    for (const kind of MASK_ERRORS) {
      const small = damageMask(brainMask, kind, 4, random());
      const large = damageMask(brainMask, kind, 8, random());
      const [a, b] = [dice(brainMask.data, small.data), dice(brainMask.data, large.data)];
      expect(a).toBeLessThan(1);
      expect(b).toBeLessThan(a);
      expect(b).toBeGreaterThan(0.6);
    }
    expect(count(damageMask(brainMask, 'dilate', 4, random()).data)).toBeGreaterThan(count(brainMask.data));
    expect(count(damageMask(brainMask, 'erode', 4, random()).data)).toBeLessThan(count(brainMask.data));
    expect(count(damageMask(brainMask, 'shift', 4, random()).data)).toBe(count(brainMask.data));
    const rough = count(damageMask(brainMask, 'roughen', 4, random()).data) / count(brainMask.data);
    expect(rough).toBeGreaterThan(0.9);
    expect(rough).toBeLessThan(1.15);
  });

  it('cost what was lost of the brain and kept of the rest', () => {
    expect(maskErrorCost(brainMask, brainMask)).toEqual({ brainLost: 0, othersKeptMl: 0 });
    const grown = maskErrorCost(brainMask, damageMask(brainMask, 'dilate', 4, random()));
    expect(grown.brainLost).toBe(0);
    expect(grown.othersKeptMl).toBeGreaterThan(50);
    const shrunk = maskErrorCost(brainMask, damageMask(brainMask, 'erode', 4, random()));
    expect(shrunk.brainLost).toBeGreaterThan(0.05);
    expect(shrunk.othersKeptMl).toBe(0);
  });
});
