/**
 * CP-MAE (Van der Goten and Smith, MICCAI 2024): the brain is coded by one VQ-VAE, the codes of everything else are
 * drawn by a masked autoencoder that sees the brain's codes alone, and a second VQ-VAE's decoder makes a head of them.
 *
 * What differs from the paper (its sizes are not published; docs/decisions has the reasons): codes of two levels, one for each
 * 32 mm site and one for each 16 mm site, the face's drawn before the brain is shown, a decoder that also sees the brain, and that moves and brightens a learned head instead of painting voxels, a
 * Gaussian residual on its fields for what the codes leave open, and at 1 mm a texture decoder for the fine detail.
 *
 * gamma is the brain mask, the brain's voxels divided by their median, and the pose; the subject's complement is never
 * encoded: its encoder e2 does not ship.
 */
import { skinRadii } from '../../brain/cranium.js';
import type { Head } from '../../brain/head.js';
import type { Tensor } from '../../networks/runner.js';
import { Random } from '../../volume/random.js';
import type { Volume } from '../../volume/volume.js';
import { brainConditioning } from '../brain-conditioning.js';
import { fitBrain } from '../learned-head/brain-fit.js';
import { brainKey } from '../learned-head/brain-key.js';
import { brainBlocks, brainTensor, trimmedGrid, trimmedMask } from '../learned-head/grid.js';
import { drawSpare, keptInView } from '../learned-head/in-view.js';
import { learnedHead } from '../learned-head/learned-head.js';
import { inLearntContrast } from '../learned-head/learnt-contrast.js';
import { chinOf, endNeck } from '../learned-head/neck.js';
import { guardScalp } from '../learned-head/scalp.js';
import { addTexture } from '../learned-head/texture.js';
import { drawnTissues, TISSUE_MODEL } from '../learned-head/tissue-map.js';
import type { BrainConditioning, MethodContext, RemodellingMethod, Seed } from '../method.js';
import type { DrawnHead } from '../tissues.js';
import { codeFeeds, drawCodes, noCodes, tensorOf } from './draw-codes.js';
import { meetCranium } from './meet-cranium.js';
import { addThickness, drawThickness, type Thickness } from './scalp-thickness.js';
import { DECODER_MODEL, installedCodes, LOGITS_MODEL, MASKED_MODEL, RESIDUAL_MODEL } from './sites.js';
import { bareness, SEEN_VOXELS, thickened } from './thin-scalp.js';

/** Scores beyond this are drawn again: no head of the training set lies further out on a component. */
const MAX_SCORE = 2.5;

/** Standard normal scores of the components. */
function drawScores(random: Random, components: number): Tensor {
  const data = new Float32Array(components);
  for (let i = 0; i < components; i++) {
    let score = random.normal();
    while (Math.abs(score) > MAX_SCORE) score = random.normal();
    data[i] = score;
  }
  return { data, shape: [1, components] };
}

function sum(a: Tensor, b: Tensor): Tensor {
  const data = new Float32Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (a.data[i] as number) + (b.data[i] as number);
  return { data, shape: a.shape };
}

async function condition(head: Head, context: MethodContext): Promise<BrainConditioning> {
  const { grid: scan } = head.volume;
  const gamma = { ...inLearntContrast(brainConditioning(head), head, context.contrast ?? 'auto'), scan };
  if (context.keep !== 'cranium') return gamma;
  return { ...gamma, cranium: skinRadii(head.volume, head.brainLevel, head.pose) };
}

