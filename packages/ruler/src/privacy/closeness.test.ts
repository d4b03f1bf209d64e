import { describe, expect, it } from 'vitest';
import { Failure, Refusal } from '../../../../src/errors/errors.js';
import { Random } from '../../../../src/volume/random.js';
import { closeness, comparePaired } from './closeness.js';
import { type HeadShape, meanShape } from './geometry.js';
import { type EggHead, eggShape } from './testing/egg-heads.js';

const random = (): Random => new Random(Uint32Array.of(2, 7, 1, 8, 2, 8, 1, 8));

function people(count: number, seed: number): EggHead[] {
  const draws = new Random(Uint32Array.of(seed, 2, 3, 4, 5, 6, 7, 8));
  return Array.from({ length: count }, () => ({
    nose: 12 + 3 * draws.normal(),
    noseZ: -55 + 5 * draws.normal(),
    chin: 14 + 3 * draws.normal(),
    breadth: 72 + 3 * draws.normal(),
  }));
}
const shapes = (eggs: readonly EggHead[]): HeadShape[] => eggs.map((egg) => eggShape(egg));
/** Part of the way from one person to another. */
const between = (a: EggHead, b: EggHead, share: number): EggHead => {
  const mix = (key: 'nose' | 'noseZ' | 'chin' | 'breadth'): number =>
    (1 - share) * (a[key] as number) + share * (b[key] as number);
  return { nose: mix('nose'), noseZ: mix('noseZ'), chin: mix('chin'), breadth: mix('breadth') };
};

describe('closeness', () => {
  const subjects = people(14, 1);
  const strangers = people(14, 2);
  const originals = shapes(subjects);
  const average = meanShape(shapes(people(14, 3)));

  it('finds nothing where new faces are strangers', () => {
    const found = closeness(originals, shapes(strangers), average, 'face', random());
    // One fixed draw of 14 strangers: one draw in a hundred would come below 0.01 by luck.
    expect(found.ownMinusOthers.wilcoxonP).toBeGreaterThan(0.01);
    expect(Math.abs(found.ownMinusOthers.difference.value)).toBeLessThan(0.2 * found.others.value);
    // Two strangers are farther apart than either is from the average.
    expect(found.ownMinusAverage.difference.value).toBeGreaterThan(0);
    expect(found.own.n).toBe(14);
  });

  it('finds out new faces that are half their subjects', () => {
    const leaking = subjects.map((subject, i) => between(subject, strangers[i] as EggHead, 0.4));
    const found = closeness(originals, shapes(leaking), average, 'face', random());
    for (const comparison of [found.ownMinusOthers, found.ownMinusOthersNew]) {
      expect(comparison.difference.high).toBeLessThan(0);
      expect(comparison.wilcoxonP).toBeLessThan(0.05);
    }
    expect(found.directionOwnMinusOthers.difference.low).toBeGreaterThan(0);
  });

  it('calls the subject himself closest of all', () => {
    const found = closeness(originals, originals, average, 'face', random());
    expect(found.own.value).toBe(0);
    expect(found.ownMinusAverage).toMatchObject({ lower: 14, higher: 0 });
    expect(found.ownMinusAverage.wilcoxonP).toBeCloseTo(2 / 2 ** 14, 10);
    expect(found.ownDirection.value).toBeCloseTo(1, 10);
  });

  it('refuses too few subjects and lists that do not match', () => {
    const few = originals.slice(0, 4);
    expect(() => closeness(few, few, average, 'face', random())).toThrow(Refusal);
    expect(() => closeness(originals, few, average, 'face', random())).toThrow(Failure);
  });
});

describe('comparePaired', () => {
  it('leaves out subjects for whom either is missing', () => {
    const found = comparePaired([1, 2, 3, Number.NaN], [2, 3, 1, 0], random());
    expect([found.lower, found.higher, found.difference.n, found.difference.value]).toEqual([2, 1, 3, 0]);
  });
});
