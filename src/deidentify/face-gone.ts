/**
 * Whether a face is gone: how much of the relief of the original's face still stands in a result at the same place. Every
 * method is measured by it before a result may appear (promise P3); what a result holds never depends on it (P1).
 *
 * Position alone does not tell: faces are laid on brains, so strangers' foreheads and cheeks coincide within 1 mm on up to
 * 34 % of the zone. What identifies is relief. So the surfaces are compared in windows of 18 mm, and a window counts as
 * kept where they differ by less than a quarter of its own relief (its variance about a plane) and by less than 0.45 mm,
 * after a common offset of at most 1 mm. Pixels count by their relief: eyes, nose, mouth and chin much, cheeks little. The
 * number is that of the half of the face (left, right, upper, lower) that kept most.
 *
 * @example
 * const before = faceSurface(volume, head.pose);         // 200 kB; the volume may be overwritten now
 * const kept = faceKept(before, { grid, data: values }); // values of the result, scaling applied
 * checks.faceGone = { passed: isFaceGone(kept, method.kind === 'remodel'), value: kept.share };
 */
import { aboveBrow } from '../brain/cranium.js';
import { Failure } from '../errors/errors.js';
import { type Affine, applyAffine, invert, multiply } from '../volume/affine.js';
import { type Grid, sameGrid, type Volume } from '../volume/volume.js';
import { bitsUnder, zoneBits } from './face-bits.js';
import { CUT_FACE, findFace, findFolded, LIKE_HERE, type Look } from './face-find.js';
import { AXIS_Y, angleOf, castRays, FACE, FROM_MM, heightOf, type Rays, rayInVoxels } from './face-rays.js';
import { RISE, riseAtDepth, riseNear, skinOf } from './face-skin.js';
import { keptPixels, planeVariance } from './face-windows.js';

const { columns: COLUMNS, rows: ROWS } = FACE;
const RAYS = COLUMNS * ROWS;

/**
 * The most that may be kept of a face: of `FaceKept.share`. On 18 IXI val heads all methods stay below 0.34 (average-face
 * and quickshear; strangers below 0.05) and what keeps a half of the face, or its eyes and nose, or its mouth and chin,
 * in other grey values and noise, reaches 0.55 or more.
 */
export const FACE_KEPT_LIMIT = 0.45;
/** The same for `FaceKept.sameBits` of a head that was drawn: 0.00 unless the mask of the brain takes in some of the face. */
export const SAME_BITS_LIMIT = 0.1;

export type FaceState =
  /** A face is in view. */
  | 'found'
  /** The air is so rough that its skin cannot be told (MP2RAGE): only stored values are compared. */
  | 'hidden'
  /** Something is in view, but nothing like a face, in its place or elsewhere: it was removed before, or it is no head. */
  | 'none'
  /** The field of view ends above the face. */
  | 'outside';

/** A surface as it is remembered; one entry a ray. */
interface Surface {
  readonly frame: Affine;
  /** Steps from the start of the ray; NaN where nothing is compared. */
  readonly depth: Float32Array;
  /** Cosine of the angle between the ray and the skin's normal. */
  readonly cosine: Float32Array;
  /** How far the skin may have moved, mm across it, and be at the same place. */
  readonly limit: Float32Array;
  /** Variance about a plane in the window round the ray, mm2. */
  readonly relief: Float32Array;
  readonly bits: Int32Array;
}

/** What is remembered of a face. */
export interface FaceSurface {
  readonly state: FaceState;
  /** Correlation with the mean face, -1 to 1. */
  readonly likeness: number;
  /** True where the face was not where the brain says: the pose, and so the brain mask, is wrong. */
  readonly elsewhere: boolean;
  /** Share of the zone in which skin is seen. */
  readonly inView: number;
  readonly grid: Grid;
  readonly scale: number;
  readonly surface: Surface;
  /** The copy of a face that the scan's end cuts off and folds over behind the head. */
  readonly folded?: Surface;
  /** Of a face that is `hidden`. */
  readonly zone?: Int32Array;
}

