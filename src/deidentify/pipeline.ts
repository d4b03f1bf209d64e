/**
 * The pipeline: a scan in, verified bytes of a scan with another face out. Platform-neutral; it opens no file and
 * holds no original once the synthesis begins.
 *
 * The order of the steps is promise P1: everything that is measured or decided comes from brain voxels, then the
 * voxels that are not kept are overwritten in memory, and only then is the synthesis called.
 *
 * @example
 * const done = await deidentify({ image, outputName: 'out.nii.gz' }, { method, resolution: 256 }, { networks, gzip: nodeGzip });
 * done.images[0].files; // encoded, read back and checked
 */
import { craniumMask } from '../brain/cranium.js';
import { extractBrain } from '../brain/extract.js';
import { type Head, makeHead } from '../brain/head.js';
import { brainIntensity } from '../brain/intensity.js';
import { Failure, isRefusal, Refusal } from '../errors/errors.js';
import { outputNames } from '../formats/codecs.js';
import type { Gzip } from '../formats/gzip.js';
import type { FileNames } from '../formats/names.js';
import {
  decodeImage,
  encodeImage,
  finiteVolume,
  frameValues,
  type ImageFiles,
  type StoredImage,
} from '../formats/stored-image.js';
import type { Alteration, MethodContext, RemodellingMethod, Seed } from '../methods/method.js';
import { type Keep, requireTaken } from '../methods/options.js';
import type { Method } from '../methods/registry.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { Affine } from '../volume/affine.js';
import { dilateMm, invertMask } from '../volume/morphology.js';
import { Random } from '../volume/random.js';
import { type Mask, sameGrid, type Volume, voxelCount } from '../volume/volume.js';
import { type Check, type Checks, checkResult, requirePassed } from './checks.js';
import { type FaceSurface, isFaceGone } from './face-gone.js';
import { faceSurfaces, mostKept } from './face-volumes.js';
import { type FrameStatistics, frameStatistics, overwriteOutside, writeFace } from './frames.js';
import { type GivenMask, leftOut, readMask, requireTogether } from './given-mask.js';
import { placeFace } from './place.js';
import { freshSeed } from './seed.js';
import { type Trace, trace } from './traces.js';
import { HEADER_DESCRIPTION } from './version.js';

export interface ImageToTreat {
  /** Its voxels are overwritten: read it again if it is needed afterwards. */
  readonly image: StoredImage;
  /** Of the result; only the ending matters (compression, single file or pair). */
  readonly outputName: string;
}

export interface DeidentifyInput extends ImageToTreat {
  /** Used exactly as given, once its values are read for what they are (`given-mask.ts`). Without it the brain is found by networks. */
  readonly brainMask?: StoredImage;
  /** Other images on the same grid that get the same face, each in its own brain's intensity. Overwritten too. */
  readonly companions?: readonly ImageToTreat[];
}

export interface DeidentifyOptions {
  readonly method: Method;
  /** A fresh random one when absent. */
  readonly seed?: Seed;
  readonly resolution: 128 | 256;
  /** The brain (the default), or also all that lies above the brow and the ears: `src/brain/cranium.ts`. */
  readonly keep?: Keep;
  /** Also keep what lies within this distance of the brain, 0 to 20 mm; default FOUND_MARGIN_MM where the network found the brain, 0 where its mask is given. */
  readonly brainMarginMm?: number;
  /** Size of the head around the brain, for methods whose `options` have it. The brain keeps its own. */
  readonly scale?: number;
  /** Takes a given brain mask without comparing it with the brain that networks find; default false. */
  readonly trustMask?: boolean;
  /** Noise like the brain's on the new voxels; default true. */
  readonly noise?: boolean;
}

/** What the pipeline is given from outside: networks, the platform's gzip, brain finding. */
export interface DeidentifyServices {
  readonly networks: NetworkRunner;
  readonly gzip: Gzip;
  /** Default: the networks that ship. */
  extractBrain?(
    volume: Volume,
    networks: NetworkRunner,
    options: { signal?: AbortSignal },
  ): Promise<{ mask: Mask; pose?: Affine }>;
  /** Default: pose and intensity from the brain's voxels. */
  makeHead?(volume: Volume, brainMask: Mask): Head;
  readonly signal?: AbortSignal;
  readonly onStage?: (stage: string) => void;
}

export interface DeidentifiedImage {
  readonly files: ImageFiles;
  /** As read back from `files`. */
  readonly result: StoredImage;
}

export interface Deidentified {
  /** The image, then its companions in the order given. */
  readonly images: readonly [DeidentifiedImage, ...DeidentifiedImage[]];
  readonly checks: Checks;
  readonly brainMask: Mask;
  /** Brain frame to world, fitted to the brain mask: for pictures of the result. */
  readonly pose: Affine;
  /** 1 where voxels are new. */
  readonly altered: Mask;
  /** What a removal method says about a result that may be poor. */
  readonly warnings: readonly string[];
}

