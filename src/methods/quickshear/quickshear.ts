/**
 * Quickshear (Schimke and Hale, Quickshear defacing for neuroimages, HealthSec 2011): everything under and in front of
 * one plane is blanked, the plane lying along the front of the brain mask's lower hull, a buffer away from it.
 *
 * What differs from the original: the buffer is 10 mm, not 10 voxels; the first edge of the hull, whose slope
 * everything hangs on, is looked at and warned about; brain voxels are never altered. Agrees with the authors' package
 * (`scripts/check-quickshear.py`).
 *
 * @example
 * const { altered, warnings } = await quickshear.alter(head, context);
 */
import type { Head } from '../../brain/head.js';
import { Refusal } from '../../errors/errors.js';
import { type Mask, voxelSizes } from '../../volume/volume.js';
import type { Alteration, RemovalMethod } from '../method.js';
import { type Canonical, closestCanonical } from './canonical.js';

export const BUFFER_MM = 10;
/**
 * Steepness of the cut in degrees (down towards the back is positive) and how far the hull may turn at the end of its
 * first edge: where it turns more, a voxel more or less of the mask would swing the cut by about as much.
 */
const STEEPNESS = [45, 77] as const;
const MOST_TURN = 20;

/** Line in mm from the grid's front and lower edge: height = slope * y + intercept. */
export interface ShearLine {
  readonly slope: number;
  readonly intercept: number;
  /** Length of the hull's first edge. */
  readonly edgeMm: number;
  /** Angle between the hull's first and second edge, degrees; 0 when there is no second. */
  readonly turn: number;
}

/** A point of the sagittal silhouette, voxels from the front and from below. */
type Point = readonly [y: number, z: number];

/** Brain and other pixels that touch across an edge; the picture's own border never counts. */
function silhouetteEdge(filled: Uint8Array, ny: number, nz: number): Point[] {
  const points: Point[] = [];
  for (let y = 1; y < ny - 1; y++)
    for (let z = 1; z < nz - 1; z++) {
      const v = y + ny * z;
      const own = filled[v];
      if (filled[v - 1] !== own || filled[v + 1] !== own || filled[v - ny] !== own || filled[v + ny] !== own)
        points.push([y, z]);
    }
  return points;
}

/** Lower hull from front to back (Andrew's monotone chain); `points` sorted by y, then z. */
export function lowerHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const p of points) {
    for (;;) {
      const [a, b] = [hull.at(-2), hull.at(-1)];
      if (a === undefined || b === undefined) break;
      if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
      hull.pop();
    }
    hull.push(p);
  }
  return hull;
}

/** @throws {Refusal} brain-implausible when the mask has no lower front */
export function shearLine(mask: Mask, canonical: Canonical, bufferMm = BUFFER_MM): ShearLine {
  const { ny, nz } = canonical;
  const filled = new Uint8Array(ny * nz);
  canonical.forEach((v, y, z) => {
    if (mask.data[v] !== 0) filled[y + ny * z] = 1;
  });
  const [first, second, third] = lowerHull(silhouetteEdge(filled, ny, nz));
  if (first === undefined || second === undefined || second[0] === first[0])
    throw new Refusal(
      'brain-implausible',
      'expected a brain mask whose outline has a lower front, found none inside the image',
    );
  const [dy, dz] = [canonical.yMm, canonical.zMm];
  const [run, rise] = [(second[0] - first[0]) * dy, (second[1] - first[1]) * dz];
  const slope = rise / run;
  return {
    slope,
    intercept: first[1] * dz - slope * first[0] * dy - bufferMm,
    edgeMm: Math.hypot(run, rise),
    turn:
      third === undefined
        ? 0
        : degrees(Math.atan2((third[1] - second[1]) * dz, (third[0] - second[0]) * dy) - Math.atan(slope)),
  };
}

/** 1 for voxels under the line, column by column from the front until the line leaves the image. */
export function sheared(canonical: Canonical, { slope, intercept }: ShearLine): Uint8Array {
  const { ny, yMm, zMm } = canonical;
  const heights = new Float64Array(ny);
  for (let y = 0; y < ny; y++) {
    const height = (slope * y * yMm + intercept) / zMm;
    if (height < 0) break;
    heights[y] = Math.floor(height);
  }
  const out = new Uint8Array(canonical.count);
  canonical.forEach((v, y, z) => {
    if (z < (heights[y] as number)) out[v] = 1;
  });
  return out;
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

export function warningsFor({ slope, edgeMm, turn }: ShearLine): string[] {
  const steepness = degrees(Math.atan(-slope));
  const warnings: string[] = [];
  if (turn > MOST_TURN)
    warnings.push(
      `quickshear: expected the brain's lower outline to turn by at most ${MOST_TURN} degrees after its first edge, found ${turn.toFixed(0)} after ${edgeMm.toFixed(0)} mm; the slope of the cut is uncertain`,
    );
  if (steepness < STEEPNESS[0] || steepness > STEEPNESS[1])
    warnings.push(
      `quickshear: expected a cut ${STEEPNESS.join(' to ')} degrees steep, found ${steepness.toFixed(0)}; part of the face may be left`,
    );
  return warnings;
}

export const quickshear: RemovalMethod = {
  kind: 'remove',
  name: 'quickshear',
  reference: 'Schimke and Hale, Quickshear Defacing for Neuroimages, USENIX HealthSec 2011',
  models: [],
  async alter({ volume, brainMask }: Head): Promise<Alteration> {
    const canonical = closestCanonical(volume.grid, voxelSizes(volume.grid));
    const line = shearLine(brainMask, canonical);
    const altered: Mask = { grid: volume.grid, data: sheared(canonical, line) };
    const values = { grid: volume.grid, data: volume.data.slice() };
    for (let v = 0; v < values.data.length; v++) if (altered.data[v] === 1) values.data[v] = 0;
    return { values, altered, warnings: warningsFor(line) };
  },
};
