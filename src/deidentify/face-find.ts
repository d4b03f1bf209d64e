/**
 * Where the face of a scan is: in its place before the brain, or, where the brain's pose is wrong (a mirrored mask, a mask
 * with part of the face in it), somewhere else; and the folded copy of a face that the end of the scan cuts.
 *
 * @example
 * const { frame, depth, likeness, elsewhere } = findFace(volume, pose, 1);
 */
import { type Affine, at, multiply, rotation, translation, type Vec3 } from '../volume/affine.js';
import { quantile } from '../volume/statistics.js';
import type { Volume } from '../volume/volume.js';
import { faceLikeness, type Likeness, reliefMap } from './face-likeness.js';
import { type Chart, castRays, FACE, FROM_MM, type Rays, turnOf, WIDE } from './face-rays.js';
import { foldedSkinOf, skinOf } from './face-skin.js';

/** What is seen in a frame. */
export interface Look {
  readonly frame: Affine;
  readonly rays: Rays;
  /** Of the skin, and the share of rays that begin in tissue; see `skinOf`. */
  readonly depth: Float32Array;
  readonly cut: number;
  readonly likeness: Likeness;
}

export interface FoundFace extends Look {
  /** True where it was not in its place. */
  readonly elsewhere: boolean;
}

/** At least this like the mean face in its place; elsewhere, where more places are tried. */
export const LIKE_HERE = 0.55;
const LIKE_ELSEWHERE = 0.7;
/** Share of the zone that a face elsewhere must fill: a scan that ends above the brow had one of 0.70 in 0.27 of it. */
const SEEN_ELSEWHERE = 0.5;
/** Where the scan cuts off this share of the zone, nose and lips may be missing, and what is left is a face all the same. */
export const CUT_FACE = 0.1;
/** A face this far from its place is looked at again from the right one. */
const OUT_OF_PLACE_MM = 8;

function look(volume: Volume, frame: Affine, scale: number, chart: Chart): Look {
  const rays = castRays(volume, frame, scale, chart);
  const skin = skinOf(rays);
  const cut = skin.cut.reduce((sum, c) => sum + c, 0) / skin.cut.length;
  const depth = cut < ISLANDS_FROM ? skin.depth : withoutIslands(skin.depth, chart);
  return { frame, rays, depth, cut, likeness: faceLikeness(reliefMap(depth, chart)) };
}

/** From this share of cut rays on, what they enclose is believed to lie inside the head: mouth, throat, sinuses. */
const ISLANDS_FROM = 0.02;
/** Pieces of skin smaller than this share of the largest are islands. */
const ISLAND = 0.25;

/** Only the large connected pieces of the skin. */
function withoutIslands(depth: Float32Array, { columns, rows }: Chart): Float32Array {
  const piece = new Int32Array(depth.length).fill(-1);
  const sizes: number[] = [];
  for (let start = 0; start < depth.length; start++) {
    if (Number.isNaN(depth[start]) || piece[start] !== -1) continue;
    const open = [start];
    piece[start] = sizes.length;
    let size = 0;
    for (let p = open.pop(); p !== undefined; p = open.pop()) {
      size++;
      const [c, r] = [p % columns, Math.floor(p / columns)];
      for (const [x, y] of [
        [c - 1, r],
        [c + 1, r],
        [c, r - 1],
        [c, r + 1],
      ] as const) {
        const next = x + columns * y;
        if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
        if (Number.isNaN(depth[next]) || piece[next] !== -1) continue;
        piece[next] = sizes.length;
        open.push(next);
      }
    }
    sizes.push(size);
  }
  const least = ISLAND * Math.max(0, ...sizes);
  return depth.map((d, p) => ((sizes[piece[p] as number] ?? 0) >= least ? d : Number.NaN));
}

/** From the axis to a face's skin, median over its zone (mm): 76 to 92 on IXI val heads. */
const TYPICAL_RADIUS = 84;

/** The frame in which a face that was seen out of place stands in its place. */
function inPlace({ frame, likeness: { up, right }, rays: { scale } }: Look, forward = 0): Affine {
  const turned = multiply(frame, rotation([0, 0, -turnOf(right)]));
  return multiply(turned, translation(0, scale * forward, scale * up));
}

/** As `inPlace`, and its distance from the axis made typical. */
function centred(seen: Look): Affine {
  const depths = Float32Array.from(seen.depth.filter((d) => !Number.isNaN(d)));
  return inPlace(seen, depths.length === 0 ? 0 : FROM_MM - quantile(depths, 0.5) - TYPICAL_RADIUS);
}

/** Upright, turned round, upside down, and both: what mirrored masks do to the pose. */
const TURNS: readonly Vec3[] = [
  [0, 0, 0],
  [0, 0, Math.PI],
  [0, Math.PI, 0],
  [Math.PI, 0, 0],
];
/** Radians. */
const NODS = [0, -0.25, 0.25, -0.5, 0.5];
/** So many of the places that look most like a face are looked at again. */
const FOLLOWED = 3;
/** A mask that takes in the head of a child makes its brain too large. */
const SMALLER = 0.75;