export interface FaceKept {
  /** Of the half of the face that kept most (or of its folded copy), 0 to 1; 0 where there was no face to keep. */
  readonly share: number;
  /** Of the whole face. */
  readonly whole: number;
  /** Share of the skin under which the stored values are the original's. */
  readonly sameBits: number;
  /** Of the folded copy. */
  readonly folded?: number;
  /** Median distance between the skin before and after, mm across it; absent where none was in view. */
  readonly movedMm?: number;
}

/** Judged to this angle from straight ahead: beyond it cheeks end and ears begin, which deface and quickshear leave. */
const SIDE = Math.PI / 4;
/** The rays that are judged. */
const JUDGED: readonly number[] = Array.from({ length: RAYS }, (_, ray) => ray).filter(
  (ray) => Math.abs(angleOf(FACE, ray % COLUMNS)) < SIDE,
);
/** Less skin than this share of the zone is no face to speak of: brains cut out with 8 mm round them fill 0.21 of it (10 IXI val heads). */
const LEAST_IN_VIEW = 0.25;
/** Brains below this size have small faces. Above it faces hardly follow: with their scale the margin was 0.31 to 0.50 instead of 0.33 to 0.55. */
const SMALL = 0.9;
/** Kept clear of the plane of `--keep cranium`. */
const BROW_MARGIN_MM = 5;

/**
 * @param pose brain frame (x right, y front, z up, mm) to world; 10 degrees or 10 mm of error do no harm
 * @param scale size of the brain relative to the template (`PoseFit.scale`); matters for small children
 */
export function faceSurface(volume: Volume, pose: Affine, scale = 1): FaceSurface {
  const { grid } = volume;
  const seen = findFace(volume, pose, scale < SMALL ? scale : 1);
  const { elsewhere } = seen;
  const surface = surfaceOf(volume, seen, elsewhere ? undefined : pose);
  const inView = JUDGED.filter((ray) => !Number.isNaN(surface.depth[ray])).length / JUDGED.length;
  const likeness = seen.likeness.value;
  const common = { likeness, elsewhere, grid, scale: seen.rays.scale, surface };
  if (seen.rays.roughAir) {
    const zone = zoneBits(volume, seen.rays);
    const known = zone.filter((word) => word !== 0).length / zone.length;
    return { ...common, inView: known, zone, state: known < LEAST_IN_VIEW ? 'outside' : 'hidden' };
  }
  const folded = findFolded(volume, seen);
  return {
    ...common,
    inView,
    state:
      inView < LEAST_IN_VIEW ? 'outside' : likeness < LIKE_HERE && seen.cut < CUT_FACE ? 'none' : 'found',
    ...(folded === undefined ? {} : { folded: surfaceOf(volume, folded, undefined) }),
  };
}

/** @param pose where given, what lies above the brow in it does not count either */
function surfaceOf(volume: Volume, { frame, rays, depth: seen }: Look, pose: Affine | undefined): Surface {
  const { scale } = rays;
  const toPose = pose === undefined ? undefined : multiply(invert(pose), frame);
  const depth = seen.map((d, ray) => (isAboveBrow(ray, d, scale, toPose) ? Number.NaN : d));
  const toVoxel = multiply(invert(volume.grid.affine), frame);
  const limit = depth.map((_, ray) => {
    const [, , , x, y, z] = rayInVoxels(toVoxel, FACE, scale, ray);
    return Math.max(1, (0.5 * scale) / Math.max(Math.abs(x), Math.abs(y), Math.abs(z)));
  });
  return {
    frame,
    depth,
    cosine: cosines(depth),
    limit,
    relief: planeVariance(depth).map((v) => v * scale ** 2),
    bits: bitsUnder(volume, rays, depth),
  };
}

function isAboveBrow(ray: number, depth: number, scale: number, toPose: Affine | undefined): boolean {
  if (Number.isNaN(depth)) return false;
  const radius = FROM_MM - depth;
  const angle = angleOf(FACE, ray % COLUMNS);
  const y = AXIS_Y + radius * Math.cos(angle);
  const z = heightOf(FACE, Math.floor(ray / COLUMNS));
  if (aboveBrow(y, z + BROW_MARGIN_MM)) return true;
  if (toPose === undefined) return false;
  const p = applyAffine(toPose, [scale * radius * Math.sin(angle), scale * y, scale * z]);
  return aboveBrow(p[1], p[2] + BROW_MARGIN_MM);
}

