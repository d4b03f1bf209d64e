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
import type { confirmBrain } from '../brain/finder.js';
import type { Head } from '../brain/head.js';
import { matchBrains } from '../brain/rigid-match.js';
import { Refusal } from '../errors/errors.js';
import { doubtsOf, outputNames } from '../formats/codecs.js';
import type { Gzip } from '../formats/gzip.js';
import type { FileNames } from '../formats/names.js';
import {
  type DecodeOptions,
  decodeImage,
  encodeImage,
  finiteVolume,
  type ImageFiles,
  type StoredImage,
} from '../formats/stored-image.js';
import { brainConditioning } from '../methods/brain-conditioning.js';
import type { MethodContext, RemodellingMethod, Seed } from '../methods/method.js';
import { type Keep, requireTaken } from '../methods/options.js';
import type { Method } from '../methods/registry.js';
import type { DrawnHead } from '../methods/tissues.js';
import type { NetworkRunner } from '../networks/runner.js';
import { type Affine, IDENTITY, invert } from '../volume/affine.js';
import { invertMask } from '../volume/morphology.js';
import { Random } from '../volume/random.js';
import { type Mask, movedBy, type Volume } from '../volume/volume.js';
import { type Checks, checkResult, requirePassed } from './checks.js';
import { brainOf, encodeFaceState, type FaceState } from './face-state.js';
import { faceGone, faceSurfaces } from './face-volumes.js';
import { readMask } from './given-mask.js';
import { facesOf, type ScanContrast } from './paint.js';
import { resampleFace } from './resample-face.js';
import { freshSeed } from './seed.js';
import { type Trace, trace } from './traces.js';
import {
  alignedByGrid,
  alteredRegion,
  FOUND_MARGIN_MM,
  finderOf,
  imageStatistics,
  keptOf,
  settleMask,
  settleOthers,
  type TreatedImage,
} from './treated.js';
import { HEADER_DESCRIPTION } from './version.js';
import { overwriteOutside, writeFace } from './volumes.js';

export interface ImageToTreat {
  /** Its voxels are overwritten: read it again if it is needed afterwards. */
  readonly image: StoredImage;
  /** Of the result; only the ending matters (compression, single file or pair). */
  readonly outputName: string;
  /**
   * Of a co-registered image: 'grid' takes it to lie on the first image as its header says, which asks for the same grid; 'brain' looks
   * for its brain and lays that on the first image's. Default: 'grid' on the same grid, 'brain' on another.
   */
  readonly alignment?: 'grid' | 'brain';
  /** Of a co-registered image: what is known of how it was made; default nothing, so that its brain says what it is. */
  readonly scan?: ScanContrast;
}

export interface DeidentifyInput extends ImageToTreat {
  /** Used exactly as given, once its values are read for what they are (`given-mask.ts`). Without it the brain is found by networks. */
  readonly brainMask?: StoredImage;
  /** Other images of the session, on any grid, that get the same face, each in its own brain's intensity. Overwritten too. */
  readonly coregistered?: readonly ImageToTreat[];
}

export interface DeidentifyOptions extends ScanContrast {
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
  /** The face of an earlier session: method, seed, resolution, scale and what is kept come from it. */
  readonly faceOf?: FaceState;
  /** Also gives out what draws this face again in later sessions, as bytes for a file; default false. */
  readonly saveFace?: boolean;
  /** The same for other images of this run, which are given it as `faceOf`; default false. */
  readonly keepFace?: boolean;
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
  ): Promise<{ mask: Mask; pose?: Affine; agreement?: number }>;
  /** A quick look at a brain that is thought to be known (`confirmBrain`). Default: the network that ships; none beside an `extractBrain` of the caller's own. */
  confirmBrain?: typeof confirmBrain;
  /** Default: pose and intensity from the brain's voxels. */
  makeHead?(volume: Volume, brainMask: Mask, airSaid?: number): Head;
  readonly signal?: AbortSignal;
  readonly onStage?: (stage: string) => void;
}

export interface DeidentifiedImage {
  readonly files: ImageFiles;
  /** As read back from `files`. */
  readonly result: StoredImage;
  /** 1 where voxels are new. */
  readonly altered: Mask;
  /** How far the skin of the face is from the original's, median, mm; absent where no face was in view. */
  readonly surfaceMovedMm?: number;
}

export interface Deidentified {
  /** The image, then the co-registered ones in the order given. */
  readonly images: readonly [DeidentifiedImage, ...DeidentifiedImage[]];
  readonly checks: Checks;
  readonly brainMask: Mask;
  /** Brain frame to world, fitted to the brain mask: for pictures of the result. */
  readonly pose: Affine;
  /** 1 where voxels are new. */
  readonly altered: Mask;
  /** What a removal method says about a result that may be poor. */
  readonly warnings: readonly string[];
  /** Dice of the two looks for the brain, 0 to 1; absent where its mask was given. */
  readonly maskAgreement?: number;
  /** Bytes of the private state (`face-state.ts`), where it was asked for. */
  readonly faceState?: Uint8Array;
  /** The same as it stands in memory, where it was asked for. */
  readonly face?: FaceState;
}

