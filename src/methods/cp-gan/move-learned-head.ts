/**
 * The head of a generator that moves the learned head instead of painting one (docs/decisions/0014): fitted to its brain,
 * with a scalp nowhere too thin, a drawn end of the neck and, at 1 mm, the drawn texture, as in cp-mae.
 *
 * @example
 * const head = await moveLearnedHead(await networks.run('cp-gan-generator', feeds), gamma, random, context);
 */
import { FIELD_COUNT } from '../../contract/contract.js';
import { Failure } from '../../errors/errors.js';
import type { Tensor } from '../../networks/runner.js';
import type { Random } from '../../volume/random.js';
import type { Volume } from '../../volume/volume.js';
import { fitBrain } from '../learned-head/brain-fit.js';
import { brainBlocks, trimmedGrid, trimmedMask } from '../learned-head/grid.js';
import { learnedHead } from '../learned-head/learned-head.js';
import { chinOf, endNeck } from '../learned-head/neck.js';
import { guardScalp } from '../learned-head/scalp.js';
import { addTexture } from '../learned-head/texture.js';
import { drawnTissues } from '../learned-head/tissue-map.js';
import type { BrainConditioning, MethodContext } from '../method.js';
import type { DrawnHead } from '../tissues.js';

/**
 * @param outputs `displacement` [1, 3, 64, 64, 48] in normalised coordinates and `gain` [1, 1, 64, 64, 48], a logarithm
 * @returns brain levels on the trimmed model grid
 * @throws {Failure} network-failed
 */
export async function moveLearnedHead(
  { displacement, gain: logFactor }: Readonly<Record<string, Tensor>>,
  gamma: BrainConditioning,
  random: Random,
  { networks, resolution, signal, onStage }: MethodContext,
): Promise<DrawnHead> {
  if (displacement?.data.length !== 3 * FIELD_COUNT || logFactor?.data.length !== FIELD_COUNT)
    throw new Failure(
      'network-failed',
      'the generator returned no displacement and gain of the size of the fields',
    );
  onStage?.('decode');
  const blocks = brainBlocks(gamma);
  const onBrain = {
    data: fitBrain(displacement.data as Float32Array, blocks),
    shape: displacement.shape,
  };
  const drawn: Volume = {
    grid: trimmedGrid(gamma.pose, resolution),
    data: await learnedHead(networks, { displacement: onBrain, logFactor }, resolution, signal),
  };
  guardScalp(drawn, trimmedMask(gamma));
  endNeck(drawn, chinOf(onBrain.data), random.fork('neck'));
  if (resolution === 256) {
    onStage?.('texture');
    await addTexture(drawn, networks, random.fork('texture'), signal);
  }
  return { ...drawn, tissues: () => drawnTissues(networks, onBrain, drawn, signal) };
}