/** The face, or what lies in its place where there is none: then `likeness.value` is below `LIKE_HERE`. */
export function findFace(volume: Volume, pose: Affine, scale: number): FoundFace {
  const here = look(volume, pose, scale, FACE);
  if (here.rays.roughAir) return { ...here, elsewhere: false };
  const { value, up, right } = here.likeness;
  if (value >= LIKE_HERE) {
    if (Math.hypot(up, right) < OUT_OF_PLACE_MM) return { ...here, elsewhere: false };
    const again = look(volume, inPlace(here), scale, FACE);
    return { ...(again.likeness.value >= LIKE_HERE ? again : here), elsewhere: false };
  }
  const found = findElsewhere(volume, pose, scale);
  return found === undefined ? { ...here, elsewhere: false } : { ...found, elsewhere: true };
}

function findElsewhere(volume: Volume, pose: Affine, scale: number): Look | undefined {
  // As the header has it, for a pose that is wrong altogether.
  const upright = translation(at(pose, 0, 3), at(pose, 1, 3), at(pose, 2, 3));
  const tried = [
    ...TURNS.map((turn) => ({ frame: multiply(pose, rotation(turn)), scale })),
    { frame: upright, scale },
    { frame: upright, scale: SMALLER * scale },
  ];
  const seen = tried.map((start) => best(volume, start.frame, start.scale));
  seen.sort((a, b) => b.likeness.value - a.likeness.value);
  for (const first of seen.slice(0, FOLLOWED)) {
    if (first.likeness.value < LIKE_HERE) return undefined;
    // Seen from another distance a face seems to nod.
    const second = best(volume, centred(first), first.rays.scale);
    const found = look(volume, centred(second), second.rays.scale, FACE);
    const whole = found.cut < CUT_FACE && seenShare(found.depth) >= SEEN_ELSEWHERE;
    if (whole && found.likeness.value >= LIKE_ELSEWHERE) return found;
  }
  return undefined;
}

/** What is most like a face while the frame nods. */
function best(volume: Volume, frame: Affine, scale: number): Look {
  const seen = NODS.map((nod) => look(volume, multiply(frame, rotation([nod, 0, 0])), scale, WIDE));
  return seen.reduce((a, b) => (b.likeness.value > a.likeness.value ? b : a));
}

function seenShare(depth: Float32Array): number {
  return depth.reduce((n, d) => n + (Number.isNaN(d) ? 0 : 1), 0) / depth.length;
}

/** Folded skin that counts, rays (4 mm2 each). */
const LEAST_FOLDED = 100;

/**
 * The folded copy of a face: what the end of the scan cuts off in front comes back behind the head, one field of view
 * away.
 */
export function findFolded(volume: Volume, face: Look): Look | undefined {
  const { frame } = face;
  const { scale, least } = face.rays;
  const { affine, shape } = volume.grid;
  // The axis of the grid that runs from back to front.
  const forward = (axis: number): number =>
    [0, 1, 2].reduce((sum, i) => sum + at(affine, i, axis) * at(frame, i, 1), 0);
  let axis = 0;
  for (const other of [1, 2]) if (Math.abs(forward(other)) > Math.abs(forward(axis))) axis = other;
  const backwards = -Math.sign(forward(axis));
  if (tissueAtEnd(volume, axis, backwards > 0, least) < LEAST_FOLDED * FACE.pixelMm ** 2) return undefined;
  const [x, y, z] = [0, 1, 2].map((i) => (shape[axis] as number) * backwards * at(affine, i, axis)) as [
    number,
    number,
    number,
  ];
  const moved = multiply(translation(x, y, z), frame);
  const rays = castRays(volume, moved, scale, FACE);
  const depth = foldedSkinOf(rays);
  if (depth.filter((d) => !Number.isNaN(d)).length < LEAST_FOLDED) return undefined;
  return { frame: moved, rays, depth, cut: 0, likeness: { value: -1, up: 0, right: 0 } };
}

/** mm2 of the outermost voxels at one end of an axis that may be tissue, from every third one. */
function tissueAtEnd(volume: Volume, axis: number, atLast: boolean, least: number): number {
  const { shape, affine } = volume.grid;
  const steps = [1, shape[0], shape[0] * shape[1]] as const;
  const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
  const mm = (i: number): number => Math.hypot(at(affine, 0, i), at(affine, 1, i), at(affine, 2, i));
  const end = atLast ? ((shape[axis] as number) - 1) * (steps[axis] as number) : 0;
  let count = 0;
  for (let u = 0; u < shape[a]; u += 3)
    for (let v = 0; v < shape[b]; v += 3)
      if ((volume.data[end + u * steps[a] + v * steps[b]] as number) >= least) count++;
  return count * 9 * mm(a) * mm(b);
}
