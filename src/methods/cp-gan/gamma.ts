/**
 * gamma of C-DeID-GAN: the brain, its mask and the convex hull of the head, and how each scale of the generator sees them.
 *
 * @example
 * const feeds = { gamma_16: channelsAt(channelsOf(await condition(head)), 16, random) };
 */
import type { Head } from '../../brain/head.js';
import { modelGrid } from '../../brain/model-grid.js';
import { MAX_LEVEL } from '../../contract/contract.js';
import type { Tensor } from '../../networks/runner.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import type { Mask } from '../../volume/volume.js';
import { brainConditioning } from '../brain-conditioning.js';
import { inLearntContrast } from '../learned-head/learnt-contrast.js';
import type { BrainConditioning, MethodContext, Seed } from '../method.js';
import { convexHull } from './hull.js';
import { averagePool, probabilisticPool } from './pooling.js';
import { binaryHead } from './surface.js';

export interface GanConditioning extends BrainConditioning {
  /** c(x): 1 inside the convex hull of the head; the grid of the brain. */
  readonly hull: Mask;
}

/** gamma's own resolution, from which every scale is drawn. */
export const SIZE = 128;
/** Of nobody: the hull's chance is the same for everyone. */
const HULL_SEED: Seed = sha256(new TextEncoder().encode('convex hull of cp-gan'));

export async function condition(
  head: Head,
  { contrast = 'auto' }: Pick<MethodContext, 'contrast'> = {},
): Promise<GanConditioning> {
  const gamma = inLearntContrast(brainConditioning(head), head, contrast);
  const hull = convexHull(binaryHead(head), new Random(HULL_SEED), modelGrid(head.pose, SIZE));
  return { ...gamma, hull };
}

/** The three channels at full resolution, 128^3 each: hull and mask are zeros and ones, the brain 0 around its mask. */
export interface Channels {
  readonly hull: Uint8Array;
  readonly mask: Uint8Array;
  readonly brain: Float32Array;
}

export function channelsOf(gamma: GanConditioning): Channels {
  // Loops: the callbacks of map cost 60 ns a voxel.
  const mask = new Uint8Array(gamma.mask.data.length);
  const brain = new Float32Array(mask.length);
  for (let v = 0; v < mask.length; v++) {
    if (!((gamma.mask.data[v] as number) > 0.5)) continue;
    mask[v] = 1;
    brain[v] = Math.min(MAX_LEVEL, Math.max(0, gamma.brain.data[v] as number));
  }
  return { hull: gamma.hull.data, mask, brain };
}

/**
 * gamma at one scale, [1, 3, n, n, n]: hull and mask by chance, the brain by means.
 * @param n voxels along an edge, a divisor of 128
 */
export function channelsAt({ hull, mask, brain }: Channels, n: number, random: Random): Tensor {
  const factor = SIZE / n;
  const data = new Float32Array(3 * n ** 3);
  data.set(probabilisticPool(hull, SIZE, factor, random), 0);
  data.set(probabilisticPool(mask, SIZE, factor, random), n ** 3);
  data.set(averagePool(brain, SIZE, factor), 2 * n ** 3);
  return { data, shape: [1, 3, n, n, n] };
}