const MAX_MARGIN_MM = 20;

export { FOUND_MARGIN_MM } from './treated.js';

/**
 * @throws {Refusal} for what the input does not allow: mask-mismatch, mask-empty, brain-implausible, values-invalid,
 *   no-signal, option-invalid, face-kept, and what the method refuses
 * @throws {Failure} verification-failed, network-failed
 */
export async function deidentify(
  input: DeidentifyInput,
  asked: DeidentifyOptions,
  services: DeidentifyServices,
): Promise<Deidentified> {
  const options = drawnAs(asked);
  requireOptions(options);
  const stage = (name: string): void => {
    services.signal?.throwIfAborted();
    services.onStage?.(name);
  };
  const { method, faceOf } = options;
  const seed = options.seed ?? freshSeed();
  const finder = finderOf(services);
  const { grid } = input.image;
  const coregistered = input.coregistered ?? [];
  // Said before any work is done.
  const names = [input, ...coregistered].map(({ outputName, image }) => outputNames(outputName, image));
  const doubts = [...new Set([input, ...coregistered].flatMap(({ image }) => doubtsOf(image)))];
  const elsewhere = coregistered.filter((each) => !alignedByGrid(each, input.image));
  if (method.kind === 'remove' && elsewhere.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected a method that draws a head with images that lie elsewhere, found ${method.name}, which removes; treat each alone`,
    );

  stage('brain');
  // Voxels that are not finite are air here; in the brain `imageStatistics` refuses them.
  const { data: values } = finiteVolume(input.image);
  const given = input.brainMask === undefined ? undefined : readMask(input.brainMask, grid);
  const finding =
    given !== undefined && options.trustMask === true ? undefined : finder.find({ grid, data: values });
  // Behind the first look for the brain, while its mask is worked on here.
  services.networks.warm?.(method.models);
  const margin = options.brainMarginMm ?? (input.brainMask === undefined ? FOUND_MARGIN_MM : 0);
  const { brainMask, notes } = await settleMask(given, finding, margin);
  const agreement = given === undefined ? (await finding)?.agreement : undefined;
  const statistics = imageStatistics(input.image, brainMask);
  const head = finder.make({ grid, data: values }, brainMask, input.image.airSaid);
  const { pose, scale } = head;
  const known =
    faceOf === undefined
      ? undefined
      : matchBrains(brainOf(faceOf), { volume: head.volume, mask: brainMask, pose });
  const first: TreatedImage = {
    image: input.image,
    brain: { brainMask, pose, scale },
    known: options,
    keep: keptOf(brainMask, margin, options.keep, pose),
    motion: known === undefined ? IDENTITY : invert(known.toFirst),
    statistics,
    faces: faceSurfaces(input.image, pose, scale, { grid, data: values }),
    ...(known === undefined ? {} : { match: { passed: true, value: Number(known.likeness.toFixed(3)) } }),
  };
  if (elsewhere.length > 0) stage('session');
  const treated = [
    first,
    ...(await settleOthers(coregistered, { ...first, volume: head.volume }, options, finder)),
  ];

  const context: MethodContext = {
    networks: services.networks,
    resolution: options.resolution,
    keep: options.keep ?? 'brain',
    onStage: stage,
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    ...(options.contrast === undefined ? {} : { contrast: options.contrast }),
    ...withSignal(services),
  };
  let warnings: readonly string[] = [...doubts, ...notes];
  let faceState: Uint8Array | undefined;
  let face: FaceState | undefined;
  let areas: readonly Mask[];
  let traces: readonly Trace[] = [];
  /** In brain levels of one volume of one image, on that image's grid. */
  let faceIn: (image: number, volume: number) => Promise<Float32Array>;
  let kept: readonly Uint8Array[] = [];
  const forget = (): void => {
    kept = areas.map((area) => invertMask(area).data);
    traces = treated.map(({ image }, i) =>
      trace(image.stored, image.grid.shape, image.volumes, kept[i] as Uint8Array),
    );
    // P1: from here on the original exists nowhere but in the brain.
    treated.forEach(({ image }, i) => {
      overwriteOutside(image, kept[i] as Uint8Array);
    });
  };
  if (method.kind === 'remodel') {
    stage('condition');
    const gamma = faceOf?.gamma ?? (await method.condition(head, context));
    if (options.saveFace === true || options.keepFace === true) face = stateOf(options, seed, gamma, head);
    if (options.saveFace === true && face !== undefined)
      faceState = await encodeFaceState(face, services.gzip);
    areas = treated.map(({ keep }) => invertMask(keep));
    stage('overwrite');
    forget();
    values.fill(0);
    stage('synthesise');
    faceIn = facesOf(await synthesizeFace(method, gamma, seed, context), {
      images: treated,
      random: new Random(seed).fork('contrast'),
      place: placer(treated, areas),
    });
  } else {
    stage('remove');
    const removal = await method.alter(head, context);
    warnings = [...warnings, ...(removal.warnings ?? [])];
    const area = { grid, data: alteredRegion(removal, first.keep) };
    areas = treated.map(() => area);
    forget();
    for (let o = 0; o < values.length; o++) values[o] = (removal.values.data[o] as number) / head.brainLevel;
    faceIn = async () => values;
  }

  stage('composite');
  const noisy = method.kind === 'remodel' && options.noise !== false;
  const noise = new Random(seed).fork('scanner noise');
  // Sessions with one face must not have one noise: their difference would show what is drawn.
  const random = faceOf === undefined ? noise : noise.fork((traces[0] as Trace).keptDigest);
  for (const [i, { image, statistics }] of treated.entries())
    await writeFace(
      image,
      (volume) => faceIn(i, volume),
      (areas[i] as Mask).data,
      statistics,
      noisy ? random.fork(`image ${i}`) : undefined,
    );

  const done: DeidentifiedImage[] = [];
  const checks: Record<string, Checks[string]> = {};
  for (const [i, { image, faces, match }] of treated.entries()) {
    stage('encode');
    const files = await encodeImage(image, image.stored, services.gzip, {
      name: names[i] as FileNames,
      description: HEADER_DESCRIPTION,
    });
    stage('verify');
    const result = await decodeImage(files, services.gzip, asRead(image));
    const altered = areas[i] as Mask;
    const found = checkResult({
      before: traces[i] as Trace,
      original: image,
      result,
      keep: kept[i] as Uint8Array,
      remodelled: method.kind === 'remodel',
    });
    requirePassed(found);
    const { check: gone, movedMm } = faceGone(faces, result, method.kind === 'remodel');
    const all = { ...found, faceGone: gone, ...(match === undefined ? {} : { sameBrain: match }) };
    for (const [name, check] of Object.entries(all)) checks[i === 0 ? name : `${name}.${i + 1}`] = check;
    done.push({ files, result, altered, ...(movedMm === undefined ? {} : { surfaceMovedMm: movedMm }) });
  }
  return {
    images: done as unknown as Deidentified['images'],
    checks,
    brainMask,
    pose,
    altered: areas[0] as Mask,
    warnings,
    ...(agreement === undefined ? {} : { maskAgreement: agreement }),
    ...(faceState === undefined ? {} : { faceState }),
    ...(face === undefined ? {} : { face }),
  };
}

/** A result is read by what its original was read by. */
function asRead({ codec }: StoredImage): DecodeOptions {
  return codec === undefined ? {} : { codec };
}

/** From the model grid to an image's, by its motion. One array for images that lie on one another: each is done before the next. */
function placer(
  treated: readonly TreatedImage[],
  areas: readonly Mask[],
): (face: Volume, image: number) => Float32Array {
  let into = new Float32Array(0);
  return (face, i) => {
    const { grid, data } = areas[i] as Mask;
    if (into.length !== data.length) into = new Float32Array(data.length);
    // Voxels that are kept are not written, and nobody reads them.
    resampleFace(movedBy(face, (treated[i] as TreatedImage).motion), grid, data, into);
    return into;
  };
}

/** With a face that is known, what shaped it shapes it again. @throws {Refusal} option-invalid for another method */
function drawnAs(options: DeidentifyOptions): DeidentifyOptions {
  const { faceOf, seed, scale: _, keep: __, ...rest } = options;
  if (faceOf === undefined) return options;
  if (faceOf.method !== options.method.name || seed !== undefined || options.saveFace === true)
    throw new Refusal(
      'option-invalid',
      `expected the face of a state alone, which was drawn by ${faceOf.method}; found another method, a seed or a state to be saved beside it`,
    );
  const { resolution, keep, scale } = faceOf;
  return { ...rest, faceOf, seed: faceOf.seed, resolution, keep, ...(scale === undefined ? {} : { scale }) };
}

function stateOf(
  { method, resolution, keep = 'brain', scale }: DeidentifyOptions,
  seed: Seed,
  gamma: unknown,
  head: Head,
): FaceState {
  const shaped = { method: method.name, seed, resolution, keep, ...(scale === undefined ? {} : { scale }) };
  return { ...shaped, gamma, brain: brainConditioning(head) };
}

function withSignal(services: DeidentifyServices): { signal?: AbortSignal } {
  return services.signal === undefined ? {} : { signal: services.signal };
}

function requireOptions(options: DeidentifyOptions): void {
  requireTaken(options.method, options);
  if (options.method.kind === 'remove' && (options.saveFace === true || options.faceOf !== undefined))
    throw new Refusal(
      'option-invalid',
      `expected a method that draws a face where one is to be kept, found ${options.method.name}, which removes`,
    );
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

async function synthesizeFace(
  method: RemodellingMethod<unknown>,
  gamma: unknown,
  seed: Seed,
  context: MethodContext,
): Promise<DrawnHead> {
  // A copy, so that a method cannot change what the noise is drawn from.
  return method.synthesize(gamma, Uint32Array.from(seed), context);
}
