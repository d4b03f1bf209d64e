/** A drawn head in another contrast: each voxel in proportion to its tissues, air black, fluids' grain within its limit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TissueLevels } from '../brain/protocol.js';
import { BODY_TISSUES, type BodyTissue } from '../brain/relaxation.js';
import { IDENTITY } from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import { type DrawnTissues, recoloured } from './tissues.js';

const LEARNT: TissueLevels = {
  fat: 0.976,
  marrow: 0.635,
  bone: 0.2,
  muscle: 0.647,
  skin: 0.576,
  mucosa: 0.612,
  gland: 0.776,
  eye: 0.341,
  lens: 0.518,
  fluid: 0.424,
  blood: 0.565,
  nerve: 0.847,
};
const number = (tissue: BodyTissue): number => BODY_TISSUES.indexOf(tissue);
const withLevels = (levels: Partial<TissueLevels>): TissueLevels => ({ ...LEARNT, ...levels });

interface Voxel {
  readonly value: number;
  readonly first: BodyTissue;
  readonly second?: BodyTissue;
  /** Of 255. */
  readonly share?: number;
}
function headOf(voxels: readonly Voxel[]): { head: Volume; tissues: DrawnTissues } {
  return {
    head: {
      grid: { shape: [voxels.length, 1, 1], affine: IDENTITY },
      data: Float32Array.from(voxels, ({ value }) => value),
    },
    tissues: {
      first: Uint8Array.from(voxels, ({ first }) => number(first)),
      second: Uint8Array.from(voxels, ({ first, second }) => number(second ?? first)),
      share: Uint8Array.from(voxels, ({ share }) => share ?? 0),
      levels: LEARNT,
    },
  };
}
function painted(voxels: readonly Voxel[], levels: TissueLevels): Float32Array {
  const { head, tissues } = headOf(voxels);
  return recoloured(head, tissues, levels).data;
}

const tissue = fc.constantFrom(...BODY_TISSUES);
const level = fc.double({ min: 0.01, max: 4, noNaN: true });
const levels: fc.Arbitrary<TissueLevels> = fc.record(
  Object.fromEntries(BODY_TISSUES.map((name) => [name, level])) as Record<BodyTissue, fc.Arbitrary<number>>,
);
const voxel = fc.record({
  value: fc.double({ min: 0, max: 3, noNaN: true }),
  first: tissue,
  second: tissue,
  share: fc.integer({ min: 0, max: 127 }),
});
const isFluid = (name: BodyTissue): boolean => name === 'eye' || name === 'fluid';

