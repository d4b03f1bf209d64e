/** The signal equations against arithmetic and a simulation that do not share a line with them, and the orders that every radiologist knows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyTissue, BODY_TISSUES, enhancedRelaxationOf, relaxationOf } from './relaxation.js';
import { type Sequence, signalOf } from './signal.js';

const ALL: readonly AnyTissue[] = [...BODY_TISSUES, 'grey', 'white'];
const MPRAGE: Sequence = { family: 'mprage', field: 3, repetition: 2300, echo: 3, inversion: 900, flip: 9 };
const T2W: Sequence = { family: 'spin-echo', field: 3, repetition: 5000, echo: 90, flip: 90 };
const FLAIR: Sequence = {
  family: 'inversion-spin-echo',
  field: 3,
  repetition: 9000,
  echo: 100,
  inversion: 2500,
  flip: 90,
};
const double = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
const field = fc.constantFrom(1.5, 3, 7);
const tissue = fc.constantFrom(...ALL);

describe('relaxation', () => {
  it('lies between the columns of its table, and beyond them is the nearest', () => {
    expect(relaxationOf('white', 3)).toEqual({ t1: 832, t2: 80, t2star: 53, density: 0.7 });
    expect(relaxationOf('white', 0.5)).toEqual(relaxationOf('white', 1.5));
    expect(relaxationOf('white', 11.7)).toEqual(relaxationOf('white', 7));
    // Half-way between two fields on a logarithmic scale: the geometric mean.
    expect(relaxationOf('fat', Math.sqrt(1.5 * 3)).t1).toBeCloseTo(Math.sqrt(288 * 371), 6);
    expect(relaxationOf('fat', Math.sqrt(3 * 7)).t2).toBeCloseTo(Math.sqrt(133 * 90), 6);
  });

  it('is physical: T2* at most T2, T2 below T1, densities of water at most', () => {
    for (const name of ALL)
      for (const tesla of [1.5, 3, 7]) {
        const { t1, t2, t2star, density } = relaxationOf(name, tesla);
        expect(t2star, name).toBeLessThanOrEqual(t2);
        expect(t2, name).toBeLessThan(t1);
        expect(density > 0 && density <= 1, name).toBe(true);
      }
  });
});

describe('a spin echo', () => {
  it('is what its closed form says', () => {
    const at = { family: 'spin-echo', field: 3, repetition: 2000, echo: 80, flip: 90 } as const;
    // Grey matter at 3 T: T1 1331 ms, T2 110 ms, density 0.82.
    expect(signalOf('grey', at)).toBeCloseTo(0.82 * (1 - Math.exp(-2000 / 1331)) * Math.exp(-80 / 110), 12);
    expect(signalOf('muscle', { ...at, field: 1.5 })).toBeCloseTo(
      0.68 * (1 - Math.exp(-2000 / 1008)) * Math.exp(-80 / 44),
      12,
    );
  });

  it('has half of its signal after T2 ln 2, and all of the density at once', () => {
    const long = { family: 'spin-echo', field: 3, repetition: 1e6, echo: 0, flip: 90 } as const;
    expect(signalOf('white', long)).toBeCloseTo(0.7, 12);
    expect(signalOf('white', { ...long, echo: 80 * Math.LN2 })).toBeCloseTo(0.35, 12);
  });
});

describe('an inversion recovery', () => {
  it('nulls a tissue at T1 ln 2 where it recovers fully, and no sooner or later', () => {
    fc.assert(
      fc.property(tissue, field, (name, tesla) => {
        const { t1 } = relaxationOf(name, tesla);
        const at = (inversion: number): number =>
          signalOf(name, {
            family: 'inversion-spin-echo',
            field: tesla,
            repetition: 30 * t1,
            echo: 0.01,
            inversion,
            flip: 90,
          });
        expect(at(t1 * Math.LN2)).toBeLessThan(1e-9);
        expect(at(0.9 * t1 * Math.LN2)).toBeGreaterThan(0.01 * at(0));
        expect(at(1.1 * t1 * Math.LN2)).toBeGreaterThan(0.01 * at(0));
      }),
    );
  });

  it('is what its closed form says, as a magnitude', () => {
    const at = { ...FLAIR, inversion: 100 };
    const z = 1 - 2 * Math.exp(-100 / 832) + Math.exp(-9000 / 832);
    expect(z).toBeLessThan(0);
    expect(signalOf('white', at)).toBeCloseTo(0.7 * -z * Math.exp(-100 / 80), 12);
  });
});

describe('a spoiled gradient echo', () => {
  it('is brightest at the angle of Ernst, cos a = exp(-TR/T1)', () => {
    fc.assert(
      fc.property(tissue, field, double(3, 400), double(0.02, 0.98), (name, tesla, repetition, off) => {
        const { t1 } = relaxationOf(name, tesla);
        const ernst = (Math.acos(Math.exp(-repetition / t1)) * 180) / Math.PI;
        const at = (flip: number): number =>
          signalOf(name, { family: 'gradient-echo', field: tesla, repetition, echo: 0, flip });
        const best = at(ernst);
        expect(best).toBeGreaterThan(0);
        expect(best).toBeGreaterThanOrEqual(at(180 * off) * (1 - 1e-12));
        expect(best).toBeGreaterThan(at(0.8 * ernst));
        expect(best).toBeGreaterThan(at(1.2 * ernst));
      }),
    );
  });

  it('is a saturation recovery at 90 degrees, decaying with T2*', () => {
    const at = { family: 'gradient-echo', field: 3, repetition: 500, echo: 20, flip: 90 } as const;
    expect(signalOf('grey', at)).toBeCloseTo(0.82 * (1 - Math.exp(-500 / 1331)) * Math.exp(-20 / 66), 12);
  });
});

/** The sequence pulse by pulse until it repeats: signal of the excitation in the middle of the train, without decay. */
function simulated(
  t1: number,
  s: Required<Omit<Sequence, 'family' | 'field' | 'fatSuppressed' | 'contrastAgent' | 'echo'>>,
) {
  const recover = (m: number, ms: number): number => 1 - (1 - m) * Math.exp(-ms / t1);
  const angle = (s.flip / 180) * Math.PI;
  const half = (s.excitations * s.spacing) / 2;
  let m = 1;
  let middle = 0;
  for (let shot = 0; shot < 400; shot++) {
    m = recover(-m, s.inversion - half);
    for (let n = 0; n < s.excitations; n++) {
      if (n === s.excitations / 2) middle = m * Math.sin(angle);
      m = recover(m * Math.cos(angle), s.spacing);
    }
    m = recover(m, s.repetition - s.inversion - half);
  }
  return middle;
}

