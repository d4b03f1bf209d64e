/**
 * Draws both levels of the complement's codes (32 mm, then 16 mm) with the masked autoencoder: the face first, from people
 * in general, for neither the brain nor what fits it is shown; then everything else, given that face and the brain, the
 * coarse codes before the fine ones.
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
import { type Drawn, drawLatent, drawPrior, drawSites, undrawn } from './sampler.js';
import { type InstalledCodes, LOGITS_MODEL, MASKED_MODEL, type Sites, siteMeans } from './sites.js';

/** Of the face's latent, in deviations of people's: chosen on val, so that draws are as unlike as strangers are. */
const FACE_SPREAD = 1.12;

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

  const { latent } = installed;
  /** A latent that agrees with the brain and the codes so far. */
  const agreeing = async ({ coarse, fine }: Codes): Promise<Float32Array> => {
    const [known, fineKnown] = [levelTensors(book, sites, coarse), levelTensors(book, fineSites, fine)];
    const posterior = await networks.run(
      MASKED_MODEL,
      {
        brain_codes: brainCodes,
        brain_sites: means,
        seen: { data: Float32Array.of(1), shape: [1, 1] },
        coarse: known.values,
        coarse_keep: known.keep,
        fine: fineKnown.values,
        fine_keep: fineKnown.keep,
      },
      signal,
    );
    const [precision, evidence] = [tensorOf(posterior, 'precision'), tensorOf(posterior, 'evidence')];
    return drawLatent(precision.data as Float32Array, evidence.data as Float32Array, random);
  };
  const logitsOf = async (z: Float32Array): Promise<{ coarse: Float32Array; fine: Float32Array }> => {
    const found = await networks.run(LOGITS_MODEL, { z: { data: z, shape: [1, latent] } }, signal);
    return {
      coarse: tensorOf(found, 'coarse').data as Float32Array,
      fine: tensorOf(found, 'fine').data as Float32Array,
    };
  };

  const somebody = await logitsOf(drawPrior(latent, random).map((v) => FACE_SPREAD * v));
  const face: Codes = {
    coarse: drawSites(undrawn(sites.count), somebody.coarse, book.size, random, faceSites(sites)),
    fine: drawSites(undrawn(fineSites.count), somebody.fine, book.size, random, faceSites(fineSites)),
  };
  const whole = await logitsOf(await agreeing(face));
  const coarse = drawSites(face.coarse, whole.coarse, book.size, random);
  const detail = await logitsOf(await agreeing({ coarse, fine: face.fine }));
  return { coarse, fine: drawSites(face.fine, detail.fine, book.size, random) };
}
