/**
 * Whether a mask can be a brain. A wrong mask passes straight to the result (too small: the brain is overwritten; too
 * large: the original's face is kept), so what is doubtful is refused with the reason.
 *
 * @example
 * requirePlausible(measureMask(mask), 0.97);
 */
import { Refusal } from '../errors/errors.js';
import { labelComponents } from '../volume/components.js';
import { type Mask, voxelMillilitres } from '../volume/volume.js';
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

export function measureMask(mask: Mask): MaskMeasures {
  const [nx, ny, nz] = mask.grid.shape;
  const { sizes } = labelComponents(mask);
  let [total, border] = [0, 0];
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        if (mask.data[v] === 0) continue;
        total++;
        if (i === 0 || j === 0 || k === 0 || i === nx - 1 || j === ny - 1 || k === nz - 1) border++;
      }
  if (total === 0)
    throw new Refusal('brain-implausible', 'expected to find a brain in the image, found none');
  return {
    millilitres: total * voxelMillilitres(mask.grid),
    largestShare: sizes.reduce((a, b) => Math.max(a, b), 0) / total,
    borderShare: border / total,
    fit: fitPose(mask, brainTemplate()),
  };
}

export interface PlausibilityLimits {
  readonly minAgreement: number;
  readonly maxBorderShare: number;
}

/** For masks found by our own network; IXI masks agree with the average brain at 0.985 and more. */
export const FOUND_LIMITS: PlausibilityLimits = { minAgreement: 0.93, maxBorderShare: 0.02 };
/** For masks that the user vouches for: only what cannot be a brain at all is refused. */
export const GIVEN_LIMITS: PlausibilityLimits = { minAgreement: 0.6, maxBorderShare: 1 };

/** @throws {Refusal} brain-implausible with the figure that decided. */
export function requirePlausible(measures: MaskMeasures, limits: PlausibilityLimits): void {
  const refuse = (expected: string, found: string): never => {
    throw new Refusal('brain-implausible', `expected a brain ${expected}, found ${found}`);
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
  if (!(fit.agreement >= limits.minAgreement))
    refuse(
      `that has the shape of one (agreement with the average brain of at least ${limits.minAgreement})`,
      `an agreement of ${fit.agreement.toFixed(3)}`,
    );
}
