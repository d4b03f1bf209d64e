/**
 * The brain's part of gamma, which all remodelling methods share: the brain and its mask on the model cube at 2 mm.
 *
 * @example
 * const gamma = brainConditioning(head);
 */
import type { Head } from '../brain/head.js';
import { modelGrid } from '../brain/model-grid.js';
import { resampleLinear } from '../volume/resample.js';
import { tissueBlocks } from '../volume/tissue-blocks.js';
import type { BrainConditioning } from './method.js';

/** From brain voxels alone: no other voxel of the head takes part in a value (promise P1). */
export function brainConditioning(head: Head): BrainConditioning {
  const grid = modelGrid(head.pose, 128);
  const inside = new Float32Array(head.volume.data.length);
  for (let v = 0; v < inside.length; v++)
    if (head.brainMask.data[v] !== 0) inside[v] = (head.volume.data[v] as number) / head.brainLevel;
  const tissue = tissueBlocks(head.brainMask.data, head.brainMask.grid.shape);
  const mask = resampleLinear(head.brainMask, grid, { tissue });
  const brain = resampleLinear({ grid: head.volume.grid, data: inside }, grid, { tissue });
  // Brain voxels only: at the rim, zeros from outside the mask must not darken the brain.
  for (let v = 0; v < brain.length; v++)
    brain[v] = (mask[v] as number) > 0.5 ? (brain[v] as number) / (mask[v] as number) : 0;
  return { brain: { grid, data: brain }, mask: { grid, data: mask }, pose: head.pose };
}
