/**
 * A nose that the scan has room for. A face that is drawn without its owner's may reach further forwards than the scan does,
 * and was then cut flat (5 of 16 draws on val heads). Here such a face is set back until its tip lies inside: the face as a
 * whole, most at the nose, and nothing where the brain is. Only the scan's grid decides, no voxel (promise P1).
 *
 * Room before its owner's nose is what a technician leaves: a face set back to just inside the scan stands where its owner's
 * does. So it is set back by some mm more, drawn by the seed.
 *
 * @example
 * const fields = keptInView(displacement, gamma.scan, gamma.pose, drawSpare(random.fork('in view')));
 */
import { FIELD_COUNT as COUNT, CUBE_CENTRE_MM, FIELD_SHAPE as SHAPE } from '../../contract/contract.js';
import { type Affine, applyAffine, invert, multiply, translation, type Vec3 } from '../../volume/affine.js';
import type { Random } from '../../volume/random.js';
import { type Grid, voxelSizes } from '../../volume/volume.js';
import { fieldPointMm, pointReading, UNIT_MM } from './landmark.js';

/** The tip of the learned head's nose, in mm from the cube's centre (right, front, up); skin, at 1 mm. */
const TIP_MM: Vec3 = [-2, 107, -30];
/** Of air before the tip, so that what is drawn is a nose and its edge. */
const MARGIN_MM = 3;
/** A face that does not fit when set back so far is in a scan that cuts faces: it is left as it is, and cut as its owner's. At 16 mm two of 13 draws on the heads of HEADS.md, 19 and 21 mm too far out, were cut open; at 27 mm what is read would fold. */
const MOST_MM = 24;
const STEP_MM = 0.5;
/** The most that a face is set back beyond what it must, and with that in all. */
const [MOST_SPARE_MM, MOST_WITH_SPARE_MM] = [10, 16] as const;
/** How far the setting back reaches (deviations): to the sides, above (the brow, and the brain behind it) and below (lips, chin). */
const [ASIDE, ABOVE, BELOW] = [40, 22, 45] as const;
/** From so far behind the tip (nothing) to so far (all): the forehead lies 21 mm behind it, the brain's pole some 40. */
const [NOTHING_MM, ALL_MM] = [55, 15] as const;

/** Whether a point (mm from the cube's centre) lies in the scan, with a margin. */
function inScan(toVoxel: Affine, scan: Grid, point: Vec3, marginMm: number): boolean {
  const margin = voxelSizes(scan).map((mm) => marginMm / mm - 0.5);
  return applyAffine(toVoxel, point).every(
    (v, a) => v > (margin[a] as number) && v < (scan.shape[a] as number) - 1 - (margin[a] as number),
  );
}

/** mm from the cube's centre to the scan's voxels. */
function cubeToScan(pose: Affine, scan: Grid): Affine {
  return multiply(invert(scan.affine), multiply(pose, translation(...CUBE_CENTRE_MM)));
}

/** How much of the setting back a point takes part in, 0 to 1. */
function share(point: Vec3, tip: Vec3): number {
  const behind = tip[1] - point[1];
  if (behind >= NOTHING_MM) return 0;
  const ramp = Math.min(1, (NOTHING_MM - behind) / (NOTHING_MM - ALL_MM));
  const across = (point[0] - tip[0]) / ASIDE;
  const along = (point[2] - tip[2]) / (point[2] > tip[2] ? ABOVE : BELOW);
  return ramp * ramp * (3 - 2 * ramp) * Math.exp(-(across * across + along * along) / 2);
}

/** How much farther than it must a face is set back, mm. */
export function drawSpare(random: Random): number {
  return MOST_SPARE_MM * random.uniform();
}

/** The least step backwards that brings a point into the scan; undefined where none does. */
function stepBack(tip: Vec3, most: number, inside: (point: Vec3) => boolean): number | undefined {
  for (let mm = 0; mm <= most; mm += STEP_MM) if (inside([tip[0], tip[1] - mm, tip[2]])) return mm;
  return undefined;
}

/**
 * @param displacement [3, 64, 64, 48] in normalised coordinates; not changed
 * @param scan the grid that the head is drawn into @param pose brain frame to world
 * @param spareMm farther than a face that does not fit must be set back, where there is room for that
 * @returns the same array where the nose fits, or where it cannot
 */
export function keptInView(
  displacement: Float32Array,
  scan: Grid,
  pose: Affine,
  spareMm: number,
): Float32Array {
  const toVoxel = cubeToScan(pose, scan);
  const backOf = (tip: Vec3, most: number, spare = 0): number | undefined =>
    stepBack(tip, most, (point) => inScan(toVoxel, scan, point, MARGIN_MM + spare));
  let now = displacement;
  let spare = spareMm;
  // Twice: what is read where the tip then lies was displaced otherwise than at the tip.
  for (let round = 0; round < 2; round++) {
    const tip = pointReading(now, TIP_MM);
    const least = backOf(tip, MOST_MM);
    if (least === undefined) return displacement;
    // What fits as it was drawn is not set back; in the second round, what the first brought far enough.
    if (round === 0 && least === 0) return now;
    const more = backOf(tip, MOST_WITH_SPARE_MM, spare);
    if (more === undefined) spare = 0;
    const back = more ?? least;
    if (back === 0) return now;
    const out = now.slice();
    const [nx, ny, nz] = SHAPE;
    for (let k = 0, v = 0; k < nz; k++)
      for (let j = 0; j < ny; j++)
        for (let i = 0; i < nx; i++, v++)
          out[COUNT + v] =
            (out[COUNT + v] as number) + (back * share(fieldPointMm(i, j, k), tip)) / UNIT_MM[1];
    now = out;
  }
  return now;
}
