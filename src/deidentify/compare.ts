/**
 * Two images from files, before and after anybody's de-identification: is the brain the same, does the original's face
 * still stand, what else changed. Unlike the pipeline's own checks nothing was remembered in between: both are at hand.
 *
 * @example
 * const { checks, changedOutside } = compareImages(original, result, { brain, pose });
 */
import type { Head } from '../brain/head.js';
import { type StoredImage, sameScaling } from '../formats/image.js';
import { finiteVolume } from '../formats/stored-image.js';
import type { Affine } from '../volume/affine.js';
import { dilateMm } from '../volume/morphology.js';
import { type Grid, type Mask, type Volume, voxelMillilitres } from '../volume/volume.js';
import { type Check, type Checks, checkResult } from './checks.js';
import { type FaceSurface, faceSurface, isFaceGone } from './face-gone.js';
import { faceSurfaces, mostKept } from './face-volumes.js';
import { readMask } from './given-mask.js';
import { trace } from './traces.js';

export interface WhatToKeep {
  /** Voxels that must be the same; every other must have changed where `altered` is given. */
  readonly brain: Mask;
  /** Brain frame to world. */
  readonly pose: Affine;
  readonly scale?: number;
  /** The voxels that were to be altered, as `deid --save-altered` writes them. */
  readonly altered?: Mask;
}

/**
 * From images of masks, each where it is given; without one of the brain it is looked for in the original.
 * @throws {Refusal} mask-mismatch, mask-empty, mask-values, and what looking for the brain and posing it throw
 */
export async function whatToKeep(
  original: StoredImage,
  masks: { readonly brainMask?: StoredImage; readonly altered?: StoredImage },
  services: {
    findBrain(volume: Volume): Promise<{ mask: Mask }>;
    makeHead(volume: Volume, brainMask: Mask): Pick<Head, 'pose' | 'scale'>;
  },
): Promise<WhatToKeep> {
  const volume = finiteVolume(original);
  const brain =
    masks.brainMask === undefined
      ? (await services.findBrain(volume)).mask
      : readMask(masks.brainMask, original.grid).mask;
  const { pose, scale } = services.makeHead(volume, brain);
  return {
    brain,
    pose,
    scale,
    ...(masks.altered === undefined ? {} : { altered: readMask(masks.altered, original.grid).mask }),
  };
}

export interface Comparison {
  readonly checks: Checks;
  /** Of the volume in which most of the face stands. */
  readonly original: FaceSurface;
  /** Of the same volume of the result, in the original's pose. */
  readonly result: FaceSurface | undefined;
  /** Share of the original's face that still stands, 0 to 1. */
  readonly kept: number;
  /** Share of the voxels outside the brain (and 2 mm round it) whose stored values differ, 0 to 1. */
  readonly changedOutside: number;
}

/** Kept round a brain by `deid` where the network found it. */
const RIM_MM = 2;
/** Less is the original itself, or its header rewritten; the smallest of our methods, deface, changes 5 % and more. */
const LEAST_CHANGED = 0.005;

function words(image: StoredImage): { array: Uint8Array | Uint16Array | Int32Array; per: number } {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = image.stored;
  if (width === 1) return { array: new Uint8Array(buffer, byteOffset, byteLength), per: 1 };
  if (width === 2) return { array: new Uint16Array(buffer, byteOffset, byteLength / 2), per: 1 };
  return { array: new Int32Array(buffer, byteOffset, byteLength / 4), per: width / 4 };
}

/** Voxels under `where` (1) whose stored bits differ in any volume, and how many there are. */
function differing(a: StoredImage, b: StoredImage, where: Uint8Array): { changed: number; of: number } {
  const [x, y] = [words(a), words(b)];
  const count = where.length;
  let [changed, of] = [0, 0];
  for (let o = 0; o < count; o++) {
    if (where[o] === 0) continue;
    of++;
    for (let volume = 0, differs = false; volume < a.volumes && !differs; volume++)
      for (let k = 0; k < x.per; k++) {
        const at = (volume * count + o) * x.per + k;
        if (x.array[at] !== y.array[at]) differs = true;
        if (differs) {
          changed++;
          break;
        }
      }
  }
  return { changed, of };
}

const shapeOf = ({ grid, volumes }: StoredImage): string =>
  [...grid.shape, ...(volumes > 1 ? [volumes] : [])].join('x');

