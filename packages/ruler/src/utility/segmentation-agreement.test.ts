import { describe, expect, it } from 'vitest';
import {
  compareSegmentations,
  failedSegmentation,
  type LabelClass,
  meanClassDice,
  tissueOf,
  volumeChange,
} from './segmentation-agreement.js';

const classes: LabelClass[] = [
  { id: 1, name: 'csf', group: 'csf' },
  { id: 2, name: 'cortex', group: 'grey' },
  { id: 3, name: 'core', group: 'white' },
  { id: 4, name: 'ventricle', group: 'ventricular-csf' },
  { id: 5, name: 'stem', group: 'stem' },
  { id: 6, name: 'absent', group: 'grey' },
];
const map = (labels: number[]) => ({ labels: Uint8Array.from(labels), classes });

describe('original against treated', () => {
  it('gives Dice and millilitres by class and by tissue, counted by hand', () => {
    const original = map([2, 2, 2, 2, 3, 3, 3, 4, 5, 0, 1, 1]);
    const treated = map([2, 2, 2, 3, 3, 3, 3, 4, 5, 0, 1, 0]);
    const found = compareSegmentations(original, treated, 0.5);
    expect(found.failed).toBeUndefined();
    expect(found.classes[2]).toEqual({ dice: (2 * 3) / 7, originalMl: 2, treatedMl: 1.5 });
    expect(found.classes[6]?.dice).toBeNaN();
    expect(found.tissues.grey?.dice).toBeCloseTo(6 / 7);
    expect(found.tissues.white?.dice).toBeCloseTo(6 / 7);
    expect(found.tissues.ventricles).toEqual({ dice: 1, originalMl: 0.5, treatedMl: 0.5 });
    // Grey, white and stem, not ventricles and not sulcal CSF.
    expect(found.tissues.brain).toEqual({ dice: 1, originalMl: 4, treatedMl: 4 });
    expect(meanClassDice(found)).toBeCloseTo((2 / 3 + 6 / 7 + 6 / 7 + 1 + 1) / 5);
    expect(volumeChange({ dice: 1, originalMl: 2, treatedMl: 1.5 })).toBe(-0.25);
  });

  it('counts a total brain that changed by more than 10 % as a failure', () => {
    const original = map([2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    expect(compareSegmentations(original, map([2, 2, 2, 2, 2, 3, 3, 3, 3, 0]), 1).failed).toBeUndefined();
    expect(compareSegmentations(original, map([2, 2, 2, 2, 2, 3, 3, 3, 0, 0]), 1).failed).toContain('-20 %');
    expect(compareSegmentations(map([0, 0]), map([2, 0]), 1).failed).toContain('all');
  });

  it('judges a tool without tissues by all that it labelled', () => {
    const plain = (labels: number[]) => ({
      labels: Uint16Array.from(labels),
      classes: [{ id: 300, name: 'label 300', group: 'none' }],
    });
    const found = compareSegmentations(plain([300, 300, 0]), plain([300, 0, 0]), 1);
    expect(found.tissues).toEqual({});
    expect(found.failed).toContain('-50 %');
  });

  it('refuses maps of different lengths and keeps a reason for heads that were not done', () => {
    expect(() => compareSegmentations(map([1]), map([1, 1]), 1)).toThrow('one grid');
    expect(failedSegmentation('exit code 1')).toEqual({ failed: 'exit code 1', tissues: {}, classes: {} });
  });

  it('knows tissues by the names in use', () => {
    expect(['GM', 'grey', 'gray matter', 'WM', 'vcsf', 'other'].map(tissueOf)).toEqual([
      'grey',
      'grey',
      'grey',
      'white',
      'ventricles',
      undefined,
    ]);
  });
});