const MAX_MARGIN_MM = 20;
/**
 * Kept round a brain that the network found: its masks miss 2.9 % of the brain (18 test heads), all at the rim, and
 * segmentations of the results lost 1.5 % of grey matter there. The inner skull says nothing of a face.
 */
export const FOUND_MARGIN_MM = 2;

/**
 * @throws {Refusal} for what the input does not allow: mask-mismatch, mask-empty, brain-implausible, values-invalid,
 *   no-signal, option-invalid, face-kept, and what the method refuses
 * @throws {Failure} verification-failed, network-failed
 */
export async function deidentify(
  input: DeidentifyInput,
  options: DeidentifyOptions,
  services: DeidentifyServices,
): Promise<Deidentified> {
  requireOptions(options);
  const stage = (name: string): void => {
    services.signal?.throwIfAborted();
    services.onStage?.(name);
  };
  const seed = options.seed ?? freshSeed();
  const find = services.extractBrain ?? extractBrain;
  const make = services.makeHead ?? makeHead;
  const { grid } = input.image;
  const treated: readonly ImageToTreat[] = [input, ...(input.companions ?? [])];
  // Said before any work is done.
  const names = treated.map(({ outputName, image }) => outputNames(outputName, image.format));
  const images = treated.map(({ image }) => image);
  for (const image of images)
    if (!sameGrid(image.grid, grid))
      throw new Refusal(
        'option-invalid',
        'expected every other image on the grid of the first, found another grid',
      );

  stage('brain');
  // Voxels that are not finite are air here; in the brain `imageStatistics` refuses them.
  const { data: values } = finiteVolume(input.image);
  const given = input.brainMask === undefined ? undefined : readMask(input.brainMask, grid);
  const finding =
    given !== undefined && options.trustMask === true
      ? undefined
      : find({ grid, data: values }, services.networks, withSignal(services));
  // Behind the first look for the brain, while its mask is worked on here.
  services.networks.warm?.(options.method.models);
  const margin = options.brainMarginMm ?? (input.brainMask === undefined ? FOUND_MARGIN_MM : 0);
  const withMargin = (mask: Mask): Mask => (margin > 0 ? dilateMm(mask, margin) : mask);
  const { brainMask, notes } = await settleMask(given, finding, withMargin);
  const brainKept = withMargin(brainMask);
  const statistics = images.map((image) => imageStatistics(image, brainMask));
  const head = make({ grid, data: values }, brainMask);
  // Decides whether a result appears, never what it holds (P1): a digest of the surface, compared when the result is read back.
  const faces = images.map((image) =>
    faceSurfaces(image, head.pose, head.scale, image === input.image ? { grid, data: values } : undefined),
  );
  const kept = options.keep === 'cranium' ? union(brainKept, craniumMask(head.pose, grid)) : brainKept;

  const context: MethodContext = {
    networks: services.networks,
    resolution: options.resolution,
    keep: options.keep ?? 'brain',
    onStage: stage,
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    ...withSignal(services),
  };
  const { method } = options;
  let altered: Mask;
  /** What keeps its bits: the complement of `altered`. */
  let keep: Uint8Array;
  let traces: Trace[];
  let warnings: readonly string[] = notes;
  if (method.kind === 'remodel') {
    stage('condition');
    const gamma = await method.condition(head, context);
    keep = kept.data;
    altered = invertMask(kept);
    stage('overwrite');
    traces = images.map((image) => trace(image.stored, grid.shape, image.frames, keep));
    // P1: from here on the original exists nowhere but in the brain.
    for (const image of images) overwriteOutside(image, keep);
    values.fill(0);
    stage('synthesise');
    placeFace(await synthesizeFace(method, gamma, seed, context), grid, altered.data, values);
  } else {
    stage('remove');
    const removal = await method.alter(head, context);
    warnings = [...notes, ...(removal.warnings ?? [])];
    altered = { grid, data: alteredRegion(removal, kept) };
    keep = invertMask(altered).data;
    traces = images.map((image) => trace(image.stored, grid.shape, image.frames, keep));
    for (const image of images) overwriteOutside(image, keep);
    for (let o = 0; o < values.length; o++) values[o] = (removal.values.data[o] as number) / head.brainLevel;
  }

  stage('composite');
  const noisy = method.kind === 'remodel' && options.noise !== false;
  const random = new Random(seed).fork('scanner noise');
  images.forEach((image, i) => {
    writeFace(
      image,
      values,
      altered.data,
      statistics[i] as FrameStatistics[],
      noisy ? random.fork(`image ${i}`) : undefined,
    );
  });

  const done: DeidentifiedImage[] = [];
  const checks: Record<string, Checks[string]> = {};
  for (const [i, image] of images.entries()) {
    stage('encode');
    const files = await encodeImage(image, image.stored, services.gzip, {
      name: names[i] as FileNames,
      description: HEADER_DESCRIPTION,
    });
    stage('verify');
    const result = await decodeImage(files, services.gzip);
    const found = checkResult({
      before: traces[i] as Trace,
      original: image,
      result,
      keep,
      remodelled: method.kind === 'remodel',
    });
    requirePassed(found);
    const gone = faceGone(faces[i] as FaceSurface[], result, method.kind === 'remodel');
    for (const [name, check] of Object.entries({ ...found, faceGone: gone }))
      checks[i === 0 ? name : `${name}.${i + 1}`] = check;
    done.push({ files, result });
  }
  return {
    images: done as unknown as Deidentified['images'],
    checks,
    brainMask,
    pose: head.pose,
    altered,
    warnings,
  };
}

