/**
 * Whether a mask can be a brain. A wrong mask passes straight to the result (too small: the brain is overwritten; too
 * large: the original's face is kept), so what is doubtful is refused with the reason.
 *
 * @example
 * requirePlausible(measureMask(mask), 0.97);
 */
import { Refusal } from '../errors/errors.js';
import { applyAffine, multiply, scaling, type Vec3 } from '../volume/affine.js';
import { componentSizes } from '../volume/components.js';
import { eachRun } from '../volume/mask-runs.js';
import { type Grid, type Mask, sameGrid, voxelMillilitres, voxelSizes } from '../volume/volume.js';
import { fitPose, type PoseFit } from './pose.js';
import { brainTemplate } from './template.js';

export interface MaskMeasures {
  readonly millilitres: number;
  /** Share of the voxels in the largest piece, 0 to 1. */
  readonly largestShare: number;
  /** Share of the mask's voxels that lie on the border of the image. */
  readonly borderShare: number;
  readonly fit: PoseFit;
}

/** 18 test heads: 1,150 to 1,700 ml with CSF; a child of three: 1,100. Microcephaly and newborns are refused here. */
export const MIN_MILLILITRES = 500;
export const MAX_MILLILITRES = 2600;

/** One mask is measured by the extraction and again for its head: 2 s at 256^3, so the figures are kept with it. */
const measured = new WeakMap<Uint8Array, { grid: Grid; measures: MaskMeasures }>();

/** The mask must not change afterwards. @throws {Refusal} brain-implausible when it is empty */
export function measureMask(mask: Mask): MaskMeasures {
  const known = measured.get(mask.data);
  // The same voxels may be given on another grid: a header that was put right.
  if (known !== undefined && sameGrid(known.grid, mask.grid)) return known.measures;
  const measures = measure(mask);
  measured.set(mask.data, { grid: mask.grid, measures });
  return measures;
}

/** What one pass over a mask tells: a brain at 1 mm has 1.5 million voxels. */
interface Counts {
  readonly total: number;
  /** On the border of the image. */
  readonly border: number;
  /** Sums of the voxels' indices. */
  readonly sums: Vec3;
  /** Blocks of about 2 mm that are set by more than half: pieces are counted there, 8 times faster than at 1 mm. */
  readonly coarse: Mask;
}

function countVoxels(mask: Mask): Counts {
  const [nx, ny, nz] = mask.grid.shape;
  const [px, py, pz] = voxelSizes(mask.grid).map((mm) => Math.max(1, Math.round(2 / mm))) as [
    number,
    number,
    number,
  ];
  const shape = [Math.ceil(nx / px), Math.ceil(ny / py), Math.ceil(nz / pz)] as const;
  const inBlock = new Uint16Array(shape[0] * shape[1] * shape[2]);
  let [total, border, x, y, z] = [0, 0, 0, 0, 0];
  const count = (from: number, end: number): void => {
    const row = (from / nx) | 0;
    const k = (row / ny) | 0;
    const j = row - k * ny;
    const [first, last] = [from - row * nx, end - 1 - row * nx];
    const n = end - from;
    total += n;
    x += ((first + last) * n) / 2;
    y += n * j;
    z += n * k;
    if (j === 0 || k === 0 || j === ny - 1 || k === nz - 1) border += n;
    else border += (first === 0 ? 1 : 0) + (last === nx - 1 && nx > 1 ? 1 : 0);
    const block = shape[0] * (((j / py) | 0) + shape[1] * ((k / pz) | 0));
    addToBlocks(inBlock, block, px, first, last);
  };
  eachRun(mask.data, count, nx);
  const coarse = new Uint8Array(inBlock.length);
  for (let o = 0; o < coarse.length; o++) coarse[o] = 2 * (inBlock[o] as number) > px * py * pz ? 1 : 0;
  const affine = multiply(mask.grid.affine, scaling(px, py, pz));
  return { total, border, sums: [x, y, z], coarse: { grid: { shape, affine }, data: coarse } };
}

/** Adds the voxels from `first` to `last` of a row to the blocks of `width` that they lie in. */
function addToBlocks(counts: Uint16Array, row: number, width: number, first: number, last: number): void {
  for (let i = first, b = (first / width) | 0; i <= last; b++) {
    const end = Math.min(last + 1, (b + 1) * width);
    counts[row + b] = (counts[row + b] as number) + end - i;
    i = end;
  }
}

function measure(mask: Mask): MaskMeasures {
  const { total, border, sums, coarse } = countVoxels(mask);
  if (total === 0)
    throw new Refusal('brain-implausible', 'expected to find a brain in the image, found none');
  const sizes = componentSizes(coarse);
  const pieces = sizes.reduce((a, b) => a + b, 0);
  const centre = applyAffine(mask.grid.affine, [sums[0] / total, sums[1] / total, sums[2] / total]);
  return {
    millilitres: total * voxelMillilitres(mask.grid),
    largestShare: pieces > 0 ? sizes.reduce((a, b) => Math.max(a, b), 0) / pieces : 0,
    borderShare: border / total,
    fit: fitPose(mask, brainTemplate(), centre),
  };
}

export interface PlausibilityLimits {
  readonly minCorrelation: number;
  readonly maxBorderShare: number;
  /** What the user may try when the mask is refused. */
  readonly advice: string;
}

/** For a brain that was looked for. */
export const FIND_ADVICE =
  'look at its orientation and voxel size (prosopon inspect), crop it to the head (a brain alone has no face to replace), or give a mask of your own with --brain-mask';

/** For masks found by our own network; IXI masks agree with the average brain at 0.985 and more. */
export const FOUND_LIMITS: PlausibilityLimits = {
  minCorrelation: 0.93,
  maxBorderShare: 0.02,
  advice: FIND_ADVICE,
};
/** For masks that the user vouches for: only what cannot be a brain at all is refused. */
export const GIVEN_LIMITS: PlausibilityLimits = {
  minCorrelation: 0.6,
  maxBorderShare: 1,
  advice: 'look at the mask on the image, or leave it out and let the brain be found',
};

/** @throws {Refusal} brain-implausible with the figure that decided. */
export function requirePlausible(measures: MaskMeasures, limits: PlausibilityLimits): void {
  const refuse = (expected: string, found: string): never => {
    throw new Refusal('brain-implausible', `expected a brain ${expected}, found ${found}; ${limits.advice}`);
  };
  const { millilitres, largestShare, borderShare, fit } = measures;
  if (millilitres < MIN_MILLILITRES || millilitres > MAX_MILLILITRES)
    refuse(`of ${MIN_MILLILITRES} to ${MAX_MILLILITRES} ml`, `${millilitres.toFixed(0)} ml`);
  if (largestShare < 0.9)
    refuse('in one piece', `its largest piece to be ${(100 * largestShare).toFixed(0)} % of it`);
  if (borderShare > limits.maxBorderShare)
    refuse(
      'inside the field of view',
      `${(100 * borderShare).toFixed(1)} % of it on the border of the image`,
    );
  if (!(fit.correlation >= limits.minCorrelation))
    refuse(
      `that has the shape of one (correlation with the average brain of at least ${limits.minCorrelation})`,
      `a correlation of ${fit.correlation.toFixed(3)}`,
    );
}