/** Differences along a ray are larger than across the skin; where it grazes, not more than 3 times. */
const LEAST_COSINE = 0.3;

function cosines(depth: Float32Array): Float32Array {
  const slope = (ray: number, neighbours: readonly number[], mm: number): number => {
    const differences = neighbours
      .map((other) => Math.abs((depth[other] as number) - (depth[ray] as number)))
      .filter((d) => !Number.isNaN(d));
    return differences.reduce((sum, d) => sum + d, 0) / (mm * Math.max(1, differences.length));
  };
  return depth.map((d, ray) => {
    if (Number.isNaN(d)) return 1;
    const c = ray % COLUMNS;
    const width = (FROM_MM - d) * (angleOf(FACE, 1) - angleOf(FACE, 0));
    const beside = [c > 0 ? ray - 1 : ray, c < COLUMNS - 1 ? ray + 1 : ray].filter((other) => other !== ray);
    const across = slope(ray, beside, width);
    const down = slope(
      ray,
      [ray - COLUMNS, ray + COLUMNS].filter((other) => other >= 0 && other < RAYS),
      FACE.pixelMm,
    );
    return Math.max(LEAST_COSINE, 1 / Math.hypot(1, across, down));
  });
}

/** @param drawn true of methods that draw everything outside the brain anew */
export function isFaceGone({ share, sameBits }: FaceKept, drawn: boolean): boolean {
  return share <= FACE_KEPT_LIMIT && !(drawn && sameBits > SAME_BITS_LIMIT);
}

/** @param after the result, on the grid of the original */
export function faceKept(before: FaceSurface, after: Volume): FaceKept {
  if (!sameGrid(before.grid, after.grid))
    throw new Failure('internal', 'a result must be on the grid of its original');
  const { scale, surface } = before;
  const folded = before.folded === undefined ? undefined : keptOf(before.folded, scale, after).whole;
  if (before.state === 'hidden') return hiddenKept(before, after);
  const face = before.state === 'found' ? keptOf(surface, scale, after) : { share: 0, whole: 0, sameBits: 0 };
  return folded === undefined ? face : { ...face, folded, share: Math.max(face.share, folded) };
}

/** Relief counts at most this much, mm2: a nose has 30, eyes and mouth 2 to 6. */
const RELIEF_CAP = 4;
/** Parts with less relief in view than this sum over their rays (mm2) are not judged alone: halves of IXI faces have 700 to 4900. */
const LEAST_PART = 500;
/** Between nose and mouth. */
const MIDDLE_Z = -70;

/** Sums over the whole face and its halves: left, right, upper, lower. */
class Parts {
  readonly #kept = [0, 0, 0, 0, 0];
  readonly #all = [0, 0, 0, 0, 0];
  readonly #least: number;

  /** @param least weight of a part that is judged alone */
  constructor(least: number) {
    this.#least = least;
  }

  add(ray: number, weight: number, kept: number): void {
    const side = angleOf(FACE, ray % COLUMNS) < 0 ? 1 : 2;
    const level = heightOf(FACE, Math.floor(ray / COLUMNS)) > MIDDLE_Z ? 3 : 4;
    for (const part of [0, side, level]) {
      this.#all[part] = (this.#all[part] as number) + weight;
      this.#kept[part] = (this.#kept[part] as number) + weight * kept;
    }
  }

  get whole(): number {
    return this.#all[0] === 0 ? 0 : (this.#kept[0] as number) / (this.#all[0] as number);
  }

  get most(): number {
    return Math.max(
      this.whole,
      ...this.#all.map((all, part) => (all >= this.#least ? (this.#kept[part] as number) / all : 0)),
    );
  }
}

/** The rise at which the result's surface is looked for besides `RISE` lies between these. */
const [LEAST_RISE, MOST_RISE] = [0.15, 0.85];
/** Rays from which it is taken. */
const LEAST_RAYS = 200;

/**
 * If grey values were changed by any curve, the result has risen by one and the same share at all of the original's
 * surface. So its surface is also looked for at the median of those shares; strangers gain nothing by it.
 */
