/**
 * The lattice of CP-MAE's codes on the trimmed model grid and the codebook, as the installed networks have them: what
 * `models/NAME/model.json` says, so that networks trained with other sites, another codebook or more components can be
 * dropped in.
 *
 * @example
 * const { sites, fineSites, book } = await installedCodes(networks);
 * const means = siteMeans(brainBlocks(gamma), sites); // [2, 8, 8, 6] of the networks that ship
 */
import { COMPLEMENT_LEVELS, FIELD_COUNT, FIELD_SHAPE } from '../../contract/contract.js';
import { Failure } from '../../errors/errors.js';
import type { ModelDescription } from '../../networks/catalogue.js';
import type { NetworkRunner } from '../../networks/runner.js';
import { FsqCodebook } from './fsq.js';

/** Sites of the code lattice: right-left, back-front, down-up. */
export interface Sites {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly count: number;
}

export interface InstalledCodes {
  readonly sites: Sites;
  /** Of the second level. */
  readonly fineSites: Sites;
  /** Numbers of the masked autoencoder's latent. */
  readonly latent: number;
  /** Of the complement's codes. */
  readonly book: FsqCodebook;
  /** Principal components of what the codes leave open. */
  readonly components: number;
}

export const MASKED_MODEL = 'masked-autoencoder';
/** Its second half: a latent to logits. */
export const LOGITS_MODEL = 'masked-autoencoder-codes';
export const DECODER_MODEL = 'complement-decoder';
export const RESIDUAL_MODEL = 'shape-residual';

type FiveSizes = [number, number, number, number, number];

function wrong(name: string, expected: string, found: string): Failure {
  return new Failure('model-corrupt', `models/${name}/model.json: expected ${expected}, found ${found}`);
}

/** Sizes of a tensor that has none left open. */
function sizesOf(
  { name, inputs, outputs }: ModelDescription,
  side: 'inputs' | 'outputs',
  tensor: string,
  rank: number,
): number[] {
  const shape = (side === 'inputs' ? inputs : outputs).find((entry) => entry.name === tensor)?.shape ?? [];
  const sizes = shape.filter((n): n is number => typeof n === 'number');
  if (sizes.length !== rank || shape.length !== rank)
    throw wrong(name, `"${tensor}" among its ${side} with ${rank} fixed sizes`, `[${shape.join(', ')}]`);
  return sizes;
}

/** The values per channel that a network names in its settings, or those of the contract. */
function levelsOf({ name, settings }: ModelDescription): readonly number[] {
  const { levels } = settings;
  if (levels === undefined) return COMPLEMENT_LEVELS;
  if (Array.isArray(levels) && levels.length > 0 && levels.every((n) => Number.isInteger(n) && n > 1))
    return levels as readonly number[];
  throw wrong(name, 'whole numbers above 1 as settings.levels', JSON.stringify(levels));
}

/** A lattice of codes, as the masked autoencoder takes them. */
function sitesOf(masked: ModelDescription, tensor: string, book: FsqCodebook): Sites {
  const [, channels, z, y, x] = sizesOf(masked, 'inputs', tensor, 5) as FiveSizes;
  if ([x, y, z].some((n, axis) => (FIELD_SHAPE[axis] as number) % n !== 0))
    throw wrong(
      masked.name,
      `"${tensor}" of sites that divide ${FIELD_SHAPE.join(' x ')} voxels`,
      `${x} x ${y} x ${z}`,
    );
  if (channels !== book.levels.length)
    throw wrong(masked.name, `${book.levels.length} channels in "${tensor}"`, `${channels}`);
  return { x, y, z, count: x * y * z };
}

/**
 * @throws {Failure} model-corrupt where the networks do not fit each other or the lattice of the fields
 * @throws {Refusal} model-unavailable
 */
export async function installedCodes(networks: NetworkRunner): Promise<InstalledCodes> {
  const [masked, logits, decoder, residual] = await Promise.all([
    networks.describe(MASKED_MODEL),
    networks.describe(LOGITS_MODEL),
    networks.describe(DECODER_MODEL),
    networks.describe(RESIDUAL_MODEL),
  ]);
  const book = new FsqCodebook(levelsOf(masked));
  const [sites, fineSites] = [sitesOf(masked, 'coarse', book), sitesOf(masked, 'fine', book)];
  const [, latent] = sizesOf(masked, 'outputs', 'evidence', 2) as [number, number];
  const must = (
    model: ModelDescription,
    side: 'inputs' | 'outputs',
    tensor: string,
    expected: number[],
  ): void => {
    const found = sizesOf(model, side, tensor, expected.length + 1).slice(1);
    if (found.join() !== expected.join() || levelsOf(model).join() !== book.levels.join())
      throw wrong(
        model.name,
        `"${tensor}" of ${expected.join(' x ')} with levels ${book.levels.join(', ')}`,
        `${found.join(' x ')} with levels ${levelsOf(model).join(', ')}`,
      );
  };
  must(masked, 'outputs', 'precision', [latent, latent]);
  must(logits, 'inputs', 'z', [latent]);
  must(logits, 'outputs', 'coarse', [sites.count, book.size]);
  must(logits, 'outputs', 'fine', [fineSites.count, book.size]);
  const shape = ({ x, y, z }: Sites): number[] => [book.levels.length, z, y, x];
  must(decoder, 'inputs', 'codes', shape(sites));
  must(decoder, 'inputs', 'fine', shape(fineSites));
  const [, components] = sizesOf(residual, 'inputs', 'scores', 2) as [number, number];
  return { sites, fineSites, latent, book, components };
}

/** Means over each site's block of voxels: [2, 64, 64, 48] to [2, z, y, x]. */
export function siteMeans(blocks: Float32Array, sites: Sites): Float32Array {
  const out = new Float32Array(2 * sites.count);
  const [nx, ny, nz] = FIELD_SHAPE;
  const [bx, by, bz] = [nx / sites.x, ny / sites.y, nz / sites.z];
  const size = FIELD_COUNT / sites.count;
  for (let v = 0; v < blocks.length; v++) {
    const x = v % nx;
    const y = ((v / nx) | 0) % ny;
    const rest = (v / (nx * ny)) | 0;
    const z = rest % nz;
    const channel = (rest / nz) | 0;
    const o = ((x / bx) | 0) + sites.x * (((y / by) | 0) + sites.y * (((z / bz) | 0) + sites.z * channel));
    out[o] = (out[o] as number) + (blocks[v] as number) / size;
  }
  return out;
}
