/**
 * From a label map (DLMUSE) to the brain mask that is taught and protected: everything labelled, closed by 4 mm so
 * that sulci belong to the brain, largest piece, holes filled.
 *
 * @example
 * const mask = maskFromLabels(labels);
 */
import { largestComponent } from '../volume/components.js';
import { closeMm, fillHoles } from '../volume/morphology.js';
import type { Mask, Volume, VoxelArray } from '../volume/volume.js';

/** @param closingMm sulci narrower than twice this belong to the brain */
export function maskFromLabels(labels: Volume<VoxelArray>, closingMm = 4.1): Mask {
  const mask: Mask = {
    grid: labels.grid,
    data: Uint8Array.from(labels.data as Float32Array, (v) => (v > 0 ? 1 : 0)),
  };
  return fillHoles(largestComponent(closeMm(mask, closingMm)));
}
