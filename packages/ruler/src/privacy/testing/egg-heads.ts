/**
 * Heads of nobody for tests of the attackers: an egg with a nose, a chin and two ears in the brain's frame. As a volume,
 * and as the depth maps that casting it would give, which take no time.
 *
 * @example
 * const someone = eggHead({ nose: 14 });   // a volume at 4 mm
 * const shape = eggShape({ nose: 14 });    // its HeadShape
 */
import {
  type Affine,
  applyAffine,
  IDENTITY,
  invert,
  multiply,
  type Vec3,
} from '../../../../../src/volume/affine.js';
import { cubeGrid, type Volume } from '../../../../../src/volume/volume.js';
import { type HeadShape, SHAPE_CENTRE, SHAPE_PIXEL_MM, SHAPE_SIZE } from '../geometry.js';

export interface EggHead {
  /** Radius of the nose, mm. */
  readonly nose?: number;
  /** Height of the nose in the brain's frame, mm. */
  readonly noseZ?: number;
  /** Radius of the chin, mm. */
  readonly chin?: number;
  /** Half the breadth of the head, mm. */
  readonly breadth?: number;
  /** Moves the head within its brain's frame, mm. */
  readonly moved?: Vec3;
}

interface Ellipsoid {
  readonly centre: Vec3;
  readonly radii: Vec3;
}

function ellipsoids(egg: EggHead): readonly Ellipsoid[] {
  const { nose = 12, noseZ = -55, chin = 14, breadth = 72, moved = [0, 0, 0] } = egg;
  const part = (x: number, y: number, z: number, radii: Vec3): Ellipsoid => ({
    centre: [x + moved[0], y + moved[1], z + moved[2]],
    radii,
  });
  return [
    part(0, 5, -25, [breadth, 98, 105]),
    part(0, 96, noseZ, [nose, nose, nose]),
    part(0, 76, -102, [2 * chin, chin, chin]),
    part(breadth, 0, -50, [10, 10, 10]),
    part(-breadth, 0, -50, [10, 10, 10]),
  ];
}

/** @param pose brain frame to world  @param spacing edge of a voxel, mm */
export function eggHead(egg: EggHead = {}, pose: Affine = IDENTITY, spacing = 4): Volume {
  const size = Math.round(240 / spacing);
  const grid = cubeGrid(pose, SHAPE_CENTRE, size, spacing);
  const toHead = multiply(invert(pose), grid.affine);
  const parts = ellipsoids(egg);
  const data = new Float32Array(size ** 3);
  for (let k = 0, o = 0; k < size; k++)
    for (let j = 0; j < size; j++)
      for (let i = 0; i < size; i++, o++) {
        const p = applyAffine(toHead, [i, j, k]);
        let outside = Number.POSITIVE_INFINITY;
        for (const { centre: c, radii: r } of parts) {
          const u = Math.hypot((p[0] - c[0]) / r[0], (p[1] - c[1]) / r[1], (p[2] - c[2]) / r[2]);
          const slope = Math.hypot(
            (p[0] - c[0]) / r[0] ** 2,
            (p[1] - c[1]) / r[1] ** 2,
            (p[2] - c[2]) / r[2] ** 2,
          );
          // To first order the distance from an ellipsoid: enough to draw a soft edge one voxel wide.
          outside = Math.min(outside, (u * (u - 1)) / slope);
        }
        data[o] = 100 * Math.min(1, Math.max(0, 0.5 - outside / spacing));
      }
  return { grid, data };
}

/** Depth maps from where parallel rays meet the ellipsoids. */
export function eggShape(egg: EggHead = {}): HeadShape {
  const parts = ellipsoids(egg);
  // Axis along the rays, sign towards the camera, axis along a row, sign of a row.
  const map = (along: 0 | 1, towards: 1 | -1, across: 0 | 1, sign: 1 | -1): Float32Array =>
    Float32Array.from({ length: SHAPE_SIZE ** 2 }, (_, p) => {
      const offset = (q: number): number => (q + 0.5 - SHAPE_SIZE / 2) * SHAPE_PIXEL_MM;
      const a = SHAPE_CENTRE[across] + sign * offset(p % SHAPE_SIZE);
      const z = SHAPE_CENTRE[2] - offset(Math.floor(p / SHAPE_SIZE));
      let nearest = Number.NaN;
      for (const { centre, radii } of parts) {
        const rest = 1 - ((a - centre[across]) / radii[across]) ** 2 - ((z - centre[2]) / radii[2]) ** 2;
        if (rest <= 0) continue;
        const surface = centre[along] + towards * radii[along] * Math.sqrt(rest);
        const depth = -towards * (surface - SHAPE_CENTRE[along]);
        if (!(depth >= nearest)) nearest = depth;
      }
      return nearest;
    });
  return { front: map(1, 1, 0, -1), left: map(0, -1, 1, -1), right: map(0, 1, 1, 1) };
}
