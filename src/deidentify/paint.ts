/**
 * A drawn head in the contrast of the scan at hand: the tissues' brightness from its sequence, from a profile of its protocol, or
 * drawn from what its brain allows. Nothing outside the brain is looked at (promise P1).
 *
 * @example
 * const levels = contrastOfVolume(brain, { contrast: 'auto' }, random);
 * const there = await new Painter(head).in(levels); // brain levels of this volume
 */
import { brighten, fitBias, unusualBias } from '../brain/bias-field.js';
import {
  type BrainLevels,
  brainLevels,
  type ContrastChoice,
  drawLevels,
  levelsOfSequence,
  type TissueLevels,
} from '../brain/protocol.js';
import type { Sequence } from '../brain/signal.js';
import { fitTissues } from '../brain/tissues.js';
import { type StoredImage, scaledData } from '../formats/stored-image.js';
import { type DrawnHead, type DrawnTissues, recoloured } from '../methods/tissues.js';
import type { Affine } from '../volume/affine.js';
import type { Random } from '../volume/random.js';
import type { Mask, Volume } from '../volume/volume.js';
import type { VolumeStatistics } from './volumes.js';

/** What is known of how a scan was made; nothing of it is a property of the person. */
export interface ScanContrast {
  /** Default: what the brain looks like. */
  readonly contrast?: ContrastChoice;
  /** From a sidecar or DICOM attributes. */
  readonly sequence?: Sequence;
  /** A gadolinium agent was given, as the file's name or its user says; a sequence may say it too. Default false. */
  readonly contrastAgent?: boolean;
  /** Measured over at least five heads of the protocol; goes before the sequence. */
  readonly profile?: TissueLevels;
}

/** One volume's brain. */
export interface VolumeBrain {
  /** On the stored grid; voxels under the mask are read. */
  readonly volume: Volume;
  readonly brainMask: Mask;
  readonly pose: Affine;
  /** Lengths over an adult's. */
  readonly scale: number;
  /** Value of air, and the brain's median above it. */
  readonly air: number;
  readonly level: number;
}

/** How bright fluid, grey and white matter are; undefined where they cannot be told apart. */
export function levelsInBrain(of: VolumeBrain): BrainLevels | undefined {
  if (!(of.level > 0)) return undefined;
  const fit = fitTissues(of.volume, of.brainMask, of.pose, of.scale);
  return fit === undefined ? undefined : brainLevels(fit, of.air, of.level);
}

/**
 * @param random forks of the seed alone
 * @returns undefined: the contrast in which heads are drawn
 */
export function contrastOfVolume(
  of: VolumeBrain,
  { contrast = 'auto', sequence, profile, contrastAgent = false }: ScanContrast,
  random: Random,
): TissueLevels | undefined {
  if (profile !== undefined) return profile;
  const brain = levelsInBrain(of);
  if (brain === undefined) return undefined;
  if (sequence === undefined) return drawLevels(brain, contrast, random, contrastAgent);
  return levelsOfSequence(contrastAgent ? { ...sequence, contrastAgent } : sequence, brain);
}

/** Recolours one head as often as there are contrasts; its tissues are found once, when they are first wanted. */
export class Painter {
  readonly #head: DrawnHead;
  #tissues: Promise<DrawnTissues> | undefined;

  constructor(head: DrawnHead) {
    this.#head = head;
  }

  /** @throws {Failure} network-failed, model-corrupt */
  async in(levels: TissueLevels | undefined): Promise<Volume> {
    if (levels === undefined || this.#head.tissues === undefined) return this.#head;
    this.#tissues ??= this.#head.tissues();
    return recoloured(this.#head, await this.#tissues, levels);
  }
}

/** Beyond so many volumes (a time series) all are painted as the first is: each would cost a fit and a painting of its own. */
const FRAMES_OF_THEIR_OWN = 12;

/** One image that the head is painted for. */
export interface PaintedImage {
  readonly image: StoredImage;
  /** One a volume. */
  readonly statistics: readonly VolumeStatistics[];
  /** Where its brain stands in its world, and how large it is. */
  readonly brain: Pick<VolumeBrain, 'brainMask' | 'pose' | 'scale'>;
  readonly known: ScanContrast;
}

export interface PaintedImages {
  readonly images: readonly PaintedImage[];
  readonly random: Random;
  /** From the model grid to that of an image. */
  place(face: Volume, image: number): Float32Array;
}

/**
 * The one place where a drawn head becomes what an image shows: the head in the contrast of any volume of any image, in its
 * place; volumes that follow one another in one contrast are placed once. Call it when the originals are gone: brain voxels are
 * all it needs.
 */
export function facesOf(
  drawn: DrawnHead,
  { images, random, place }: PaintedImages,
): (image: number, volume: number) => Promise<Float32Array> {
  const painter = new Painter(drawn);
  let last: { readonly i: number; readonly key: string; readonly face: Float32Array } | undefined;
  const levelsAt = (i: number, t: number): TissueLevels | undefined => {
    // A head of unknown tissues has one contrast: what the brain says would be of no use.
    if (drawn.tissues === undefined) return undefined;
    const { image, statistics, brain, known } = images[i] as PaintedImage;
    const { air, level } = statistics[t] as VolumeStatistics;
    const volume = { grid: image.grid, data: scaledData(image, t) };
    return contrastOfVolume({ ...brain, volume, air, level }, known, random.fork(`image ${i} frame ${t}`));
  };
  /** What the coil lays over an image, from the brain of its first volume that has one; the others were made by the same coil. */
  const brightened = (i: number, face: Float32Array): Float32Array => {
    const { image, statistics, brain } = images[i] as PaintedImage;
    const t = statistics.findIndex(({ level }) => level > 0);
    // Heads of unknown tissues are drawn by methods that show the brain's brightness themselves.
    if (drawn.tissues === undefined || t < 0) return face;
    const volume = { grid: image.grid, data: scaledData(image, t) };
    const found = fitBias(volume, brain.brainMask, brain.pose, brain.scale, statistics[t]?.air);
    const field = found === undefined ? undefined : unusualBias(found.field, found.t1w);
    if (field !== undefined) brighten(face, image.grid, field, brain);
    return face;
  };
  return async (i, t) => {
    const own = (images[i] as PaintedImage).statistics.length <= FRAMES_OF_THEIR_OWN;
    if (!own && t > 0 && last?.i === i) return last.face;
    const levels = levelsAt(i, t);
    const key = levels === undefined ? '' : JSON.stringify(levels);
    if (last?.i !== i || last.key !== key)
      last = { i, key, face: brightened(i, place(await painter.in(levels), i)) };
    return last.face;
  };
}
