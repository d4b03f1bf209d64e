/**
 * The learned head, moved and brightened: the last step of d2. The networks `head-128` and `head-256` hold its voxels and
 * say where to read them; the reading is done here (`warp.ts`).
 *
 * @example
 * const voxels = await learnedHead(networks, { displacement, logFactor }, 256, signal); // on the trimmed model grid
 */
import { FIELD_SHAPE } from '../../contract/contract.js';
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { warpTemplate } from './warp.js';

export interface HeadFields {
  /** [1, 3, 64, 64, 48] in normalised coordinates (x, y, z). */
  readonly displacement: Tensor;
  /** [1, 1, 64, 64, 48], natural logarithm of the factor on intensities; the networks call it `gain`. */
  readonly logFactor: Tensor;
}

/**
 * @returns brain levels on the trimmed model grid: 96 x 128 x 128 at 2 mm or 192 x 256 x 256 at 1 mm
 * @throws {Failure} network-failed
 */
export async function learnedHead(
  networks: NetworkRunner,
  { displacement, logFactor }: HeadFields,
  resolution: 128 | 256,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const outputs = await networks.run(`head-${resolution}`, { displacement, gain: logFactor }, signal);
  const template = outputs.template?.data;
  const read = outputs.fields?.data;
  if (!(template instanceof Uint8Array) || !(read instanceof Float32Array))
    throw new Failure('network-failed', 'the learned head returned no "template" or no "fields"');
  return warpTemplate(template, [(resolution * 3) / 4, resolution, resolution], read, FIELD_SHAPE);
}
