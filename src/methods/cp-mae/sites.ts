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
  /** Of the complement's codes. */
  readonly book: FsqCodebook;
  /** Principal components of what the codes leave open. */
  readonly components: number;
}

export const MASKED_MODEL = 'masked-autoencoder';
export const FINE_MASKED_MODEL = 'masked-autoencoder-fine';
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

/** Sites that a network draws codes for, with one distribution over its codebook for each. */
function drawnSites(masked: ModelDescription): { channels: number; sites: Sites; book: FsqCodebook } {
  const { name } = masked;
  const [, channels, z, y, x] = sizesOf(masked, 'inputs', 'codes', 5) as FiveSizes;
  const sites: Sites = { x, y, z, count: x * y * z };
  if ([x, y, z].some((n, axis) => (FIELD_SHAPE[axis] as number) % n !== 0))
    throw wrong(name, `sites that divide ${FIELD_SHAPE.join(' x ')} voxels`, `${x} x ${y} x ${z}`);
  const book = new FsqCodebook(levelsOf(masked));
  const found = [channels, ...sizesOf(masked, 'outputs', 'logits', 3).slice(1)];
  const expected = [book.levels.length, sites.count, book.size];
  if (expected.some((n, i) => n !== found[i]))
    throw wrong(
      name,
      `${expected[0]} channels and logits of ${expected[1]} x ${expected[2]} for a codebook of ${book.levels.join(' x ')}`,
      `${found[0]} and ${found[1]} x ${found[2]}`,
    );
  return { channels, sites, book };
}

/**
 * @throws {Failure} model-corrupt where the networks do not fit each other or the lattice of the fields
 * @throws {Refusal} model-unavailable
 */
export async function installedCodes(networks: NetworkRunner): Promise<InstalledCodes> {
  const [masked, fineMasked, decoder, residual] = await Promise.all([
    networks.describe(MASKED_MODEL),
    networks.describe(FINE_MASKED_MODEL),
    networks.describe(DECODER_MODEL),
    networks.describe(RESIDUAL_MODEL),
  ]);
  const coarse = drawnSites(masked);
  const fine = drawnSites(fineMasked);
  const taken = (
    model: ModelDescription,
    tensor: string,
    level: { channels: number; sites: Sites },
  ): void => {
    const { x, y, z } = level.sites;
    const [drawn, found] = [
      [level.channels, z, y, x].join(' x '),
      sizesOf(model, 'inputs', tensor, 5).slice(1).join(' x '),
    ];
    const [book, levels] = [coarse.book.levels.join(', '), levelsOf(model).join(', ')];
    if (found !== drawn || levels !== book)
      throw wrong(
        model.name,
        `"${tensor}" of ${drawn} with levels ${book}`,
        `${found} with levels ${levels}`,
      );
  };
  taken(fineMasked, 'coarse', coarse);
  taken(decoder, 'codes', coarse);
  taken(decoder, 'fine', fine);
  const [, components] = sizesOf(residual, 'inputs', 'scores', 2) as [number, number];
  return { sites: coarse.sites, fineSites: fine.sites, book: coarse.book, components };
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
