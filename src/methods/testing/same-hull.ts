/**
 * Heads that differ outside the brain and have the same gamma all the same, for methods whose gamma holds the convex
 * hull: tissue deep under the skin has other values above delta, and the air far from the skin other values below it.
 *
 * @example
 * const { mirrored } = sameHullChanges(head); // values on the stored grid
 */
import type { Head } from '../../brain/head.js';
import { dilateMm, erodeMm } from '../../volume/morphology.js';
import { sampleNearest } from '../../volume/nearest.js';
import { coverage } from '../../volume/resample.js';
import { voxelSizes } from '../../volume/volume.js';
import { binaryHead } from '../cp-gan/surface.js';

/** Voxels are changed where no value takes part in a 4 mm voxel on the other side of the outline. */
export function sameHullChanges(head: Head): Record<string, Float32Array> {
  const { volume, brainMask, brainLevel } = head;
  const outline = binaryHead(head);
  // Half a diagonal of a coarse voxel, of a fine one, and of the scan's own, which interpolation reaches across.
  const mm = 8 + Math.hypot(...voxelSizes(volume.grid));
  const covered = { grid: outline.grid, data: coverage(volume.grid, outline.grid) };
  const deep = sampleNearest(erodeMm(outline, mm), volume.grid);
  const near = sampleNearest(dilateMm(outline, mm), volume.grid);
  // Beyond the model cube nothing is looked at, but what is the nearest voxel there is not known either.
  const inCube = sampleNearest(covered, volume.grid);
  const change = (tissue: (v: number, o: number) => number, air: (v: number) => number): Float32Array =>
    volume.data.map((v, o) => {
      if (brainMask.data[o] !== 0) return v;
      if (deep[o] === 1) return tissue(v, o);
      return near[o] === 0 && inCube[o] === 1 ? air(v) : v;
    });
  // Tissue only ever gets brighter, so no block's mean falls below delta; air only darker.
  return {
    'flat and bright': change(
      (v) => Math.max(v, 2 * brainLevel),
      () => 0,
    ),
    'other tissue': change(
      (v, o) => Math.max(v, brainLevel * (0.5 + (((o * 7919) % 1009) / 1009) * 3)),
      (v) => v / 2,
    ),
    'another head inside': change(
      (v, o) => Math.max(v, Math.abs(volume.data[volume.data.length - 1 - o] as number) + 0.5 * brainLevel),
      (v) => v / 3,
    ),
  };
}