function keptOf(before: Surface, scale: number, after: Volume): FaceKept {
  const rays = castRays(after, before.frame, scale, FACE);
  const judged = JUDGED.filter((ray) => !Number.isNaN(before.depth[ray]));
  const same = bitsUnder(after, rays, before.depth).map((word, ray) =>
    word !== 0 && word === before.bits[ray] ? 1 : 0,
  );
  const rises = judged
    .map((ray) => riseAtDepth(rays, ray, before.depth[ray] as number))
    .filter((rise) => !Number.isNaN(rise))
    .sort((a, b) => a - b);
  const middle = rises[rises.length >> 1] ?? 0;
  const levels = [RISE];
  if (rises.length >= LEAST_RAYS && middle > LEAST_RISE && middle < MOST_RISE) levels.push(middle);
  const found = levels.map((rise) => {
    const difference = differences(before, scale, rays, same, rise);
    const kept = keptPixels(difference, before.limit, before.relief);
    const parts = new Parts(LEAST_PART);
    for (const ray of judged)
      parts.add(ray, Math.min(RELIEF_CAP, before.relief[ray] as number), kept[ray] as number);
    return parts;
  });
  return {
    share: Math.max(...found.map((parts) => parts.most)),
    whole: Math.max(...found.map((parts) => parts.whole)),
    sameBits: judged.reduce((sum, ray) => sum + (same[ray] as number), 0) / Math.max(1, judged.length),
    ...moved(before, scale, rays, judged),
  };
}

function moved(before: Surface, scale: number, rays: Rays, judged: readonly number[]): { movedMm?: number } {
  const after = skinOf(rays, RISE).depth;
  const apart = judged
    .map((ray) => {
      const toMm = scale * (before.cosine[ray] as number);
      return toMm * Math.abs((after[ray] as number) - (before.depth[ray] as number));
    })
    .filter((mm) => !Number.isNaN(mm))
    .sort((a, b) => a - b);
  const middle = apart[apart.length >> 1];
  return middle === undefined ? {} : { movedMm: middle };
}

/** Differences count at most this many mm more than what is the same place. */
const CAP_MM = 2;

/** How far the skin has moved, mm across it; NaN where there was none. 0 where stored values were kept. */
function differences(
  { depth, cosine, limit }: Surface,
  scale: number,
  rays: Rays,
  same: Int32Array,
  rise: number,
): Float32Array {
  const skin = skinOf(rays, rise).depth;
  return depth.map((d, ray) => {
    if (Number.isNaN(d) || same[ray] === 1) return Number.isNaN(d) ? d : 0;
    const toMm = scale * (cosine[ray] as number);
    const near = riseNear(rays, ray, d, (limit[ray] as number) / toMm, rise);
    const apart = toMm * ((Number.isNaN(near) ? (skin[ray] as number) : near) - d);
    const cap = (limit[ray] as number) + CAP_MM;
    return Number.isNaN(apart) ? cap : Math.max(-cap, Math.min(cap, apart));
  });
}

/**
 * Values in a row along a ray that must be the original's for its face to be kept: 28 of 32 mm. face-mask, which changes 8 mm
 * to either side of the skin, keeps up to 0.42 so, quickshear 0.30, deface 0.10; eyes and nose 0.66 (9 val heads as MP2RAGE).
 */
const LEAST_RUN = 7;

function hiddenKept({ zone, scale, surface }: FaceSurface, after: Volume): FaceKept {
  const parts = new Parts(0);
  const words = zone ?? new Int32Array(0);
  const now = zoneBits(after, { frame: surface.frame, scale, chart: FACE });
  const each = words.length / RAYS;
  let [same, known] = [0, 0];
  for (const ray of JUDGED) {
    let [run, longest, seen] = [0, 0, 0];
    for (let o = ray * each; o < (ray + 1) * each; o++) {
      // A value that tells nothing does not end a run.
      if (words[o] === 0) continue;
      seen++;
      run = words[o] === now[o] ? run + 1 : 0;
      if (run > 0) same++;
      longest = Math.max(longest, run);
    }
    known += seen;
    if (seen >= LEAST_RUN) parts.add(ray, 1, longest >= LEAST_RUN ? 1 : 0);
  }
  return { share: parts.most, whole: parts.whole, sameBits: same / Math.max(1, known) };
}
