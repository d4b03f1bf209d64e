/**
 * Images of one session beside the first: where the drawn head stands in each, and what keeps its bits there. Everything
 * here comes from headers and brain voxels (promise P1); whether it is one person's brain decides whether there is a result.
 *
 * @example
 * const image = await settleOther(t2w, { mask, volume, pose }, finder); // throws Refusal('brains-differ') for somebody else's
 * placeFace(movedBy(head, image.motion), t2w.grid, image.altered, values);
 */
import type { Head } from '../brain/head.js';
import { type BrainMatch, matchBrains, type SeenBrain } from '../brain/rigid-match.js';
import { Refusal } from '../errors/errors.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import { type Affine, invert, multiply } from '../volume/affine.js';
import { dice } from '../volume/dice.js';
import { coverage } from '../volume/resample.js';
import { type Grid, type Mask, type Volume, voxelCount } from '../volume/volume.js';
import { placeFace } from './place.js';

/** A volume somewhere else, its values untouched. @param motion rigid, from its world to the new one */
export function movedBy<V extends Volume>(volume: V, motion: Affine): V {
  return { ...volume, grid: { shape: volume.grid.shape, affine: multiply(motion, volume.grid.affine) } };
}

/** A mask on another grid: what is brain in at least half of a voxel. @param motion from the mask's world to the grid's */
export function carryMask(mask: Mask, motion: Affine, grid: Grid): Mask {
  const share = new Float32Array(voxelCount(grid.shape));
  const everywhere = new Uint8Array(share.length).fill(1);
  placeFace(movedBy({ grid: mask.grid, data: new Float32Array(mask.data) }, motion), grid, everywhere, share);
  const data = new Uint8Array(share.length);
  for (let o = 0; o < data.length; o++) data[o] = (share[o] as number) >= 0.5 ? 1 : 0;
  return { grid, data };
}

/** Dice of a brain's own mask and the first image's, carried over, below which they are not taken for one brain. */
export const LEAST_AGREEMENT = 0.85;

/** @throws {Refusal} brains-differ where the two masks of one brain disagree badly; voxels that one of the images did not see do not count */
export function requireAgreement(own: Mask, carried: Mask, seen: Uint8Array): number {
  const inside = own.data.map((v, o) => v & (seen[o] as number));
  const agreement = dice(inside, carried.data);
  if (agreement < LEAST_AGREEMENT)
    throw new Refusal(
      'brains-differ',
      `expected the brain found in another image of the session where the first image's lies (Dice of at least ${LEAST_AGREEMENT}), found ${agreement.toFixed(2)}; look at both, or treat that image alone`,
    );
  return agreement;
}

/** An image whose brain was found and registered. */
export interface SettledImage {
  /** The brain as found in this image. */
  readonly brainMask: Mask;
  /** The brain as found in this image or in the first: neither may lose a voxel. */
  readonly bothMasks: Mask;
  /** World of the first image to world of this one, rigid. */
  readonly motion: Affine;
  readonly match: BrainMatch;
}

/** What finds a brain and poses it. */
export interface BrainFinder {
  find(volume: Volume): Promise<{ readonly mask: Mask }>;
  make(volume: Volume, mask: Mask): Head;
}

/**
 * Finds the brain of another image and lays it on the first one's. The copy of its values is overwritten when it is done.
 * @throws {Refusal} brain-implausible where it shows no brain; brains-differ where it shows another one
 */
export async function settleOther(
  image: StoredImage,
  first: SeenBrain,
  { find, make }: BrainFinder,
): Promise<SettledImage> {
  const volume = finiteVolume(image);
  const { mask } = await find(volume);
  const { pose } = make(volume, mask);
  const match = matchBrains(first, { volume, mask, pose });
  volume.data.fill(0);
  const motion = invert(match.toFirst);
  const carried = carryMask(first.mask, motion, image.grid);
  const firstGrid = { ...first.mask.grid, affine: multiply(motion, first.mask.grid.affine) };
  requireAgreement(mask, carried, coverage(firstGrid, image.grid));
  const both = mask.data.map((v, o) => v | (carried.data[o] as number));
  return { brainMask: mask, bothMasks: { grid: image.grid, data: both }, motion, match };
}