/**
 * The mask that is used: the given one, compared with what was found unless it is to be trusted, or the found one. Where
 * no brain is found a given mask cannot be compared: that is often why it was given.
 */
async function settleMask(
  given: GivenMask | undefined,
  finding: Promise<{ mask: Mask }> | undefined,
  withMargin: (mask: Mask) => Mask,
): Promise<{ brainMask: Mask; notes: string[] }> {
  if (given === undefined) {
    if (finding === undefined) throw new Failure('internal', 'neither a mask nor a search for one');
    return { brainMask: (await finding).mask, notes: [] };
  }
  const notes = given.note === undefined ? [] : [given.note];
  if (finding === undefined) return { brainMask: given.mask, notes };
  try {
    const { mask } = await finding;
    requireTogether(given.mask, mask);
    const missing = leftOut(withMargin(given.mask), mask);
    if (missing !== undefined) notes.push(missing);
  } catch (error) {
    if (!isRefusal(error, 'brain-implausible', 'no-signal')) throw error;
    notes.push('no brain was found to compare the given mask with: look at the result');
  }
  return { brainMask: given.mask, notes };
}

/**
 * How much of the original's face still stands in a result, 0 to 1.
 * @throws {Refusal} face-kept when it is more than strangers share
 */
function faceGone(faces: readonly FaceSurface[], result: StoredImage, drawn: boolean): Check {
  const { kept, volume, before } = mostKept(faces, result, drawn);
  if (isFaceGone(kept, drawn)) return { passed: true, value: Number(kept.share.toFixed(3)) };
  throw new Refusal(
    'face-kept',
    `expected a result without the original's face, found ${(100 * Math.max(kept.share, kept.sameBits)).toFixed(0)} % of it in its place${faces.length > 1 ? ` in volume ${volume + 1} of ${faces.length}` : ''}; ${
      before.elsewhere
        ? 'the face is not where the brain mask says: look at the mask and at the orientation (prosopon inspect)'
        : kept.folded !== undefined && kept.folded >= kept.share
          ? 'it is folded over behind the head, where this method does not reach: try --method cp-mae'
          : 'look at the brain mask, or try another --method'
    }`,
  );
}

function withSignal(services: DeidentifyServices): { signal?: AbortSignal } {
  return services.signal === undefined ? {} : { signal: services.signal };
}

function union(a: Mask, b: Mask): Mask {
  return { grid: a.grid, data: a.data.map((v, o) => v | (b.data[o] as number)) };
}

function requireOptions(options: DeidentifyOptions): void {
  requireTaken(options.method, options);
  // The types say so; a program in JavaScript has none.
  if (options.resolution !== 128 && options.resolution !== 256)
    throw new Refusal(
      'option-invalid',
      `expected a resolution of 128 or 256, found ${JSON.stringify(options.resolution)}`,
    );
  const margin = options.brainMarginMm ?? 0;
  if (!(margin >= 0 && margin <= MAX_MARGIN_MM))
    throw new Refusal(
      'option-invalid',
      `expected a brain margin of 0 to ${MAX_MARGIN_MM} mm, found ${margin}`,
    );
}

/** One entry per frame. @throws {Refusal} values-invalid, no-signal (no frame has a positive brain) */
function imageStatistics(image: StoredImage, brain: Mask): FrameStatistics[] {
  const found = Array.from({ length: image.frames }, (_, frame) =>
    frameStatistics(frameValues(image, frame), brain),
  );
  // Says why.
  if (!found.some(({ level }) => level > 0)) brainIntensity(frameValues(image, 0), brain.data);
  return found;
}

async function synthesizeFace(
  method: RemodellingMethod<unknown>,
  gamma: unknown,
  seed: Seed,
  context: MethodContext,
): Promise<Volume> {
  // A copy, so that a method cannot change what the noise is drawn from.
  return method.synthesize(gamma, Uint32Array.from(seed), context);
}

function alteredRegion({ altered, values }: Alteration, kept: Mask): Uint8Array {
  if (altered.data.length !== voxelCount(kept.grid.shape) || values.data.length !== altered.data.length)
    throw new Refusal('option-invalid', 'a removal method must answer on the grid of the image');
  return altered.data.map((v, o) => (v > 0 && kept.data[o] === 0 ? 1 : 0));
}
