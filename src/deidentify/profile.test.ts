/** A profile is of at least five people: medians with two digits, and nothing that a person's head alone decides. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TissueLevels } from '../brain/protocol.js';
import { BODY_TISSUES } from '../brain/relaxation.js';
import { isRefusal } from '../errors/errors.js';
import { parseProfile, profileOf } from './profile.js';

/** Tissue number t of a head has this level plus t. */
const headOf = (level: number): TissueLevels =>
  Object.fromEntries(BODY_TISSUES.map((tissue, t) => [tissue, level + t])) as TissueLevels;
const FIVE = [0.9, 0.1, 0.5, 0.7, 0.3].map(headOf);

const refusal = (call: () => unknown): boolean => {
  try {
    call();
  } catch (error) {
    return isRefusal(error, 'profile-invalid');
  }
  return false;
};

describe('profileOf', () => {
  it('is the median of each tissue over heads', () => {
    const { levels, heads, suffix } = profileOf('T1w', FIVE);
    expect([heads, suffix]).toEqual([5, 'T1w']);
    BODY_TISSUES.forEach((tissue, t) => {
      expect(levels[tissue]).toBeCloseTo(0.5 + t, 9);
    });
  });

  it('hides how far out a head lies: an outlier moves a median by a place at most', () => {
    const with_ = (level: number) => profileOf('T1w', [...FIVE.slice(1), headOf(level)]).levels;
    expect(with_(0.95)).toEqual(with_(8));
  });

  it('keeps two digits after the point', () => {
    const close = [0.12345, 0.12445, 0.12645, 0.12845, 0.12945].map(headOf);
    expect(profileOf('T2w', close).levels.fat).toBe(0.13);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { minLength: 5, maxLength: 12 }),
        (levels) => {
          const text = JSON.stringify(profileOf('T1w', levels.map(headOf)));
          expect(text).not.toMatch(/\.\d{3}/);
        },
      ),
    );
  });

  it('refuses fewer than five people', () => {
    for (let n = 0; n < 5; n++) expect(refusal(() => profileOf('T1w', FIVE.slice(0, n)))).toBe(true);
    expect(refusal(() => profileOf('T1w', FIVE))).toBe(false);
  });
});

describe('parseProfile', () => {
  const profile = profileOf('T1w', FIVE);

  it('reads what is written', () => {
    expect(parseProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
  });

  it('lets nothing through that a profile does not hold', () => {
    const more = { ...profile, people: ['DOE^JANE'], levels: { ...profile.levels, tumour: 2 } };
    expect(parseProfile(more)).toEqual(profile);
  });

  const { fat: _, ...thin } = profile.levels;
  it.each([
    ['a profile of four heads', { ...profile, heads: 4 }],
    ['of one', { ...profile, heads: 1 }],
    ['of five and a half', { ...profile, heads: 5.5 }],
    ['of heads in words', { ...profile, heads: '5' }],
    ['of no number of heads', { ...profile, heads: undefined }],
    ['another kind of file', { ...profile, kind: 'prosopon report' }],
    ['no kind', { ...profile, kind: undefined }],
    ['another version', { ...profile, version: 2 }],
    ['a tissue that is missing', { ...profile, levels: thin }],
    ['a negative level', { ...profile, levels: { ...profile.levels, eye: -0.1 } }],
    ['a level beyond all scans', { ...profile, levels: { ...profile.levels, eye: 1e6 } }],
    ['a level in words', { ...profile, levels: { ...profile.levels, eye: '0.3' } }],
    ['a level that is no number', { ...profile, levels: { ...profile.levels, eye: Number.NaN } }],
    ['no levels', { ...profile, levels: undefined }],
    ['a suffix with a path in it', { ...profile, suffix: '../T1w' }],
    ['null', null],
    ['a list', [profile]],
    ['a text', 'prosopon protocol profile'],
  ])('refuses %s', (_, json) => {
    expect(refusal(() => parseProfile(json))).toBe(true);
  });
});
