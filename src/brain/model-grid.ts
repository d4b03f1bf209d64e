/**
 * The model grid of the design: a 256 mm cube posed on the brain, its centre 22 mm in front of and 30 mm below the
 * brain's centre, so that the tip of the nose and the chin lie inside (measured on 60 heads; see design).
 *
 * @example
 * const grid = modelGrid(head.pose, 128);
 */
import { CUBE_CENTRE_MM, CUBE_EDGE_MM } from '../contract/contract.js';
import type { Affine } from '../volume/affine.js';
import { cubeGrid, type Grid } from '../volume/volume.js';

export { CUBE_CENTRE_MM as MODEL_CENTRE, CUBE_EDGE_MM as MODEL_EDGE_MM };

/** `resolution` voxels along an edge: 128 (2 mm) or 256 (1 mm). */
export function modelGrid(pose: Affine, resolution: number): Grid {
  return cubeGrid(pose, CUBE_CENTRE_MM, resolution, CUBE_EDGE_MM / resolution);
}
