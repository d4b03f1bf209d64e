/**
 * The small steps between stored voxels and values that the pipeline is made of: brain statistics, the overwriting of
 * the original, new values back in.
 *
 * @example
 * const statistics = volumeStatistics(image, brain);   // from brain voxels alone
 * overwriteOutside(image, keep);                      // from here on there is no original
 * await writeFace(image, async () => face, keep, statistics, random);
 */
import { measureIntensity } from '../brain/intensity.js';
import { Refusal } from '../errors/errors.js';
import { type StoredImage, unscale } from '../formats/stored-image.js';
import type { Random } from '../volume/random.js';
import { type Mask, voxelCount } from '../volume/volume.js';
import { addNoise, noiseLevel } from './noise.js';

/** What a volume's new voxels are scaled by. */
export interface VolumeStatistics {
  /** Value of air, in the image's units. */
  readonly air: number;
  /** The brain's median above air; 0 where this volume's brain has no signal. */
  readonly level: number;
  /** Standard deviation of the noise in the brain. */
  readonly noise: number;
}

/**
 * Statistics of one volume's brain voxels; no other voxel is looked at.
 * @param values The volume's values, scaling applied.
 * @param airSaid By the header: see `measureIntensity`.
 * @throws {Refusal} values-invalid when a brain voxel is not finite.
 */
export function volumeStatistics(values: Float32Array, brain: Mask, airSaid?: number): VolumeStatistics {
  let broken = 0;
  for (let o = 0; o < values.length; o++) if (brain.data[o] !== 0 && !Number.isFinite(values[o])) broken++;
  if (broken > 0)
    throw new Refusal(
      'values-invalid',
      `expected finite values in the brain, found ${broken} voxels without`,
    );
  return {
    ...(measureIntensity(values, brain.data, airSaid) ?? { air: 0, level: 0 }),
    noise: noiseLevel({ grid: brain.grid, data: values }, brain.data),
  };
}

/** Sets every stored voxel that is not kept to zero, in all volumes: what is gone cannot leak. */
export function overwriteOutside(image: StoredImage, keep: Uint8Array): void {
  const { stored } = image;
  const zero = stored instanceof BigInt64Array || stored instanceof BigUint64Array ? 0n : 0;
  for (let volume = 0; volume < image.volumes; volume++)
    for (let o = 0; o < keep.length; ) {
      if (keep[o] !== 0) {
        o++;
        continue;
      }
      const first = o;
      while (o < keep.length && keep[o] === 0) o++;
      const base = volume * keep.length;
      (stored as { fill(value: unknown, start: number, end: number): unknown }).fill(
        zero,
        base + first,
        base + o,
      );
    }
}

/** Anatomy adds to the estimate in the brain: with all of it, the air of IXI heads came out visibly grey. */
const NOISE_SHARE = 0.5;
/** In brain levels: what is brighter is tissue and gets all the noise. */
const TISSUE = 0.3;

/**
 * Writes a face into every volume of an image, each in its own intensity, with its own noise.
 * @param faceOf In brain levels of a volume on the image's grid; negative values become 0. @param altered 1 where it is written.
 * @param statistics One per volume. @param random Undefined for no noise.
 */
export async function writeFace(
  image: StoredImage,
  faceOf: (volume: number) => Promise<Float32Array>,
  altered: Uint8Array,
  statistics: readonly VolumeStatistics[],
  random: Random | undefined,
): Promise<void> {
  const values = new Float32Array(voxelCount(image.grid.shape));
  for (const [volume, { air, level, noise }] of statistics.entries()) {
    const face = await faceOf(volume);
    for (let o = 0; o < values.length; o++) {
      const v = face[o] as number;
      values[o] = v > 0 ? v * level : 0;
    }
    if (random !== undefined)
      addNoise(values, NOISE_SHARE * noise, TISSUE * level, altered, random.fork(`frame ${volume}`));
    if (air !== 0) for (let o = 0; o < values.length; o++) values[o] = (values[o] as number) + air;
    unscale(image, values, image.stored, volume, altered);
  }
}
