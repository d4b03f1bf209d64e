/** The key of a brain: deaf to last digits and to brightness, not to the brain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIELD_SHAPE } from '../../contract/contract.js';
import { brainKey } from './brain-key.js';

const [NX, NY, NZ] = FIELD_SHAPE;

/** An ellipsoid with a soft rim; brightness 1. @param radii in blocks */
function brain(radii: readonly [number, number, number]): Float32Array {
  const half = NX * NY * NZ;
  const out = new Float32Array(2 * half);
  for (let k = 0, o = 0; k < NZ; k++)
    for (let j = 0; j < NY; j++)
      for (let i = 0; i < NX; i++, o++) {
        const r = Math.hypot(
          (i - (NX - 1) / 2) / radii[0],
          (j - (NY - 1) / 2) / radii[1],
          (k - (NZ - 1) / 2) / radii[2],
        );
        out[o] = Math.min(1, Math.max(0, 10 * (1.05 - r)));
        out[half + o] = out[o] as number;
      }
  return out;
}

describe('brainKey', () => {
  const one = brain([17.3, 21.1, 16.2]);

  it('stays where last digits differ, and whatever the brightness', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const shaken = one.map((v, o) => v * (1 + 1e-9 * (((o * seed) % 7) - 3)));
        expect(brainKey(shaken)).toBe(brainKey(one));
      }),
      { numRuns: 20 },
    );
    expect(brainKey(one.map((v, o) => (o < NX * NY * NZ ? v : 3 * v)))).toBe(brainKey(one));
  });

  it('differs from brain to brain', () => {
    const keys = [0, 0.2, 0.4, 0.6].map((by) => brainKey(brain([17.3 + by, 21.1, 16.2 - by / 2])));
    expect(new Set([...keys, brainKey(one)]).size).toBe(4);
  });
});
