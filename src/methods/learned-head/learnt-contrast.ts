/**
 * The networks have seen T1-weighted brains of one protocol. A brain of another contrast is shown to them as it would look
 * there: each voxel's chance to be fluid, grey or white matter, in the brightness that those have in the training heads.
 * Brain voxels alone take part (promise P1).
 *
 * @example
 * const gamma = inLearntContrast(brainConditioning(head), head, 'auto');
 */
import type { Head } from '../../brain/head.js';
import { type ContrastChoice, LEARNT } from '../../brain/protocol.js';
import { type Contrast, contrastOf, fitTissues, TISSUES, tissueShares } from '../../brain/tissues.js';
import { Refusal } from '../../errors/errors.js';
import type { BrainConditioning } from '../method.js';
import { brainBlocks } from './grid.js';
import { MIN_T1_CORRELATION, t1Correlation } from './t1-likeness.js';

/** What the scan is, where that was said or the brain looks T1-weighted at once; else undefined. */
function contrastIn(gamma: BrainConditioning, choice: ContrastChoice): Contrast | undefined {
  if (choice !== 'auto') return choice;
  // A brain whose tissues have the order of T1 is one even where it correlates poorly (steep bias, lesions).
  return t1Correlation(brainBlocks(gamma)) >= MIN_T1_CORRELATION ? 't1w' : undefined;
}

/**
 * @throws {Refusal} contrast-unsupported where the brain has no tissues that could be told apart
 */
export function inLearntContrast<G extends BrainConditioning>(
  gamma: G,
  head: Head,
  choice: ContrastChoice,
): G {
  const known = contrastIn(gamma, choice);
  if (known === 't1w') return gamma;
  const fit = fitTissues(head.volume, head.brainMask, head.pose, head.scale);
  if (fit === undefined)
    throw new Refusal(
      'contrast-unsupported',
      'expected a brain in which fluid, grey and white matter can be told apart, found all of it alike; quickshear, face-mask and watershed take any contrast',
    );
  if (known === undefined && contrastOf(fit) === 't1w') return gamma;
  const { brain, mask, pose } = gamma;
  const values = Float32Array.from(brain.data, (v) => v * head.brainLevel);
  const shares = tissueShares(
    { grid: brain.grid, data: values },
    pose,
    head.scale,
    fit,
    mask.data as Float32Array,
  );
  const data = new Float32Array(values.length);
  for (let v = 0; v < data.length; v++) {
    if (!((mask.data[v] as number) > 0.5)) continue;
    let level = 0;
    for (let t = 0; t < 3; t++)
      level += (shares[3 * v + t] as number) * LEARNT[TISSUES[t] as (typeof TISSUES)[number]];
    data[v] = level;
  }
  return { ...gamma, brain: { grid: brain.grid, data } };
}
