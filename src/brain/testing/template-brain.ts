/**
 * The average brain as a mask on any grid in any place, for tests of pose, plausibility and extraction: it has the
 * shape that is expected, so that what a test changes is what decides.
 *
 * @example
 * const mask = templateBrain(grid, multiply(translation(10, 0, 0), rotation([0.2, 0, 0])));
 */
import { type Affine, IDENTITY, multiply } from '../../volume/affine.js';
import { resampleLinear } from '../../volume/resample.js';
import { cubeGrid, type Grid, type Mask } from '../../volume/volume.js';
import { brainTemplate, templateGrid } from '../template.js';

/** A cube of `spacing` mm voxels that holds the brain wherever a test turns it. */
export function roomyGrid(spacing: number, edge = 224): Grid {
  return cubeGrid(IDENTITY, [0, 0, 0], Math.round(edge / spacing), spacing);
}

/** @param motion from the brain frame to world mm, rigid */
export function templateBrain(grid: Grid, motion: Affine): Mask {
  const template = templateGrid();
  const moved = { shape: template.shape, affine: multiply(motion, template.affine) };
  const soft = resampleLinear({ grid: moved, data: brainTemplate().data }, grid);
  return { grid, data: Uint8Array.from(soft, (v) => (v > 0.5 ? 1 : 0)) };
}
