/**
 * C-DeID-GAN (ICLR 2021 submission), later CP-GAN (Van der Goten et al., BMVC 2021): a generator of growing scales,
 * each conditioned on gamma at its resolution, draws a head around the brain.
 *
 * gamma is the brain, its mask and the convex hull of the head. The hull is the one thing in it that does not come from
 * the brain: the coarse outline of the head stays known (docs/decisions/0009). What of chance is in the hull comes from
 * a fixed seed, so that it is the same for the same head whatever the seed of the face.
 */
import { modelGrid } from '../../brain/model-grid.js';
import { Failure } from '../../errors/errors.js';
import type { ModelDescription } from '../../networks/catalogue.js';
import type { Tensor } from '../../networks/runner.js';
import { Random } from '../../volume/random.js';
import { brainKey } from '../learned-head/brain-key.js';
import { brainBlocks } from '../learned-head/grid.js';
import { TISSUE_MODEL } from '../learned-head/tissue-map.js';
import type { MethodContext, RemodellingMethod, Seed } from '../method.js';
import type { DrawnHead } from '../tissues.js';
import { continueInwards } from './continue-inwards.js';
import { channelsAt, channelsOf, condition, type GanConditioning, SIZE } from './gamma.js';
import { largestPiece } from './largest-piece.js';
import { moveLearnedHead } from './move-learned-head.js';
import { averagePool } from './pooling.js';
import { SCALE_LIMITS, scaleHull } from './scale.js';
import { upsampleCubic } from './upsample.js';

const NETWORK = 'cp-gan-generator';

/** The sizes that the installed network has: its noise, its scales in growing order. */
function sizesOf({ inputs }: ModelDescription): { noise: readonly number[]; scales: number[] } {
  const noise = inputs.find(({ name }) => name === 'noise')?.shape.map(Number) ?? [];
  const scales = inputs
    .map(({ name }) => Number(/^gamma_(\d+)$/.exec(name)?.[1]))
    .filter((n) => n > 0 && SIZE % n === 0)
    .sort((a, b) => a - b);
  if (noise.length === 0 || noise.some((n) => !(n > 0)) || scales.length !== inputs.length - 1)
    throw new Failure(
      'model-corrupt',
      `models/${NETWORK}/model.json describes no generator; expected noise and gamma_N with N a divisor of ${SIZE}`,
    );
  return { noise, scales };
}

/**
 * The head that the network draws around a brain, in brain levels (1 = the brain's median), at `resolution` on the model
 * cube. Where the mask is, nothing of use: the brain belongs there. A network that returns an image is the paper's; one
 * that returns a displacement and a log intensity factor (`gain`) moves the learned head (docs/decisions/0014).
 */
export async function drawHead(
  gamma: GanConditioning,
  random: Random,
  context: MethodContext,
): Promise<DrawnHead> {
  const { networks, resolution, signal, onStage } = context;
  const { noise, scales } = sizesOf(await networks.describe(NETWORK));
  onStage?.('pool');
  const feeds: Record<string, Tensor> = {};
  const normals = random.fork('noise');
  const count = noise.reduce((product, n) => product * n, 1);
  feeds.noise = { data: Float32Array.from({ length: count }, () => normals.normal()), shape: noise };
  const channels = channelsOf(gamma);
  for (const n of scales) feeds[`gamma_${n}`] = channelsAt(channels, n, random.fork(`gamma ${n}`));
  onStage?.('generate');
  const outputs = await networks.run(NETWORK, feeds, signal);
  if (outputs.displacement !== undefined) return moveLearnedHead(outputs, gamma, random, context);
  const { image } = outputs;
  const size = scales.at(-1) ?? 0;
  if (image === undefined || image.data.length !== size ** 3)
    throw new Failure('network-failed', `${NETWORK} returned no displacement and no image of ${size}^3`);
  onStage?.('upsample');
  const share = averagePool(channels.mask, SIZE, SIZE / size);
  const head = largestPiece(image.data as Float32Array, share, size);
  const whole = continueInwards(head, share, size);
  return { grid: modelGrid(gamma.pose, resolution), data: upsampleCubic(whole, size, resolution) };
}

async function synthesize(gamma: GanConditioning, seed: Seed, context: MethodContext): Promise<DrawnHead> {
  const blocks = brainBlocks(gamma);
  // The brain takes part, or one seed for a whole data set would give all its heads the same noise.
  const random = new Random(seed).fork(`cp-gan ${brainKey(blocks)}`);
  return drawHead(scaleHull(gamma, context.scale ?? 1), random, context);
}

export const cpGan: RemodellingMethod<GanConditioning> = {
  kind: 'remodel',
  name: 'cp-gan',
  reference:
    'Van der Goten, Hepp, Akata and Smith, Conditional De-Identification of 3D Magnetic Resonance Images, BMVC 2021; Adversarial Privacy Preservation in MRI Scans of the Brain, ICLR 2021 submission',
  models: [NETWORK, 'head-128', 'head-256', 'texture', TISSUE_MODEL],
  caution:
    'the outline of the head stays the one of the owner, who can be recognised by it: for studies, its results are not for release',
  conditioning: 'brain and convex hull',
  options: { scale: SCALE_LIMITS },
  condition,
  synthesize,
};
