/**
 * Loose pieces of what the generator draws, taken away: a streak in the air beside the cheek is no part of a head.
 *
 * @example
 * const head = largestPiece(image, share, 64);
 */
import { IDENTITY } from '../../volume/affine.js';
import { largestComponent } from '../../volume/components.js';
import { dilateMm } from '../../volume/morphology.js';
import type { Grid } from '../../volume/volume.js';

/** Brain levels; skin is drawn at 0.3 and more, haze in the air below 0.1. */
const TISSUE = 0.15;

/**
 * The largest piece of tissue and brain, and the voxels that touch it (the skin's edge is there); 0 elsewhere.
 * @param image n^3, brain levels @param share of brain in each voxel, 0 to 1
 */
export function largestPiece(image: Float32Array, share: Float32Array, n: number): Float32Array {
  const grid: Grid = { shape: [n, n, n], affine: IDENTITY };
  const solid = new Uint8Array(image.length);
  for (let v = 0; v < solid.length; v++)
    solid[v] = (image[v] as number) > TISSUE || (share[v] as number) > 0.5 ? 1 : 0;
  // 1.8 voxels: all 26 neighbours.
  const near = dilateMm(largestComponent({ grid, data: solid }), 1.8).data;
  const out = new Float32Array(image.length);
  for (let v = 0; v < out.length; v++) if (near[v] === 1) out[v] = image[v] as number;
  return out;
}
