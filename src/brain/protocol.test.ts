/** Levels outside the brain: the equations' where the brain agrees with them, in proportion to the brain, and drawn by what it looks like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../volume/random.js';
import {
  type BrainLevels,
  brainLevels,
  type ContrastChoice,
  drawLevels,
  LEARNT,
  levelsOfSequence,
  randomSequence,
  type TissueLevels,
} from './protocol.js';
import { BODY_TISSUES } from './relaxation.js';
import { type Sequence, signalOf } from './signal.js';

const T2: BrainLevels = { fluid: 1.8, grey: 1.08, white: 0.75 };
const FLAIR: BrainLevels = { fluid: 0.25, grey: 1.1, white: 0.88 };
const PD: BrainLevels = { fluid: 1.05, grey: 1.08, white: 0.85 };
/** The FLAIR leaves some fluid: where it leaves none there is nothing to be in proportion to. */
const SEQUENCES: readonly Sequence[] = [
  { family: 'mprage', field: 3, repetition: 2300, echo: 3, inversion: 900, flip: 9 },
  { family: 'spin-echo', field: 1.5, repetition: 4500, echo: 95, flip: 90 },
  { family: 'inversion-spin-echo', field: 3, repetition: 9000, echo: 110, inversion: 2000, flip: 90 },
  { family: 'gradient-echo', field: 3, repetition: 600, echo: 20, flip: 20 },
];
const randomOf = (n: number): Random => new Random(new Uint32Array(8).fill(n));
const double = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
const brains: fc.Arbitrary<BrainLevels> = fc.record({
  fluid: double(0.02, 4),
  grey: double(0.3, 1.6),
  white: double(0.3, 1.8),
});

/** The brain that a sequence gives, its fluid seen through the grey matter that shares its voxels. */
function brainOf(sequence: Sequence, gain: number): BrainLevels {
  const [fluid, grey, white] = (['fluid', 'grey', 'white'] as const).map(
    (tissue) => gain * signalOf(tissue, sequence),
  ) as [number, number, number];
  // Pure fluid lies 0.45 of its difference from grey matter beyond what is seen.
  return { fluid: (fluid + 0.45 * grey) / 1.45, grey, white };
}

it('brain levels count from air, in units of the median above it', () => {
  const fit = {
    mean: { fluid: -800, grey: -300, white: 100 },
    spread: { fluid: 1, grey: 1, white: 1 },
    share: { fluid: 0.1, grey: 0.5, white: 0.4 },
  };
  expect(brainLevels(fit, -1000, 800)).toEqual({ fluid: 0.25, grey: 0.875, white: 1.375 });
});

describe('levelsOfSequence', () => {
  it.each(SEQUENCES)('is what the equations say where the brain does as they say: $family', (sequence) => {
    const gain = 0.4 / signalOf('grey', sequence);
    const levels = levelsOfSequence(sequence, brainOf(sequence, gain));
    for (const tissue of BODY_TISSUES)
      if (tissue !== 'bone') {
        const expected = gain * signalOf(tissue, sequence);
        // No level is capped at this gain.
        expect(expected, tissue).toBeLessThan(1.3);
        expect(levels[tissue], tissue).toBeCloseTo(expected, 6);
      }
    // Bone shows some of what shares its voxels.
    expect(levels.bone).toBeCloseTo(
      gain * signalOf('bone', sequence) + 0.14 * levels.muscle + 0.05 * levels.fat,
      6,
    );
  });

  it('follows the brain: twice as bright a brain has twice as bright a head', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEQUENCES), double(0.3, 1), (sequence, gain) => {
        const at = (k: number): TissueLevels =>
          levelsOfSequence(sequence, { fluid: k * 0.5, grey: k * 0.4, white: k * 0.35 });
        const [one, other] = [at(1), at(gain)];
        // Where one meets its ceiling there is no proportion.
        for (const tissue of BODY_TISSUES)
          if (one[tissue] < 1.3) expect(other[tissue] / one[tissue], tissue).toBeCloseTo(gain, 6);
      }),
    );
  });

  it('takes fluid outside the brain from fluid inside it', () => {
    for (const sequence of SEQUENCES) {
      const brain = brainOf(sequence, 0.4 / signalOf('grey', sequence));
      const bright = levelsOfSequence(sequence, { ...brain, fluid: brain.fluid * 1.2 + 0.02 });
      const as = levelsOfSequence(sequence, brain);
      expect(bright.eye).toBeGreaterThan(as.eye * 1.05);
      expect(bright.fluid).toBeGreaterThan(as.fluid * 1.05);
      expect(bright.fat).toBeCloseTo(as.fat, 1);
    }
  });

  it('corrects no tissue by more than twice from what the middle of the brain says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEQUENCES), brains, (sequence, brain) => {
        const levels = levelsOfSequence(sequence, brain);
        const middle = Math.sqrt(
          (brain.grey * brain.white) / (signalOf('grey', sequence) * signalOf('white', sequence)),
        );
        for (const tissue of BODY_TISSUES)
          if (tissue !== 'bone')
            expect(levels[tissue], tissue).toBeLessThanOrEqual(2.0001 * middle * signalOf(tissue, sequence));
      }),
    );
  });

  it('draws nothing brighter than scans are', () => {
    const bright = { fluid: 8, grey: 8, white: 8 };
    for (const sequence of SEQUENCES) {
      const levels = levelsOfSequence(sequence, bright);
      expect(levels.fat).toBeLessThanOrEqual(2.6);
      expect(levels.skin).toBeLessThanOrEqual(1.3);
      expect(levels.marrow).toBeLessThanOrEqual(1.6);
      for (const tissue of BODY_TISSUES) expect(levels[tissue], tissue).toBeLessThanOrEqual(4);
    }
  });

  it('gives finite levels above 0, whatever brain meets whatever sequence', () => {
    fc.assert(
      fc.property(
        brains,
        fc.constantFrom('t1w', 't2w', 'flair', 'pdw'),
        fc.integer({ min: 0, max: 1e6 }),
        (brain, contrast, n) => {
          const levels = levelsOfSequence(randomSequence(contrast, randomOf(n)), brain);
          for (const tissue of BODY_TISSUES)
            expect(levels[tissue] > 0 && Number.isFinite(levels[tissue]), tissue).toBe(true);
        },
      ),
    );
  });
});

