/**
 * What users of the library call: the pipeline, the search for a brain and the comparison of two images, on images as they
 * are read, with defaults for all that need not be said. The platform's part (networks, gzip) comes from its door:
 * `prosopon/node` and `prosopon/browser` have these functions with it filled in.
 *
 * @example
 * const done = await deidentifyImage(image, { method: 'cp-mae', seed: 42 }, { networks, gzip });
 * done.images[0].files[0].bytes;
 */
import { extractBrain } from '../brain/extract.js';
import { makeHead } from '../brain/head.js';
import { requireGiven } from '../errors/require-given.js';
import { codecOf } from '../formats/codecs.js';
import { requireImage } from '../formats/image.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import type { Seed } from '../methods/method.js';
import { createMethods, type Method } from '../methods/registry.js';
import type { Mask } from '../volume/volume.js';
import { type Comparison, compareImages, whatToKeep } from './compare.js';
import { decodeFaceState } from './face-state.js';
import {
  type Deidentified,
  type DeidentifyInput,
  type DeidentifyOptions,
  type DeidentifyServices,
  deidentify,
} from './pipeline.js';
import { parseSeed } from './seed.js';

export interface LibraryOptions
  extends Partial<Omit<DeidentifyOptions, 'method' | 'seed' | 'faceOf'>>,
    Pick<DeidentifyInput, 'brainMask' | 'coregistered'> {
  /** By name, or one of your own; default: the first that ships, cp-mae. */
  readonly method?: string | Method;
  /** Bytes of the state that an earlier session's `saveFace` gave: the same person gets the same face, drawn by the same method. */
  readonly faceOf?: Uint8Array;
  /** A number, words or 256 bits; a fresh random one when absent. */
  readonly seed?: string | number | bigint | Seed;
  /** Of the result; only the ending matters (compression, single file or pair). Default: the format's usual one. */
  readonly outputName?: string;
}

/** The part of the services that differs from platform to platform, and what may be left out. */
export type PlatformServices = DeidentifyServices;

/** Compressed, where the format has that. */
function usualName(format: string): string {
  const { endings, fileNames } = codecOf(format);
  const ending = endings.find((each) => fileNames(`head${each}`)?.compressed === true) ?? endings[0] ?? '';
  return `head${ending}`;
}

/**
 * A new face. The image's voxels are overwritten: read it again if it is needed afterwards.
 * @throws {Refusal} for what the input does not allow  @throws {Failure} verification-failed, network-failed
 */
export async function deidentifyImage(
  image: StoredImage,
  options: LibraryOptions,
  services: PlatformServices,
): Promise<Deidentified> {
  requireImage(image);
  requireGiven(options, 'options, or {}');
  requireGiven(services, 'services', ['networks', 'gzip']);
  const state =
    options.faceOf === undefined ? undefined : await decodeFaceState(options.faceOf, services.gzip);
  const {
    method = state?.method ?? 'cp-mae',
    faceOf: _,
    seed,
    outputName = usualName(image.format),
    brainMask,
    coregistered,
    ...rest
  } = options;
  return deidentify(
    {
      image,
      outputName,
      ...(brainMask === undefined ? {} : { brainMask }),
      ...(coregistered === undefined ? {} : { coregistered }),
    },
    {
      resolution: 256,
      ...rest,
      method: typeof method === 'string' ? createMethods().get(method) : method,
      ...(state === undefined ? {} : { faceOf: state }),
      ...(seed === undefined ? {} : { seed: seed instanceof Uint32Array ? seed : parseSeed(seed) }),
    },
    services,
  );
}

export interface BrainSeen {
  /** On the grid of the image; 1 = brain. */
  readonly mask: Mask;
  /** Dice of what two networks found, 0 to 1. */
  readonly agreement: number;
}

/** The brain mask that `deidentify` would use. @throws {Refusal} brain-implausible, no-signal */
export async function findBrain(
  image: StoredImage,
  services: Pick<PlatformServices, 'networks' | 'signal'>,
): Promise<BrainSeen> {
  requireImage(image);
  requireGiven(services, 'services', ['networks']);
  const { mask, agreement } = await extractBrain(finiteVolume(image), services.networks, signalOf(services));
  return { mask, agreement };
}

function signalOf({ signal }: Pick<PlatformServices, 'signal'>): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

export interface WhatToCheck {
  /** The brain, as an image; without it, it is looked for in the original. */
  readonly brainMask?: StoredImage;
  /** What was to be altered: then all else must be the same, to the bit. */
  readonly altered?: StoredImage;
}

/**
 * Whether a result of any tool keeps the brain and has lost the face, as `prosopon verify` does.
 * @throws {Refusal} brain-implausible, no-signal, mask-mismatch, mask-empty, mask-values
 */
export async function checkImages(
  original: StoredImage,
  result: StoredImage,
  what: WhatToCheck,
  services: Pick<PlatformServices, 'networks' | 'signal'>,
): Promise<Comparison> {
  requireImage(original);
  requireImage(result);
  requireGiven(what, 'what to check, or {}');
  requireGiven(services, 'services', ['networks']);
  const keep = await whatToKeep(original, what, {
    findBrain: (volume) => extractBrain(volume, services.networks, signalOf(services)),
    makeHead,
  });
  return compareImages(original, result, keep);
}
