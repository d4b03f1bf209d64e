/**
 * An image whose header already lays it on the first one, as most of a session do: the first brain's mask is carried over and the
 * registration starts there, so that no brain is searched for. Three things are asked of it before it is believed; where one
 * fails the brain is searched for as in any other image.
 *
 * P1: the first fit reads the inside of the brain alone, so deep that a person who moved by as much as is allowed here still
 * has brain there, and all that is read lies in what is kept.
 *
 * @example
 * const settled = (await settleByHeader(t2w, first, confirm)) ?? settleOther(t2w, await find(t2w), first, make);
 */
import { fitNear, LEAST_LIKENESS, roughMotion, type SeenBrain } from '../brain/rigid-match.js';
import { type Affine, applyAffine, IDENTITY, invert } from '../volume/affine.js';
import { blockMeans, blocksOf } from '../volume/block-means.js';
import { maskBox } from '../volume/mask-box.js';
import { invertMask, squaredDistance } from '../volume/morphology.js';
import { type Mask, type Volume, voxelMillilitres } from '../volume/volume.js';
import { carryMask, carryNearest, type SettledImage, united } from './session.js';

/** Furthest that a point of the brain may lie from where the header has it, and depth of what is read before that is known, mm. */
const [MOST_MOVED_MM, DEPTH_MM] = [6, 8] as const;
/** The distances of the inside are counted in blocks of this. */
const BLOCK_MM = 4;
/** Less of the inside in view (ml) says too little. */
const LEAST_ML = 60;
/** Dice of the carried mask with what a look at 4 mm sees there. */
export const CONFIRMED = 0.85;

/** What lies at least DEPTH_MM inside a brain. */
function insideOf(mask: Mask): Mask {
  const { grid, data } = blockMeans(mask, blocksOf(mask.grid, BLOCK_MM));
  const whole = { grid, data: Uint8Array.from(data, (share) => (share > 0.999 ? 1 : 0)) };
  const deep = squaredDistance(invertMask(whole));
  return { grid, data: Uint8Array.from(deep, (mm2) => (mm2 >= DEPTH_MM ** 2 ? 1 : 0)) };
}

const inside = new WeakMap<Mask, Mask>();

/** Furthest that a rigid motion takes a corner of the mask's box, mm. */
function furthest(mask: Mask, motion: Affine): number {
  const { low, high } = maskBox(mask);
  let most = 0;
  for (let corner = 0; corner < 8; corner++) {
    const voxel = [0, 1, 2].map((a) => ((corner & (1 << a)) === 0 ? low : high)[a] as number);
    const p = applyAffine(mask.grid.affine, voxel as [number, number, number]);
    const q = applyAffine(motion, p);
    most = Math.max(most, Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
  }
  return most;
}

function millilitres(mask: Mask): number {
  let n = 0;
  for (let o = 0; o < mask.data.length; o++) n += mask.data[o] as number;
  return n * voxelMillilitres(mask.grid);
}

/**
 * @param confirm Dice of a mask with what a network sees about it, 0 to 1
 * @returns undefined where the header does not lay the image on the first brain, or that could not be made sure of
 */
export async function settleByHeader(
  volume: Volume,
  first: SeenBrain,
  confirm: (volume: Volume, mask: Mask, motion: Affine) => Promise<number>,
): Promise<SettledImage | undefined> {
  const { grid } = volume;
  const deep = inside.get(first.mask) ?? insideOf(first.mask);
  inside.set(first.mask, deep);
  const seen = carryNearest(deep, IDENTITY, grid);
  if (millilitres(seen) < LEAST_ML) return undefined;
  const rough = roughMotion(first, { volume, mask: seen, pose: first.pose });
  if (!(furthest(first.mask, rough) <= MOST_MOVED_MM)) return undefined;
  const brainMask = carryNearest(first.mask, invert(rough), grid);
  const confirmed = confirm(volume, brainMask, invert(rough));
  confirmed.catch(() => undefined); // awaited below, or of no use
  const match = fitNear(first, { volume, mask: brainMask, pose: first.pose }, rough);
  if (!(match.likeness >= LEAST_LIKENESS)) return undefined;
  if (!((await confirmed) >= CONFIRMED)) return undefined;
  const motion = invert(match.toFirst);
  return { brainMask, bothMasks: united(brainMask, carryMask(first.mask, motion, grid)), motion, match };
}
