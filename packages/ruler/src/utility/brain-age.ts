/**
 * Age of a head by our own 3-D ResNet-18, trained on originals: how far a method moves what such a network reads.
 *
 * It sees the whole head, posed by its brain, at 4 mm; the plain and the mirrored look are averaged. Its own error on
 * originals belongs beside every figure made with it (`models/brain-age/card.md`, docs/results.md).
 *
 * @example
 * const shift = (await brainAge(treated, networks)) - (await brainAge(original, networks)); // years
 */

import { Failure, type NetworkRunner } from 'prosopon';
import { type Head, modelGrid, resampleLinear } from 'prosopon/imaging';

export const BRAIN_AGE_MODEL = 'brain-age';
/** Voxels of 4 mm along the edge of the 256 mm model cube. */
const SIZE = 64;

/**
 * @param head its mask gives pose and intensity scale: with the original's mask for both versions, only voxels outside differ
 * @returns years
 * @throws {Failure} network-failed, model-corrupt
 */
export async function brainAge(
  head: Pick<Head, 'volume' | 'pose' | 'brainLevel'>,
  networks: NetworkRunner,
  signal?: AbortSignal,
): Promise<number> {
  const plain = reducedHead(head);
  let sum = 0;
  for (const data of [plain, mirrored(plain)]) {
    const { years } = await networks.run(
      BRAIN_AGE_MODEL,
      { head: { data, shape: [1, 1, SIZE, SIZE, SIZE] } },
      signal,
    );
    const value = years?.data[0];
    if (value === undefined || !Number.isFinite(value))
      throw new Failure('network-failed', `${BRAIN_AGE_MODEL} returned no finite "years"`);
    sum += value;
  }
  return sum / 2;
}

/** The model cube at 4 mm, 1 = the brain's median: means of 2 mm voxels stored as `prosopon prepare` stores them. */
function reducedHead(head: Pick<Head, 'volume' | 'pose' | 'brainLevel'>): Float32Array {
  const fine = resampleLinear(head.volume, modelGrid(head.pose, 2 * SIZE));
  const out = new Float32Array(SIZE ** 3);
  let v = 0;
  for (let k = 0; k < 2 * SIZE; k++)
    for (let j = 0; j < 2 * SIZE; j++) {
      const row = SIZE * ((j >> 1) + SIZE * (k >> 1));
      for (let i = 0; i < 2 * SIZE; i++, v++) {
        const byte = Math.round((100 * (fine[v] as number)) / head.brainLevel);
        out[row + (i >> 1)] = (out[row + (i >> 1)] as number) + Math.max(0, Math.min(255, byte)) / 800;
      }
    }
  return out;
}

function mirrored(data: Float32Array): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += SIZE)
    for (let i = 0; i < SIZE; i++) out[row + i] = data[row + SIZE - 1 - i] as number;
  return out;
}
