/**
 * Brain masks with mistakes made on purpose: what happens to brain, privacy and measurements when the mask that a
 * method was given is too large, too small, beside the brain, or rough.
 *
 * @example
 * const worse = damageMask(mask, 'erode', 2, random);
 * const { brainLost, othersKeptMl } = maskErrorCost(mask, worse);
 */

import {
  dilateMm,
  erodeMm,
  gaussianSmooth,
  invertMask,
  type Mask,
  type Random,
  squaredDistance,
  voxelMillilitres,
  voxelSizes,
} from 'prosopon/imaging';

export const MASK_ERRORS = ['dilate', 'erode', 'shift', 'roughen'] as const;
export type MaskErrorKind = (typeof MASK_ERRORS)[number];

/** Bumps of a rough mask are this wide (standard deviation of the smoothing of white noise). */
const ROUGH_MM = 5;

/**
 * @param mm how far: radius of the ball, length of the shift, standard deviation of the bumps
 * @param random for `shift` (its direction) and `roughen`
 */
export function damageMask(mask: Mask, kind: MaskErrorKind, mm: number, random: Random): Mask {
  switch (kind) {
    case 'dilate':
      return dilateMm(mask, mm);
    case 'erode':
      return erodeMm(mask, mm);
    case 'shift':
      return shifted(mask, mm, random);
    case 'roughen':
      return roughened(mask, mm, random);
  }
}

/** By whole voxels in a random direction, at least one: a mask has no finer places. */
function shifted(mask: Mask, mm: number, random: Random): Mask {
  const sizes = voxelSizes(mask.grid);
  const direction = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(...direction) || 1;
  const by: number[] = direction.map((d, axis) => Math.round((mm * d) / length / (sizes[axis] as number)));
  if (!by.some((n) => n !== 0)) by[0] = 1;
  const [nx, ny, nz] = mask.grid.shape;
  const [dx, dy, dz] = by as [number, number, number];
  const data = new Uint8Array(mask.data.length);
  for (let z = 0, o = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, o++) {
        if (mask.data[o] === 0) continue;
        const a = x + dx;
        const b = y + dy;
        const c = z + dz;
        if (a >= 0 && b >= 0 && c >= 0 && a < nx && b < ny && c < nz) data[a + nx * (b + ny * c)] = 1;
      }
  return { grid: mask.grid, data };
}

/** The edge moves in and out by smooth noise of standard deviation `mm`. */
function roughened(mask: Mask, mm: number, random: Random): Mask {
  const outside = squaredDistance(mask);
  const inside = squaredDistance(invertMask(mask));
  const white = new Float32Array(mask.data.length);
  for (let o = 0; o < white.length; o++) white[o] = random.normal();
  const soft = gaussianSmooth({ grid: mask.grid, data: white }, ROUGH_MM).data;
  let square = 0;
  for (let o = 0; o < soft.length; o++) square += (soft[o] as number) ** 2;
  const scale = mm / Math.sqrt(square / soft.length);
  const data = new Uint8Array(mask.data.length);
  for (let o = 0; o < data.length; o++) {
    const distance = Math.sqrt(outside[o] as number) - Math.sqrt(inside[o] as number);
    data[o] = distance < scale * (soft[o] as number) ? 1 : 0;
  }
  return { grid: mask.grid, data };
}

export interface MaskErrorCost {
  /** Share of the true brain that is left out, and so replaced. */
  readonly brainLost: number;
  /** Millilitres of what is not brain that are kept. */
  readonly othersKeptMl: number;
}

export function maskErrorCost(truth: Mask, given: Mask): MaskErrorCost {
  let [brain, lost, kept] = [0, 0, 0];
  for (let o = 0; o < truth.data.length; o++) {
    if (truth.data[o] !== 0) {
      brain++;
      if (given.data[o] === 0) lost++;
    } else if (given.data[o] !== 0) kept++;
  }
  return { brainLost: lost / brain, othersKeptMl: kept * voxelMillilitres(truth.grid) };
}