interface DrawnFields {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Skull and scalp of a drawn thickness; where the cranium stays, of the one that it has. */
async function loosen(
  gamma: BrainConditioning,
  onBrain: DrawnFields,
  logFactor: Tensor,
  blocks: Float32Array,
  free: Thickness,
  { networks, signal }: MethodContext,
): Promise<DrawnFields> {
  const moved = (thickness: Thickness) => ({
    ...onBrain,
    data: addThickness(onBrain.data, blocks, thickness),
  });
  const { cranium } = gamma;
  if (cranium === undefined) return moved(free);
  const missing = new Float32Array(cranium.length);
  let now = onBrain;
  // The second time takes in what the first missed: the shell is stretched along rays, skin lies across them.
  for (let round = 0; round < 2; round++) {
    const data = await learnedHead(networks, { displacement: now, logFactor }, 128, signal);
    const drawn = skinRadii({ grid: trimmedGrid(gamma.pose, 128), data }, 1, gamma.pose);
    for (let i = 0; i < missing.length; i++)
      missing[i] = (missing[i] as number) + (cranium[i] as number) - (drawn[i] as number);
    now = moved(meetCranium(missing, free));
  }
  return now;
}

/** The face within what the scan covers; where the cranium stays, as it was drawn to meet it. */
function inView(
  { scan, pose, cranium }: BrainConditioning,
  spareMm: number,
  fields: DrawnFields,
): DrawnFields {
  if (scan === undefined || cranium !== undefined) return fields;
  return { ...fields, data: keptInView(fields.data, scan, pose, spareMm) };
}

/** @param mean no codes and no residual: the decoder's best guess of the owner */
async function synthesize(
  gamma: BrainConditioning,
  seed: Seed,
  context: MethodContext,
  mean: boolean,
): Promise<DrawnHead> {
  const { networks, signal } = context;
  const blocks = brainBlocks(gamma);
  // The brain takes part, or one seed for a whole data set would give all its heads one face.
  const random = new Random(seed).fork(`cp-mae ${brainKey(blocks)}`);
  const installed = await installedCodes(networks);
  const brain = brainTensor(blocks);
  const codes = mean ? noCodes(installed) : await drawCodes(installed, brain, blocks, random, context);

  context.onStage?.('decode');
  const decoded = await networks.run(DECODER_MODEL, { ...codeFeeds(installed, codes), brain }, signal);
  let displacement = tensorOf(decoded, 'displacement');
  let logFactor = tensorOf(decoded, 'gain');
  if (!mean) {
    const scores = drawScores(random.fork('shape residual'), installed.components);
    const residual = await networks.run(RESIDUAL_MODEL, { scores, brain }, signal);
    displacement = sum(displacement, tensorOf(residual, 'displacement'));
    logFactor = sum(logFactor, tensorOf(residual, 'gain'));
  }
  const onBrain = { data: fitBrain(displacement.data as Float32Array, blocks), shape: displacement.shape };
  const mask = trimmedMask(gamma);
  const draw = async (fields: Tensor, resolution: 128 | 256): Promise<Volume> => ({
    grid: trimmedGrid(gamma.pose, resolution),
    data: await learnedHead(networks, { displacement: fields, logFactor }, resolution, signal),
  });
  const free = drawThickness(random.fork('thickness'));
  const spare = drawSpare(random.fork('in view'));
  let fitted: Tensor = mean
    ? onBrain
    : inView(gamma, spare, await loosen(gamma, onBrain, logFactor, blocks, free, context));
  let drawn = await draw(fitted, context.resolution);
  if (guardScalp(drawn, mask) > SEEN_VOXELS && !mean && gamma.cranium === undefined) {
    const skin = skinRadii(await draw(fitted, 128), 1, gamma.pose);
    const brainAt = skinRadii({ grid: mask.grid, data: Float32Array.from(mask.data) }, 1, gamma.pose);
    const thicker = thickened(free, bareness(brainAt, skin));
    fitted = inView(gamma, spare, await loosen(gamma, onBrain, logFactor, blocks, thicker, context));
    drawn = await draw(fitted, context.resolution);
    guardScalp(drawn, mask);
  }
  if (!mean) endNeck(drawn, chinOf(fitted.data as Float32Array), random.fork('neck'));
  if (context.resolution === 256) {
    context.onStage?.('texture');
    await addTexture(drawn, networks, random.fork('texture'), signal);
  }
  return { ...drawn, tissues: () => drawnTissues(networks, fitted, drawn, signal) };
}

export const cpMae: RemodellingMethod<BrainConditioning> = {
  kind: 'remodel',
  name: 'cp-mae',
  reference:
    'Van der Goten and Smith, Privacy Protection in MRI Scans Using 3D Masked Autoencoders, MICCAI 2024, LNCS 15007',
  models: [
    'brain-encoder',
    MASKED_MODEL,
    LOGITS_MODEL,
    DECODER_MODEL,
    RESIDUAL_MODEL,
    'head-128',
    'head-256',
    'texture',
    TISSUE_MODEL,
  ],
  options: { keep: ['brain', 'cranium'] },
  condition,
  synthesize: (gamma, seed, context) => synthesize(gamma, seed, context, false),
};

/**
 * The conditional mean head: a warning row of the evaluation, never a result. It is the best guess of its owner that the
 * brain allows, and in first trials 72 % of owners were found by its shape; so it is in no registry.
 */
export const cpMaeMean: RemodellingMethod<BrainConditioning> = {
  ...cpMae,
  name: 'cp-mae-mean',
  synthesize: (gamma, seed, context) => synthesize(gamma, seed, context, true),
};
