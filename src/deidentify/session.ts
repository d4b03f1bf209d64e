/**
 * Images of one session beside the first: where the drawn head stands in each, and what keeps its bits there. Everything
 * here comes from headers and brain voxels (promise P1); whether it is one person's brain decides whether there is a result.
 *
 * @example
 * const image = settleOther(t2w, t2wBrain, { mask, volume, pose }, makeHead); // throws Refusal('brains-differ') for somebody else's
 * resampleFace(movedBy(head, image.motion), t2w.grid, image.altered, values);
 */
import type { Head } from '../brain/head.js';
import { type BrainMatch, matchBrains, type SeenBrain } from '../brain/rigid-match.js';
import { Refusal } from '../errors/errors.js';
import { type Affine, at, boxUnder, invert, multiply, translation } from '../volume/affine.js';
import { dice } from '../volume/dice.js';
import { maskBox } from '../volume/mask-box.js';
import { sampleNearest } from '../volume/nearest.js';
import { gridToGrid } from '../volume/resample.js';
import { type Grid, type Mask, movedBy, movedGrid, type Volume, voxelCount } from '../volume/volume.js';
import { resampleFace } from './resample-face.js';

/** The box of a mask with a voxel of room, as values: a first brain is carried to every image of its session. */
const boxes = new WeakMap<Mask, Volume>();

function boxed(mask: Mask): Volume {
  const known = boxes.get(mask);
  if (known !== undefined) return known;
  const [nx, ny, nz] = mask.grid.shape;
  const { low, high } = maskBox(mask);
  const first = low.map((v) => Math.max(0, v - 1)) as [number, number, number];
  const shape = [nx, ny, nz].map((n, a) =>
    Math.max(0, Math.min(n, (high[a] as number) + 2) - (first[a] as number)),
  ) as [number, number, number];
  const data = new Float32Array(voxelCount(shape));
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++, o += shape[0]) {
      const row = first[0] + nx * (first[1] + j + ny * (first[2] + k));
      data.set(mask.data.subarray(row, row + shape[0]), o);
    }
  const box = { grid: { shape, affine: multiply(mask.grid.affine, translation(...first)) }, data };
  boxes.set(mask, box);
  return box;
}

/** Writes 1 into a mask on `grid` where `inside` says so of its part that a mask's box reaches, by motion. */
function stamped(
  moved: Grid,
  grid: Grid,
  inside: (part: Grid) => { readonly values: Float32Array | Uint8Array; readonly from: number },
): Mask {
  const data = new Uint8Array(voxelCount(grid.shape));
  // Only where it can reach: the grids of T2-weighted images have 15 million voxels.
  const last = moved.shape.map((n) => n - 1) as [number, number, number];
  const [low, high] = boxUnder(gridToGrid(moved, grid), [0, 0, 0], last);
  const first = low.map((v) => Math.max(0, Math.floor(v) - 1)) as [number, number, number];
  const shape = high.map((v, a) =>
    Math.max(0, Math.min(grid.shape[a] as number, Math.ceil(v) + 2) - (first[a] as number)),
  ) as [number, number, number];
  const part: Grid = { shape, affine: multiply(grid.affine, translation(...first)) };
  if (voxelCount(shape) === 0) return { grid, data };
  const { values, from } = inside(part);
  const [nx, ny] = grid.shape;
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++) {
      const row = first[0] + nx * (first[1] + j + ny * (first[2] + k));
      for (let i = 0; i < shape[0]; i++, o++) if ((values[o] as number) >= from) data[row + i] = 1;
    }
  return { grid, data };
}

/** A mask on another grid: what is brain in at least half of a voxel. @param motion from the mask's world to the grid's */
export function carryMask(mask: Mask, motion: Affine, grid: Grid): Mask {
  const moved = movedBy(boxed(mask), motion);
  return stamped(moved.grid, grid, (part) => {
    const share = new Float32Array(voxelCount(part.shape));
    resampleFace(moved, part, new Uint8Array(share.length).fill(1), share);
    return { values: share, from: 0.5 };
  });
}

/** As {@link carryMask}, but what is brain in the middle of a voxel: a fifth of the time where voxels are thick. */
export function carryNearest(mask: Mask, motion: Affine, grid: Grid): Mask {
  const moved = movedBy(boxed(mask), motion);
  return stamped(moved.grid, grid, (part) => ({ values: sampleNearest(moved, part), from: 1 }));
}

/** Dice of a brain's own mask and the first image's, carried over, below which they are not taken for one brain. */
export const LEAST_AGREEMENT = 0.85;

/** The mask without what lies outside another grid's field of view. */
function seenBy(mask: Mask, other: Grid): Uint8Array {
  const m = gridToGrid(mask.grid, other);
  const [nx, ny] = mask.grid.shape;
  const [mx, my, mz] = other.shape;
  const out = new Uint8Array(mask.data.length);
  const { low, high } = maskBox(mask);
  const t = (r: number, c: number): number => at(m, r, c);
  for (let k = low[2]; k <= high[2]; k++)
    for (let j = low[1]; j <= high[1]; j++)
      for (let i = low[0], o = low[0] + nx * (j + ny * k); i <= high[0]; i++, o++) {
        if (mask.data[o] === 0) continue;
        const x = t(0, 0) * i + t(0, 1) * j + t(0, 2) * k + t(0, 3);
        const y = t(1, 0) * i + t(1, 1) * j + t(1, 2) * k + t(1, 3);
        const z = t(2, 0) * i + t(2, 1) * j + t(2, 2) * k + t(2, 3);
        if (x > -0.5 && y > -0.5 && z > -0.5 && x < mx - 0.5 && y < my - 0.5 && z < mz - 0.5) out[o] = 1;
      }
  return out;
}

/**
 * @param seen where the other image's field of view lies, in the world of the masks
 * @returns Dice of the two where both images saw something
 * @throws {Refusal} brains-differ where the two masks of one brain disagree badly
 */
export function requireAgreement(own: Mask, carried: Mask, seen: Grid): number {
  const agreement = dice(seenBy(own, seen), carried.data);
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
  find(volume: Volume): Promise<{ readonly mask: Mask; readonly agreement?: number }>;
  make(volume: Volume, mask: Mask, airSaid?: number): Head;
  /** Dice of a mask with what a quick look about that brain sees; absent where nothing can look. */
  confirm?(
    volume: Volume,
    mask: Mask,
    view: { readonly pose: Affine; readonly scale: number },
  ): Promise<number>;
}

/**
 * Lays the brain of another image on the first one's.
 * @param volume values of the other image. @param mask the brain found in it
 * @throws {Refusal} brain-implausible where that is no brain; brains-differ where it is another one
 */
export function settleOther(
  volume: Volume,
  mask: Mask,
  first: SeenBrain,
  make: BrainFinder['make'],
): SettledImage {
  const { grid } = volume;
  const { pose } = make(volume, mask);
  const match = matchBrains(first, { volume, mask, pose });
  const motion = invert(match.toFirst);
  const carried = carryMask(first.mask, motion, grid);
  requireAgreement(mask, carried, movedGrid(first.mask.grid, motion));
  return { brainMask: mask, bothMasks: united(mask, carried), motion, match };
}

/** What either of two masks on one grid has. */
export function united(a: Mask, b: Mask): Mask {
  const data = a.data.slice();
  for (let o = 0; o < data.length; o++) data[o] = (data[o] as number) | (b.data[o] as number);
  return { grid: a.grid, data };
}