describe('recoloured', () => {
  it('gives the same head in the contrast that it is drawn in', () => {
    fc.assert(
      fc.property(fc.array(voxel, { minLength: 1 }), (voxels) => {
        const { head, tissues } = headOf(voxels);
        const same = recoloured(head, tissues, LEARNT).data;
        voxels.forEach(({ first, second, share }, v) => {
          const value = head.data[v] as number;
          const learnt = LEARNT[first] + ((LEARNT[second] - LEARNT[first]) * share) / 255;
          // What is darker than half of a fluid may be air, and is darkened on purpose.
          if (isFluid(first) && value < 0.5001 * learnt) return;
          expect(Math.abs((same[v] as number) - value)).toBeLessThan(1e-6 * Math.max(1, value));
        });
      }),
    );
  });

  it('gives each tissue at its level learnt the level that is wanted', () => {
    fc.assert(
      fc.property(levels, (wanted) => {
        const out = painted(
          BODY_TISSUES.map((first) => ({ value: LEARNT[first], first })),
          wanted,
        );
        BODY_TISSUES.forEach((name, v) => {
          expect(out[v], name).toBeCloseTo(wanted[name], 5);
        });
      }),
    );
  });

  it('keeps a voxel its place between air and its tissue', () => {
    const wanted = withLevels({ fat: 2 * LEARNT.fat, muscle: LEARNT.muscle / 4 });
    const out = painted(
      [
        { value: 0.3, first: 'fat' },
        { value: 1.2, first: 'fat' },
        { value: 0.3, first: 'muscle' },
        { value: 0.3, first: 'nerve' },
      ],
      wanted,
    );
    [0.6, 2.4, 0.075, 0.3].forEach((expected, v) => {
      expect(out[v]).toBeCloseTo(expected, 6);
    });
  });

  it('mixes two tissues by what they have of the voxel', () => {
    const wanted = withLevels({ fat: 2, muscle: 0.2 });
    // A fifth of 255: learnt 0.8 * 0.976 + 0.2 * 0.647, wanted 0.8 * 2 + 0.2 * 0.2.
    const [learnt, there] = [0.9102, 1.64];
    const out = painted(
      [
        { value: learnt, first: 'fat', second: 'muscle', share: 51 },
        { value: learnt / 2, first: 'fat', second: 'muscle', share: 51 },
        { value: LEARNT.fat, first: 'fat', second: 'muscle', share: 0 },
      ],
      wanted,
    );
    expect(out[0]).toBeCloseTo(there, 5);
    expect(out[1]).toBeCloseTo(there / 2, 5);
    expect(out[2]).toBeCloseTo(2, 5);
  });

  it('lies between its two tissues, whatever their shares', () => {
    fc.assert(
      fc.property(
        levels,
        tissue,
        tissue,
        fc.integer({ min: 0, max: 127 }),
        (wanted, first, second, share) => {
          const part = share / 255;
          const value = (1 - part) * LEARNT[first] + part * LEARNT[second];
          const [out = Number.NaN] = painted([{ value, first, second, share }], wanted);
          const [low, high] = [
            Math.min(wanted[first], wanted[second]),
            Math.max(wanted[first], wanted[second]),
          ];
          expect(out).toBeGreaterThanOrEqual(low - 1e-5);
          expect(out).toBeLessThanOrEqual(high + 1e-5);
        },
      ),
    );
  });

  it('leaves air exactly 0, and what is below it or no number too', () => {
    fc.assert(
      fc.property(levels, tissue, fc.constantFrom(0, -0, -0.4, Number.NaN), (wanted, first, value) => {
        expect([...painted([{ value, first, second: 'eye', share: 100 }], wanted)]).toEqual([0]);
      }),
    );
  });

  it.each(['eye', 'fluid'] as const)('amplifies the grain of %s no more than by 1.5', (first) => {
    for (const factor of [0.3, 1, 1.4, 2, 6]) {
      const at = LEARNT[first];
      const grain = 0.03;
      const out = painted(
        [-1, 0, 1].map((side) => ({ value: at + side * grain, first })),
        withLevels({ [first]: factor * at }),
      ) as unknown as [number, number, number];
      expect(out[1]).toBeCloseTo(factor * at, 5);
      expect((out[2] - out[0]) / (2 * grain)).toBeCloseTo(Math.min(1.5, factor), 4);
    }
  });

  it('lets grain of what is no fluid grow with its tissue', () => {
    const out = painted(
      [0.6, 0.7].map((value) => ({ value, first: 'muscle' })),
      withLevels({ muscle: 3 * LEARNT.muscle }),
    );
    expect((out[1] as number) - (out[0] as number)).toBeCloseTo(0.3, 5);
  });

  it('takes bright fluid down to air without a step where it gets dark', () => {
    for (const first of ['eye', 'fluid'] as const) {
      const steps = 400;
      const out = painted(
        Array.from({ length: steps }, (_, i) => ({ value: (LEARNT[first] * i) / steps, first })),
        withLevels({ [first]: 6 * LEARNT[first] }),
      );
      expect(out[0]).toBe(0);
      for (let i = 1; i < steps; i++) {
        const step = (out[i] as number) - (out[i - 1] as number);
        expect(step).toBeGreaterThanOrEqual(0);
        expect(step).toBeLessThan((4 * 6 * LEARNT[first]) / steps);
      }
    }
  });

  it('is finite and never negative', () => {
    fc.assert(
      fc.property(levels, fc.array(voxel, { minLength: 1 }), (wanted, voxels) => {
        for (const v of painted(voxels, wanted)) expect(v >= 0 && Number.isFinite(v)).toBe(true);
      }),
    );
  });

  it('leaves the head and its tissues as they are, on its grid', () => {
    const { head, tissues } = headOf([
      { value: 0.5, first: 'fat', second: 'bone', share: 80 },
      { value: 0.3, first: 'eye' },
      { value: -1, first: 'skin' },
    ]);
    const before = structuredClone({ head, tissues });
    const out = recoloured(head, tissues, withLevels({ fat: 3, eye: 2 }));
    expect({ head, tissues }).toEqual(before);
    expect(out.grid).toEqual(head.grid);
    expect(out.data).not.toBe(head.data);
  });
});
