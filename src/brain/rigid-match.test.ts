/** One brain found again in other contrasts and grids after known movements; another's is refused; nothing outside the masks is read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type SessionImage,
  seriesGrid,
  sessionImage,
  surfaceError,
} from '../deidentify/testing/session-heads.js';
import { isRefusal } from '../errors/errors.js';
import { type Affine, invert, multiply, rotation, translation, type Vec3 } from '../volume/affine.js';
import type { Grid } from '../volume/volume.js';
import { fitPose } from './pose.js';
import { fitMatch, matchBrains, type SeenBrain } from './rigid-match.js';
import { brainTemplate } from './template.js';

function seen(options: SessionImage): SeenBrain {
  const { volume, mask } = sessionImage(options);
  return { volume, mask, pose: fitPose(mask, brainTemplate()).pose };
}

const motionOf = (turn: Vec3, shift: Vec3): Affine => multiply(translation(...shift), rotation(turn));
const iso = seriesGrid([1.8, 1.8, 1.8]);
const first = seen({ grid: iso });
const nod = motionOf([0.12, -0.05, 0.08], [6, -9, 4]);

const SERIES = [
  ['t1w', [1.8, 1.8, 1.8], 0.5],
  ['t2w', [1.8, 1.8, 1.8], 0.5],
  ['pdw', [2, 2, 2], 0.5],
  ['flair', [2, 2, 2], 0.5],
  ['t2w', [0.8, 0.8, 3], 1],
  ['flair', [1, 1, 6], 1],
] as const;

describe('matchBrains', () => {
  it.each(SERIES)('finds a %s of %j mm to within %d mm over the head', (contrast, spacing, most) => {
    const scanner = rotation([0.05, 0.1, -0.03]);
    const second = seen({ contrast, grid: seriesGrid(spacing, scanner), motion: nod });
    const match = matchBrains(first, second);
    expect(surfaceError(match.toFirst, invert(nod)).most).toBeLessThan(most);
    const back = matchBrains(second, first);
    expect(surfaceError(back.toFirst, nod).most).toBeLessThan(most);
  });

  it('follows any turn and shift, also where the header says nothing of them', () => {
    const number = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
    const turns = fc.tuple(number(0.5), number(0.3), number(0.5));
    const shifts = fc.tuple(number(25), number(25), number(25));
    fc.assert(
      fc.property(turns, shifts, (turn, shift) => {
        const motion = motionOf(turn, shift);
        const roomy = seriesGrid([2, 2, 2], translation(...shift), [300, 320, 320]);
        const second = seen({ contrast: 't2w', grid: roomy, motion });
        expect(surfaceError(matchBrains(first, second).toFirst, invert(motion)).most).toBeLessThan(0.5);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  it('matches a slab that holds a part of the brain, by the header', () => {
    // 60 mm of slices through the middle: the pose of such a mask is nonsense.
    const slab: Grid = seriesGrid([1, 1, 3], translation(0, 0, 35), [220, 262, 60]);
    const small = motionOf([0.04, 0.02, -0.03], [3, -2, 2]);
    const second = seen({ contrast: 't2w', grid: slab, motion: small });
    expect(surfaceError(matchBrains(first, second).toFirst, invert(small)).most).toBeLessThan(1);
  });

  it.each(['t1w', 'flair'] as const)("refuses another person's %s", (contrast) => {
    const other = seen({ person: 2, contrast, grid: iso, motion: nod });
    const error = (() => {
      try {
        return matchBrains(first, other);
      } catch (caught) {
        return caught;
      }
    })();
    expect(isRefusal(error, 'brains-differ'), JSON.stringify(error)).toBe(true);
  });

  it('reads nothing outside the two masks', () => {
    const second = seen({ contrast: 't2w', grid: seriesGrid([2, 2, 2]), motion: nod });
    const before = fitMatch(first, second);
    const spoiled = (brain: SeenBrain, value: number): SeenBrain => ({
      ...brain,
      volume: {
        grid: brain.volume.grid,
        data: Float32Array.from(brain.volume.data, (v, o) => (brain.mask.data[o] === 1 ? v : value)),
      },
    });
    expect(fitMatch(spoiled(first, 1e9), spoiled(second, Number.NaN))).toEqual(before);
  });
});
