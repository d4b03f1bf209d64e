/**
 * Draws both levels of the complement's codes (32 mm, then 16 mm) with the masked autoencoders: the face first, from people
 * in general, for neither the brain nor what fits it is shown; then everything else, given that face and the brain.
 *
 * @example
 * const codes = await drawCodes(installed, brain, blocks, random, context);
 * const fields = await networks.run(DECODER_MODEL, { ...codeFeeds(installed, codes), brain });
 */
import { Failure } from '../../errors/errors.js';
import type { Tensor } from '../../networks/runner.js';
import type { Random } from '../../volume/random.js';
import type { MethodContext } from '../method.js';
import { faceSites } from './face-sites.js';
import type { FsqCodebook } from './fsq.js';
import { type Drawn, type SamplingOptions, sampleCodes, undrawn } from './sampler.js';
import { FINE_MASKED_MODEL, type InstalledCodes, MASKED_MODEL, type Sites, siteMeans } from './sites.js';

/** Chosen on val draws: see docs/cp-mae-training.md. */
export const SAMPLING: Readonly<Record<'coarse' | 'fine', SamplingOptions>> = {
  coarse: { steps: 12, temperature: 1, choiceNoise: 4.5 },
  fine: { steps: 12, temperature: 1, choiceNoise: 4.5 },
};

/** Of both levels. */
export interface Codes {
  readonly coarse: Drawn;
  readonly fine: Drawn;
}

/** Output of a network. @throws {Failure} network-failed where it has none of that name */
export function tensorOf(outputs: Record<string, Tensor>, name: string): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Failure('network-failed', `a network returned no "${name}"`);
  return tensor;
}

/** [1, channels, z, y, x] values and [1, 1, z, y, x] keep mask of a level. */
function levelTensors(
  book: FsqCodebook,
  sites: Sites,
  { indices, kept }: Drawn,
): { values: Tensor; keep: Tensor } {
  const channels = book.levels.length;
  const values = new Float32Array(channels * sites.count);
  for (let s = 0; s < sites.count; s++)
    if (kept[s] === 1)
      book.values(indices[s] as number).forEach((value, c) => {
        values[c * sites.count + s] = value;
      });
  const axes = [sites.z, sites.y, sites.x];
  return {
    values: { data: values, shape: [1, channels, ...axes] },
    keep: { data: Float32Array.from(kept), shape: [1, 1, ...axes] },
  };
}

/** What the decoder takes of both levels. */
export function codeFeeds(
  { book, sites, fineSites }: InstalledCodes,
  codes: Codes,
): Record<'codes' | 'keep' | 'fine' | 'fine_keep', Tensor> {
  const coarse = levelTensors(book, sites, codes.coarse);
  const fine = levelTensors(book, fineSites, codes.fine);
  return { codes: coarse.values, keep: coarse.keep, fine: fine.values, fine_keep: fine.keep };
}

/** No codes: the decoder's best guess. */
export function noCodes({ sites, fineSites }: InstalledCodes): Codes {
  return { coarse: undrawn(sites.count), fine: undrawn(fineSites.count) };
}

/**
 * @param blocks the brain at 4 mm, see `brainBlocks`; `brain` is the same as a tensor
 * @throws {Failure} network-failed
 */
export async function drawCodes(
  installed: InstalledCodes,
  brain: Tensor,
  blocks: Float32Array,
  random: Random,
  { networks, signal, onStage }: MethodContext,
): Promise<Codes> {
  const { book, sites, fineSites } = installed;
  const means: Tensor = { data: siteMeans(blocks, sites), shape: [1, 2, sites.z, sites.y, sites.x] };
  onStage?.('encode brain');
  const brainCodes = tensorOf(await networks.run('brain-encoder', { brain }, signal), 'codes');
  onStage?.('draw codes');

  const logits = async (model: string, feeds: Record<string, Tensor>): Promise<Float32Array> =>
    tensorOf(await networks.run(model, feeds, signal), 'logits').data as Float32Array;
  /** @param seen whether the brain is shown */
  const context = (seen: boolean): Record<string, Tensor> => ({
    brain_codes: brainCodes,
    brain_sites: means,
    seen: { data: Float32Array.of(seen ? 1 : 0), shape: [1, 1] },
  });
  const drawCoarse = (begun: Drawn, seen: boolean, wanted?: Uint8Array): Promise<Drawn> =>
    sampleCodes(
      begun,
      book.size,
      (indices, kept) => {
        const { values, keep } = levelTensors(book, sites, { indices, kept });
        return logits(MASKED_MODEL, { ...context(seen), codes: values, keep });
      },
      random,
      SAMPLING.coarse,
      wanted,
    );
  const drawFine = (coarse: Drawn, begun: Drawn, seen: boolean, wanted?: Uint8Array): Promise<Drawn> => {
    const known = levelTensors(book, sites, coarse);
    return sampleCodes(
      begun,
      book.size,
      (indices, kept) => {
        const { values, keep } = levelTensors(book, fineSites, { indices, kept });
        const given = { coarse: known.values, coarse_keep: known.keep };
        return logits(FINE_MASKED_MODEL, { ...context(seen), ...given, codes: values, keep });
      },
      random,
      SAMPLING.fine,
      wanted,
    );
  };

  const face = await drawCoarse(undrawn(sites.count), false, faceSites(sites));
  const fineFace = await drawFine(face, undrawn(fineSites.count), false, faceSites(fineSites));
  const coarse = await drawCoarse(face, true);
  return { coarse, fine: await drawFine(coarse, fineFace, true) };
}