const DRAWS = 40;
const drawn = (brain: BrainLevels, choice: ContrastChoice): (TissueLevels | undefined)[] =>
  Array.from({ length: DRAWS }, (_, n) => drawLevels(brain, choice, randomOf(n)));
const known = (levels: readonly (TissueLevels | undefined)[]): TissueLevels[] =>
  levels.filter((level) => level !== undefined);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] as number;

describe('drawLevels', () => {
  it('gives the same for the same random, and others for others', () => {
    expect(drawLevels(T2, 'auto', randomOf(3))).toEqual(drawLevels(T2, 'auto', randomOf(3)));
    expect(new Set(drawn(T2, 'auto').map((levels) => levels?.fat)).size).toBeGreaterThan(DRAWS / 2);
  });

  it('leaves a brain as those that were learnt in the contrast learnt, mostly', () => {
    const same = drawn(LEARNT, 'auto').filter((levels) => levels === undefined).length;
    expect(same).toBeGreaterThan(DRAWS / 2);
  });

  it.each([
    ['T2-weighted', T2],
    ['FLAIR', FLAIR],
    ['proton density', PD],
  ])('never draws a %s brain in the contrast learnt', (_, brain) => {
    expect(drawn(brain, 'auto')).not.toContain(undefined);
  });

  it('draws blood brighter after a contrast agent, never in the contrast learnt', () => {
    const after = Array.from({ length: DRAWS }, (_, n) => drawLevels(LEARNT, 't1w', randomOf(n), true));
    expect(after).not.toContain(undefined);
    const before = known(drawn(LEARNT, 't1w'));
    const blood = (levels: readonly TissueLevels[]): number => median(levels.map((each) => each.blood));
    expect(blood(known(after))).toBeGreaterThan(1.3 * blood(before));
  });

  it.each(['t2w', 'flair', 'pdw'] as const)('never does so where the scan is said to be %s', (choice) => {
    expect(drawn(LEARNT, choice)).not.toContain(undefined);
  });

  it.each(['auto', 't2w'] as const)('makes fluids bright around a T2-weighted brain (%s)', (choice) => {
    for (const levels of known(drawn(T2, choice))) {
      expect(levels.eye).toBeGreaterThan(1.3);
      expect(levels.fluid).toBeGreaterThan(1.3);
      expect(levels.eye).toBeGreaterThan(1.5 * levels.muscle);
      expect(levels.bone).toBeLessThan(levels.muscle);
    }
  });

  it.each(['auto', 'flair'] as const)('makes fluids dark around a FLAIR brain (%s)', (choice) => {
    const all = known(drawn(FLAIR, choice));
    expect(median(all.map(({ eye }) => eye))).toBeLessThan(0.35);
    expect(median(all.map(({ fluid }) => fluid))).toBeLessThan(0.35);
    for (const levels of all) {
      expect(levels.eye).toBeLessThan(levels.mucosa);
      expect(levels.fluid).toBeLessThan(0.8);
    }
  });

  it('makes fluids dark and fat bright around a T1-weighted brain of no protocol learnt', () => {
    const all = known(drawn({ fluid: 0.35, grey: 0.85, white: 1.35 }, 't1w'));
    expect(all.length).toBeGreaterThan(0);
    for (const levels of all) expect(levels.eye).toBeLessThan(0.6);
    expect(median(all.map(({ fat }) => fat))).toBeGreaterThan(1);
  });

  it('gives finite levels above 0 for any brain', () => {
    fc.assert(
      fc.property(
        brains,
        fc.constantFrom<ContrastChoice>('auto', 't1w', 't2w', 'flair', 'pdw'),
        fc.integer({ min: 0, max: 1e6 }),
        (brain, choice, n) => {
          const levels = drawLevels(brain, choice, randomOf(n));
          for (const tissue of BODY_TISSUES) {
            const level = levels?.[tissue] ?? 1;
            expect(level > 0 && Number.isFinite(level), tissue).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
