/**
 * One head on the model grid, exactly as the pipeline will see it, for the training package: the seam between
 * TypeScript and Python. Nothing is preprocessed twice.
 *
 * @example
 * const sample = prepareHead(volume, mask, 128, labels);
 */

import { BYTES_PER_LEVEL, FLAG } from '../contract/contract.js';
import { sampleNearest } from '../volume/nearest.js';
import { coverage, resampleLinear } from '../volume/resample.js';
import type { Grid, Volume, VoxelArray } from '../volume/volume.js';
import type { Head } from './head.js';
import { headMask } from './head-mask.js';
import { modelGrid } from './model-grid.js';

export interface PreparedHead {
  readonly grid: Grid;
  /** round(BYTES_PER_LEVEL * value / brain level), clamped to 0..255; air keeps its noise. */
  readonly image: Uint8Array;
  /** Brain, filled head, inside the scan's field of view: see FLAG. */
  readonly flags: Uint8Array;
  /** Labels by nearest neighbour, where a label map was given. */
  readonly labels?: Uint8Array;
}

/** @param resolution voxels along the 256 mm edge of the posed model cube */
export function prepareHead(head: Head, resolution: number, labels?: Volume<VoxelArray>): PreparedHead {
  return prepareOn(head, modelGrid(head.pose, resolution), labels);
}

/** The same on any grid. */
export function prepareOn(head: Head, grid: Grid, labels?: Volume<VoxelArray>): PreparedHead {
  const values = resampleLinear(head.volume, grid);
  const brain = resampleLinear(head.brainMask, grid);
  const outline = resampleLinear(headMask(head.volume, head.brainLevel), grid);
  const covered = coverage(head.volume.grid, grid);
  const image = Uint8Array.from(values, (v) =>
    Math.max(0, Math.min(255, Math.round((BYTES_PER_LEVEL * v) / head.brainLevel))),
  );
  const flags = Uint8Array.from(
    covered,
    (c, o) =>
      (c ? FLAG.covered : 0) |
      ((brain[o] as number) > 0.5 ? FLAG.brain : 0) |
      ((outline[o] as number) > 0.5 ? FLAG.head : 0),
  );
  return labels === undefined
    ? { grid, image, flags }
    : { grid, image, flags, labels: sampleNearest(labels, grid) };
}
