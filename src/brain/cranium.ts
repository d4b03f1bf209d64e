/**
 * The cranium of `--keep cranium`: what lies above a plane from the middle of the forehead to over the ears. It shows no
 * brow, eye or ear, and the plane lies in the brain's frame, so that only the brain decides where it is.
 *
 * @example
 * const kept = craniumMask(head.pose, grid);
 * const radii = skinRadii(volume, brainLevel, head.pose); // of what lies above the plane
 */
import { type Affine, applyAffine, invert, multiply, type Vec3 } from '../volume/affine.js';
import { type Grid, type Mask, type Volume, voxelCount } from '../volume/volume.js';

/**
 * The plane: 25 mm below the brain's centre over the ears, and 1 mm up for every 5 mm to the front, so that it leaves the
 * forehead 5 mm below the centre. On the mean of 113 training heads the brow lies at -18 there and the ears end at -28.
 */
const [HEIGHT_MM, RISE] = [-25, 0.2];

/** Above the plane, for a point's y and z in mm in the brain's frame. */
export function aboveBrow(y: number, z: number): boolean {
  return z > HEIGHT_MM + RISE * y;
}

/** Everything above the plane, air too. @param pose brain frame to world, mm */
export function craniumMask(pose: Affine, grid: Grid): Mask {
  const m = multiply(invert(pose), grid.affine);
  const [nx, ny, nz] = grid.shape;
  const data = new Uint8Array(voxelCount(grid.shape));
  const at = (row: number, i: number, j: number, k: number): number =>
    (m[4 * row] as number) * i +
    (m[4 * row + 1] as number) * j +
    (m[4 * row + 2] as number) * k +
    (m[4 * row + 3] as number);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) if (aboveBrow(at(1, i, j, k), at(2, i, j, k))) data[o] = 1;
  return { grid, data };
}

/** Directions from the brain's centre: rings of elevation from straight down to straight up, each all round. */
export const RINGS = 25;
export const ROUND = 72;

/** Unit vector (right, front, up) of a ring and a place on it. */
export function directionOf(ring: number, place: number): [number, number, number] {
  const elevation = (Math.PI * ring) / (RINGS - 1) - Math.PI / 2;
  const azimuth = (2 * Math.PI * place) / ROUND;
  const flat = Math.cos(elevation);
  return [flat * Math.sin(azimuth), flat * Math.cos(azimuth), Math.sin(elevation)];
}

/** A voxel this bright (in brain levels) is skin; air has less, fat much more. */
const SKIN = 0.25;
const [FROM_MM, TO_MM, STEP_MM] = [150, 40, 1];
/** Samples of air before the skin. */
const LEAST_AIR = 4;

/**
 * How far the skin lies from the brain's centre in each direction, from voxels above the plane alone.
 * @param level what is 1 brain level in the volume's units
 * @returns millimetres, [RINGS x ROUND]; NaN where the skin lies below the plane, outside the volume or is not found
 */
export function skinRadii(volume: Volume, level: number, pose: Affine): Float32Array {
  const toVoxel = multiply(invert(volume.grid.affine), pose);
  const toBrain = multiply(invert(pose), volume.grid.affine);
  const [nx, ny, nz] = volume.grid.shape;
  /** The nearest voxel; NaN outside the volume, and where the voxel itself lies below the plane. */
  const read = (p: Vec3): number => {
    const [i, j, k] = applyAffine(toVoxel, p).map(Math.round) as [number, number, number];
    if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return Number.NaN;
    const [, y, z] = applyAffine(toBrain, [i, j, k]);
    return aboveBrow(y, z) ? (volume.data[i + nx * (j + ny * k)] as number) : Number.NaN;
  };
  const out = new Float32Array(RINGS * ROUND).fill(Number.NaN);
  for (let ring = 0; ring < RINGS; ring++)
    for (let place = 0; place < ROUND; place++) {
      const [x, y, z] = directionOf(ring, place);
      let air = 0;
      let bright = 0;
      for (let r = FROM_MM; r >= TO_MM; r -= STEP_MM) {
        const value = read([r * x, r * y, r * z]);
        if (value > SKIN * level) bright++;
        else [air, bright] = Number.isNaN(value) ? [0, 0] : [air + 1, 0];
        if (bright < 3) continue;
        // Without air before it, it is where the volume or the plane cuts the head, and no skin.
        if (air >= LEAST_AIR) out[ring * ROUND + place] = r + 2 * STEP_MM;
        break;
      }
    }
  return out;
}
