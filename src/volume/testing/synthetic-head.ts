/**
 * A head that is nobody, for tests: ellipsoids in world millimetres sampled on any grid, so that tests need no data.
 * The brain has two halves, a texture and a flat base, so that it has a front and a top to be found.
 *
 * @example
 * const { volume, brainMask } = syntheticHead({ grid: headGrid({ spacing: [2, 2, 2] }), variant: 1 });
 */
import { type Affine, applyAffine, multiply, rotation, scaling, translation, type Vec3 } from '../affine.js';
import { Random } from '../random.js';
import { sha256 } from '../sha256.js';
import type { Grid, Mask, Volume } from '../volume.js';

export interface HeadGridOptions {
  readonly spacing?: Vec3;
  /** Turns the scanner's axes, radians. */
  readonly turn?: Vec3;
  /** Mirrors the first axis: a left-handed grid. */
  readonly flip?: boolean;
}

/** A grid that holds the whole synthetic head (about 200 x 240 x 250 mm around the brain's centre). */
export function headGrid(options: HeadGridOptions = {}): Grid {
  const spacing = options.spacing ?? [4, 4, 4];
  const extent: Vec3 = [200, 240, 250];
  const shape: [number, number, number] = [
    Math.ceil(extent[0] / spacing[0]),
    Math.ceil(extent[1] / spacing[1]),
    Math.ceil(extent[2] / spacing[2]),
  ];
  const centre = translation(-(shape[0] - 1) / 2, -(shape[1] - 1) / 2, -(shape[2] - 1) / 2);
  const scale = scaling(options.flip === true ? -spacing[0] : spacing[0], spacing[1], spacing[2]);
  const turned = multiply(rotation(options.turn ?? [0, 0, 0]), multiply(scale, centre));
  const affine: Affine = multiply(translation(0, 10, -30), turned);
  return { shape, affine };
}

export interface SyntheticHeadOptions {
  readonly grid: Grid;
  /** Another complement (head size, nose, texture, brightness) around the same brain. */
  readonly variant?: number;
  /** Deviation of the noise, in units where the brain's median is about 500. */
  readonly noise?: number;
}

export interface SyntheticHead {
  readonly volume: Volume;
  readonly brainMask: Mask;
}

/** Radius of p in the ellipsoid's own units: below 1 inside. */
function radius(p: Vec3, c: Vec3, r: Vec3): number {
  return Math.hypot((p[0] - c[0]) / r[0], (p[1] - c[1]) / r[1], (p[2] - c[2]) / r[2]);
}

function isBrain(p: Vec3): boolean {
  // Wider behind than in front, flat below the frontal lobe, with a cerebellum.
  const width = 66 - 0.09 * p[1];
  const cerebrum = radius(p, [0, 0, 6], [width, 84, 62]) < 1 && p[2] > -38 - 0.25 * p[1];
  const cerebellum = radius(p, [0, -45, -38], [50, 32, 26]) < 1;
  const stem = radius(p, [0, -15, -50], [13, 13, 30]) < 1;
  return cerebrum || cerebellum || stem;
}

export function syntheticHead(options: SyntheticHeadOptions): SyntheticHead {
  const { grid } = options;
  const variant = options.variant ?? 0;
  const brainNoise = new Random(sha256(Uint8Array.of(1)));
  const otherNoise = new Random(sha256(Uint8Array.of(2, variant)));
  const noise = options.noise ?? 12;
  const [nx, ny, nz] = grid.shape;
  const data = new Float32Array(nx * ny * nz);
  const mask = new Uint8Array(data.length);
  const grow = 1 + 0.05 * variant;
  const bright = 1 + 0.3 * variant;
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const p = applyAffine(grid.affine, [i, j, k]);
        if (isBrain(p)) {
          mask[o] = 1;
          const fold = Math.sin(p[0] / 7) * Math.sin(p[1] / 9) * Math.sin(p[2] / 8);
          // T1-weighted: white matter deep inside, grey matter and CSF towards the rim
          const depth = 1 - radius(p, [0, -8, 0], [66, 84, 66]) ** 2;
          data[o] = Math.max(1, 350 + 300 * depth + 60 * fold + noise * brainNoise.normal());
          continue;
        }
        data[o] = Math.abs(bright * complementValue(p, grow) + noise * otherNoise.normal());
      }
  return { volume: { grid, data }, brainMask: { grid, data: mask } };
}

function complementValue(p: Vec3, grow: number): number {
  const vault = radius(p, [0, -2, 4], [80 * grow, 100 * grow, 78 * grow]);
  const face = radius(p, [0, 48, -62], [58 * grow, 52 * grow, 72]);
  const nose = radius(p, [0, 100 * grow, -60], [13, 22 * grow, 22]);
  const neck = p[2] < -60 && Math.hypot(p[0] / 58, (p[1] + 12) / 60) < 1;
  const eye = Math.min(radius(p, [-32, 80, -32], [12, 12, 12]), radius(p, [32, 80, -32], [12, 12, 12]));
  if (eye < 1) return 150;
  if (vault < 1 && vault > 0.93) return 700;
  if (vault < 0.93 && p[2] > -45) return vault > 0.86 ? 60 : 120;
  if (face < 1 || nose < 1 || neck) return 380 + 60 * Math.sin(p[0] / 11) * Math.cos(p[2] / 13);
  return 0;
}
