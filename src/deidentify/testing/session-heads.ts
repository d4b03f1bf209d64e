/**
 * Sessions of people who do not exist: the bundled head with folds of its own in the brain, painted in several contrasts on
 * any grid after any movement, with its true brain mask.
 *
 * @example
 * const t1 = sessionImage({ grid: seriesGrid([1, 1, 1]) });
 * const flair = sessionImage({ contrast: 'flair', grid: seriesGrid([1, 1, 6]), motion }); // the same person, moved
 */
import { templateBrain } from '../../brain/testing/template-brain.js';
import {
  type Affine,
  IDENTITY,
  invert,
  multiply,
  scaling,
  translation,
  type Vec3,
} from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { resampleLinear } from '../../volume/resample.js';
import { sha256 } from '../../volume/sha256.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import { type Grid, type Mask, type Volume, voxelSizes } from '../../volume/volume.js';
import { demoHead } from './demo-head.js';

const SIGNALS = {
  t1w: { fluid: 300, grey: 700, white: 1000, rest: 1 },
  t2w: { fluid: 1500, grey: 800, white: 500, rest: 0.7 },
  flair: { fluid: 180, grey: 900, white: 700, rest: 0.8 },
  pdw: { fluid: 950, grey: 950, white: 720, rest: 0.9 },
} as const;
export type SessionContrast = keyof typeof SIGNALS;

export interface SessionImage {
  /** Whose brain; default 1. */
  readonly person?: number;
  readonly contrast?: SessionContrast;
  readonly grid: Grid;
  /** Brain frame to world, rigid; default none. */
  readonly motion?: Affine;
  /** Deviation of noise in the brain; default 20 (white matter of a T1w: 1000). */
  readonly noise?: number;
}

/** Axis-aligned, around the whole head, its last axis the thickest. @param turn radians, of the scanner's axes */
export function seriesGrid(spacing: Vec3, pose: Affine = IDENTITY, extent: Vec3 = [220, 262, 256]): Grid {
  const shape = extent.map((mm, a) => Math.round(mm / (spacing[a] as number))) as [number, number, number];
  const centre = translation(-(shape[0] - 1) / 2, -(shape[1] - 1) / 2, -(shape[2] - 1) / 2);
  return {
    shape,
    affine: multiply(pose, multiply(translation(0, 20, -30), multiply(scaling(...spacing), centre))),
  };
}

interface Tissues {
  readonly mask: Mask;
  readonly fluid: Float32Array;
  readonly white: Float32Array;
}
const known = new Map<number, Tissues>();

/** Fractions in the brain frame at 2 mm; grey is the rest. */
function tissuesOf(person: number): Tissues {
  const found = known.get(person);
  if (found !== undefined) return found;
  const { grid, data } = demoHead;
  const mask = templateBrain(grid, IDENTITY);
  const random = new Random(sha256(Uint8Array.of(22, person)));
  const white = Float32Array.from(data, () => random.normal());
  const folds = gaussianSmooth({ grid, data: white }, 3.5).data;
  const spread = Math.sqrt(folds.reduce((sum, v) => sum + v * v, 0) / folds.length);
  const fluid = new Float32Array(data.length);
  for (let o = 0; o < data.length; o++) {
    // Folds of its own count for more than the average brain that all share.
    const t = 0.96 + 0.3 * ((data[o] as number) / 420 - 0.96) + (0.16 * (folds[o] as number)) / spread;
    fluid[o] = Math.max(0, Math.min(1, (0.8 - t) / 0.12));
    white[o] = Math.max(0, Math.min(1, (t - 1) / 0.12));
  }
  const made = { mask, fluid, white };
  known.set(person, made);
  return made;
}

/** As many samples through a voxel as it is mm thick. */
function through(grid: Grid): Grid[] {
  const n = Math.max(1, Math.round(voxelSizes(grid)[2]));
  return Array.from({ length: n }, (_, i) => ({
    shape: grid.shape,
    affine: multiply(grid.affine, translation(0, 0, (i + 0.5) / n - 0.5)),
  }));
}

export function sessionImage(options: SessionImage): { volume: Volume; mask: Mask } {
  const { person = 1, contrast = 't1w', grid, motion = IDENTITY, noise = 20 } = options;
  const signal = SIGNALS[contrast];
  const { mask, fluid, white } = tissuesOf(person);
  const base = demoHead.data.map((v, o) => {
    if (mask.data[o] === 0) return v * signal.rest;
    const [f, w] = [fluid[o] as number, white[o] as number];
    return f * signal.fluid + w * signal.white + (1 - f - w) * signal.grey;
  });
  const moved: Grid = { shape: demoHead.grid.shape, affine: multiply(motion, demoHead.grid.affine) };
  const data = new Float32Array(grid.shape[0] * grid.shape[1] * grid.shape[2]);
  const inside = new Float32Array(data.length);
  const parts = through(grid);
  for (const part of parts) {
    const one = resampleLinear({ grid: moved, data: base }, part);
    const in1 = resampleLinear({ grid: moved, data: mask.data }, part);
    for (let o = 0; o < data.length; o++) {
      data[o] = (data[o] as number) + (one[o] as number) / parts.length;
      inside[o] = (inside[o] as number) + (in1[o] as number) / parts.length;
    }
  }
  const random = new Random(sha256(new TextEncoder().encode(`${person} ${contrast} ${grid.affine}`)));
  const table = Float32Array.from({ length: 4096 }, () => noise * random.normal());
  const picks = random.fork('picks');
  for (let o = 0; o < data.length; o++)
    data[o] = Math.round(Math.max(0, (data[o] as number) + (table[picks.word() & 4095] as number)));
  return { volume: { grid, data }, mask: { grid, data: Uint8Array.from(inside, (v) => (v > 0.5 ? 1 : 0)) } };
}

/** Where the motion found and the true one put points of the head's surface apart: root mean square and most, mm. */
export function surfaceError(found: Affine, truth: Affine): { rms: number; most: number } {
  let [sum, most] = [0, 0];
  const count = 300;
  const difference = multiply(invert(truth), found);
  for (let a = 0; a < count; a++) {
    const z = 1 - (2 * (a + 0.5)) / count;
    const r = Math.sqrt(1 - z * z);
    const p = [85 * r * Math.cos(a * 2.39996), 20 + 110 * r * Math.sin(a * 2.39996), 115 * z - 25] as const;
    const d = Math.hypot(
      ...[0, 1, 2].map(
        (row) =>
          [0, 1, 2].reduce((s, c) => s + (difference[4 * row + c] as number) * (p[c] as number), 0) +
          (difference[4 * row + 3] as number) -
          (p[row] as number),
      ),
    );
    sum += d * d;
    most = Math.max(most, d);
  }
  return { rms: Math.sqrt(sum / count), most };
}