function furthestMm(a: Grid, b: Grid): number {
  let furthest = 0;
  for (let corner = 0; corner < 8; corner++) {
    const at = [...a.shape.map((n, axis) => (corner & (1 << axis) ? n - 1 : 0)), 1];
    const apart = [0, 1, 2].map((r) =>
      at.reduce(
        (sum, v, c) => sum + v * ((a.affine[4 * r + c] as number) - (b.affine[4 * r + c] as number)),
        0,
      ),
    );
    furthest = Math.max(furthest, Math.hypot(...apart));
  }
  return furthest;
}

function gridCheck(original: StoredImage, result: StoredImage): Check {
  const [before, after] = [shapeOf(original), shapeOf(result)];
  if (before !== after) return { passed: false, value: `${before} before, ${after} after` };
  const mm = furthestMm(original.grid, result.grid);
  if (mm > 1e-3) return { passed: false, value: `voxels moved by up to ${mm.toPrecision(2)} mm` };
  return { passed: true, value: after };
}

function typeCheck(original: StoredImage, result: StoredImage): Check {
  const show = ({ datatype, scaling: [{ slope, intercept }, ...others] }: StoredImage): string =>
    `${datatype} x ${slope} + ${intercept}${others.length > 0 ? ' and others' : ''}`;
  const same = original.datatype === result.datatype && sameScaling(original, result);
  return { passed: same, value: same ? show(result) : `${show(original)} before, ${show(result)} after` };
}

export function compareImages(
  original: StoredImage,
  result: StoredImage,
  { brain, pose, scale, altered }: WhatToKeep,
): Comparison {
  const grid = gridCheck(original, result);
  const type = typeCheck(original, result);
  const faces = faceSurfaces(original, pose, scale);
  if (!grid.passed)
    return {
      checks: { grid, type },
      original: faces[0] as FaceSurface,
      result: undefined,
      kept: 0,
      changedOutside: 1,
    };
  const keep = altered === undefined ? brain.data : altered.data.map((v) => 1 - v);
  const remembered = trace(original.stored, original.grid.shape, original.volumes, keep);
  const all = checkResult({ before: remembered, original, result, keep, remodelled: false });
  const comparable = original.datatype === result.datatype;
  const inside = comparable ? differing(original, result, keep) : { changed: Number.NaN, of: 0 };
  const rim = dilateMm(brain, RIM_MM);
  const outside = comparable
    ? differing(
        original,
        result,
        rim.data.map((v) => 1 - v),
      )
    : { changed: 1, of: 1 };
  const { kept, volume, before } = mostKept(faces, result, false);
  const place = faces.length > 1 ? ` in volume ${volume + 1} of ${faces.length}` : '';
  const millilitres = inside.changed * voxelMillilitres(original.grid);
  const changedOutside = outside.of === 0 ? 0 : outside.changed / outside.of;
  const checks: Checks = {
    [altered === undefined ? 'brainIdentical' : 'keptVoxelsIdentical']: {
      passed: all.keptVoxelsIdentical?.passed === true,
      value: !comparable
        ? 'stored in another type'
        : inside.changed === 0
          ? `${inside.of} voxels`
          : `${inside.changed} of ${inside.of} voxels differ (${millilitres.toFixed(1)} ml)`,
    },
    faceGone: {
      passed: isFaceGone(kept, false),
      value:
        before.state === 'found' || before.state === 'hidden'
          ? `${(100 * kept.share).toFixed(0)} % of the original's face in its place${place}`
          : NO_FACE[before.state],
    },
    changedOutside: {
      passed: changedOutside >= LEAST_CHANGED,
      value: `${(100 * changedOutside).toFixed(1)} % of the voxels outside the brain`,
    },
    grid,
    type,
    ...(all.geometryIdentical === undefined ? {} : { geometryIdentical: all.geometryIdentical }),
    ...(all.headerClean === undefined ? {} : { headerClean: all.headerClean }),
    ...(altered === undefined || all.alteredOutside === undefined
      ? {}
      : { alteredOutside: all.alteredOutside }),
  };
  return {
    checks,
    original: before,
    result: faceSurface(finiteVolume(result, volume), pose, scale),
    kept: kept.share,
    changedOutside,
  };
}

/** In words for people. */
export const NO_FACE = {
  none: 'the original has no face',
  outside: 'the original shows no face: it was cut off, or the scan ends above it',
} as const;