describe('MPRAGE', () => {
  it('has the steady state of the sequence run pulse by pulse', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<AnyTissue>('grey', 'white', 'muscle', 'fluid', 'blood', 'skin'),
        double(700, 1200),
        // Longer than 630 / 0.95 ms: the longest train fits on either side of its middle.
        double(670, 1800),
        double(4, 15),
        double(5, 9),
        fc.integer({ min: 20, max: 70 }),
        (name, inversion, rest, flip, spacing, pairs) => {
          const repetition = inversion + rest;
          const train = { inversion, repetition, flip, spacing, excitations: 2 * pairs };
          const { t1, density } = relaxationOf(name, 3);
          const found = signalOf(name, { family: 'mprage', field: 3, echo: 0, ...train });
          expect(found).toBeCloseTo(density * Math.abs(simulated(t1, train)), 9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes what a scanner leaves out as 160 excitations 7 ms apart', () => {
    expect(signalOf('white', MPRAGE)).toBe(signalOf('white', { ...MPRAGE, spacing: 7, excitations: 160 }));
  });

  it('shortens a train that does not fit beside its inversion', () => {
    const tight = { ...MPRAGE, inversion: 300, repetition: 700, spacing: 8, excitations: 200 };
    // Of 300 ms on either side of the middle 0.95 are used: 71 excitations.
    const cut = signalOf('grey', { ...tight, excitations: 71 });
    expect(signalOf('grey', tight)).toBeCloseTo(cut, 12);
    expect(cut).toBeGreaterThan(0);
  });
});

describe('the order of tissues', () => {
  const signals = (sequence: Sequence): Record<AnyTissue, number> =>
    Object.fromEntries(ALL.map((name) => [name, signalOf(name, sequence)])) as Record<AnyTissue, number>;

  it.each([1.5, 3])('of a T1-weighted scan at %s T: fat, white, grey, fluid; bone darkest', (tesla) => {
    const spinEcho = { family: 'spin-echo', field: tesla, repetition: 500, echo: 12, flip: 90 } as const;
    const spoiled = { family: 'gradient-echo', field: tesla, repetition: 18, echo: 5, flip: 25 } as const;
    for (const sequence of [{ ...MPRAGE, field: tesla }, spinEcho, spoiled]) {
      const s = signals(sequence);
      expect(s.fat).toBeGreaterThan(s.white);
      expect(s.white).toBeGreaterThan(s.grey);
      expect(s.grey).toBeGreaterThan(s.fluid);
      expect(s.grey).toBeGreaterThan(s.eye);
      expect(s.bone).toBeLessThan(s.muscle);
    }
  });

  it.each([1.5, 3])('of a T2-weighted scan at %s T: fluid, grey, white, muscle, bone', (tesla) => {
    const s = signals({ ...T2W, field: tesla });
    expect(s.fluid).toBeGreaterThan(1.5 * s.grey);
    expect(s.eye).toBeGreaterThan(1.5 * s.grey);
    expect(s.grey).toBeGreaterThan(s.white);
    expect(s.white).toBeGreaterThan(s.muscle);
    expect(s.bone).toBeLessThan(1e-6);
    // Fast spin echo leaves fat bright.
    expect(s.fat).toBeGreaterThan(s.white);
  });

  it('of a FLAIR: fluid dark, grey over white', () => {
    const s = signals(FLAIR);
    expect(s.fluid).toBeLessThan(0.25 * s.white);
    expect(s.grey).toBeGreaterThan(s.white);
  });
});

describe('fat suppression', () => {
  it('lowers fat, marrow less, and nothing else', () => {
    for (const sequence of [MPRAGE, T2W, FLAIR])
      for (const name of ALL) {
        const [with_, without] = [
          signalOf(name, { ...sequence, fatSuppressed: true }),
          signalOf(name, { ...sequence, fatSuppressed: false }),
        ];
        expect(without).toBe(signalOf(name, sequence));
        if (name === 'fat') expect(with_ / without).toBeLessThan(0.2);
        else if (name === 'marrow') {
          expect(with_ / without).toBeLessThan(0.6);
          expect(with_ / without).toBeGreaterThan(0.2);
        } else expect(with_, name).toBe(without);
      }
  });
});

it('is finite and never negative, whatever the sequence', () => {
  fc.assert(
    fc.property(
      tissue,
      fc.record({
        family: fc.constantFrom('spin-echo', 'inversion-spin-echo', 'gradient-echo', 'mprage'),
        field: double(0.2, 12),
        repetition: double(1, 15000),
        echo: double(0, 400),
        inversion: double(0, 4000),
        flip: double(0.5, 180),
        fatSuppressed: fc.boolean(),
      }),
      (name, sequence) => {
        const signal = signalOf(name, sequence);
        expect(signal >= 0 && signal <= 2, `${signal}`).toBe(true);
      },
    ),
  );
});

describe('a contrast agent', () => {
  const given = (sequence: Sequence): Sequence => ({ ...sequence, contrastAgent: true });
  const gain = (name: AnyTissue, sequence: Sequence): number =>
    signalOf(name, given(sequence)) / signalOf(name, sequence);

  it('shortens the T1 of blood by its relaxivity: 1 / (1/1932 ms + 0.4 mM x 3.75 /s/mM)', () => {
    const { t1 } = enhancedRelaxationOf('blood', 3);
    expect(t1).toBeCloseTo(1000 / (1000 / 1932 + 0.4 * 3.75), 9);
    expect(t1).toBeCloseTo(495.6, 1);
  });

  it('lights blood, mucosa and glands up in T1-weighted images, in this order', () => {
    expect(gain('blood', MPRAGE)).toBeGreaterThan(2);
    expect(gain('blood', MPRAGE)).toBeGreaterThan(gain('mucosa', MPRAGE));
    expect(gain('mucosa', MPRAGE)).toBeGreaterThan(1.3);
    expect(gain('mucosa', MPRAGE)).toBeGreaterThan(gain('muscle', MPRAGE));
  });

  it('changes nothing behind the barrier, in eyes and in fluid, at any field', () => {
    for (const name of ['grey', 'white', 'fluid', 'eye', 'lens', 'bone', 'nerve'] as const)
      for (const tesla of [1.5, 3, 7])
        expect(enhancedRelaxationOf(name, tesla), name).toEqual(relaxationOf(name, tesla));
  });

  it('is hardly seen in a T2-weighted image', () => {
    for (const name of BODY_TISSUES) expect(Math.abs(Math.log(gain(name, T2W))), name).toBeLessThan(0.2);
  });

  it('leaves T2* at most T2 and T2 below T1', () => {
    for (const name of ALL)
      for (const tesla of [1.5, 3, 7]) {
        const { t1, t2, t2star } = enhancedRelaxationOf(name, tesla);
        expect(t2star <= t2 && t2 < t1, name).toBe(true);
      }
  });
});
