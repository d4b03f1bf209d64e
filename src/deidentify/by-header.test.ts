/** An image that its header lays on the first is settled without a search, by what lies in the brain alone; otherwise not at all. */
import { describe, expect, it } from 'vitest';
import type { SeenBrain } from '../brain/rigid-match.js';
import { type Affine, invert, multiply, rotation, translation } from '../volume/affine.js';
import { dice } from '../volume/dice.js';
import { dilateMm } from '../volume/morphology.js';
import type { Volume } from '../volume/volume.js';
import { CONFIRMED, settleByHeader } from './by-header.js';
import { carryMask, carryNearest } from './session.js';
import { type SessionImage, seriesGrid, sessionImage, surfaceError } from './testing/session-heads.js';

const small = multiply(translation(1.5, -2, 1), rotation([0.02, -0.01, 0.015]));
const first = seen({ grid: seriesGrid([1.8, 1.8, 1.8]) });
const scanner = rotation([0.05, 0.1, -0.03]);

function seen(options: SessionImage): SeenBrain {
  return { ...sessionImage(options), pose: translation(0, 0, 0) };
}

function scan(
  contrast: NonNullable<SessionImage['contrast']>,
  motion: Affine,
  person = 1,
): ReturnType<typeof sessionImage> {
  return sessionImage({ contrast, person, grid: seriesGrid([1, 1, 4], scanner), motion });
}

const sure = async (): Promise<number> => CONFIRMED;

describe('settleByHeader', () => {
  it.each(['t2w', 'flair', 'pdw'] as const)(
    'lays a %s of a person who moved a little on the first brain',
    async (contrast) => {
      const { volume, mask } = scan(contrast, small);
      const settled = await settleByHeader(volume, first, sure);
      if (settled === undefined) throw new Error('not settled');
      expect(surfaceError(settled.match.toFirst, invert(small)).most).toBeLessThan(0.5);
      expect(dice(settled.bothMasks.data, mask.data)).toBeGreaterThan(0.95);
    },
  );

  it('reads nothing outside what is kept (P1)', async () => {
    const { volume } = scan('t2w', small);
    const before = await settleByHeader(volume, first, sure);
    const kept = before?.bothMasks.data as Uint8Array;
    const spoilt: Volume = {
      grid: volume.grid,
      data: volume.data.map((v, o) => (kept[o] === 1 ? v : Number.NaN)),
    };
    const after = await settleByHeader(spoilt, first, sure);
    expect(after?.motion).toEqual(before?.motion);
    expect(after?.match.likeness).toBe(before?.match.likeness);
    expect(Buffer.compare(after?.bothMasks.data ?? new Uint8Array(), kept)).toBe(0);
    expect(
      Buffer.compare(after?.brainMask.data ?? new Uint8Array(), before?.brainMask.data as Uint8Array),
    ).toBe(0);
  });

  it("leaves to the search who moved further, another person's brain, and what the second look does not confirm", async () => {
    const nod = multiply(translation(5, -7, 3), rotation([0.1, -0.04, 0.06]));
    expect(await settleByHeader(scan('t2w', nod).volume, first, sure)).toBeUndefined();
    expect(await settleByHeader(scan('t2w', small, 2).volume, first, sure)).toBeUndefined();
    const unsure = async (): Promise<number> => CONFIRMED - 0.01;
    expect(await settleByHeader(scan('t2w', small).volume, first, unsure)).toBeUndefined();
    // Elsewhere altogether: the two fields of view do not meet.
    const { volume } = scan('t2w', small);
    const away = {
      grid: { ...volume.grid, affine: multiply(translation(0, 0, 900), volume.grid.affine) },
      data: volume.data,
    };
    expect(await settleByHeader(away, first, sure)).toBeUndefined();
  });
});

it('carries a mask the quick way to within the voxels at its rim', () => {
  const { grid } = scan('t2w', small).volume;
  const [whole, quick] = [carryMask(first.mask, small, grid), carryNearest(first.mask, small, grid)];
  expect(dice(whole.data, quick.data)).toBeGreaterThan(0.97);
  const beside = dilateMm(whole, 4);
  expect(quick.data.every((v, o) => v === 0 || beside.data[o] === 1)).toBe(true);
});
