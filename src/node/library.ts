/**
 * The library's functions on Node: networks in a process that is started for the call and ended after it, unless one is
 * given, and Node's gzip.
 *
 * @example
 * const { images, checks } = await deidentify(await loadImage('head.nii.gz'), { method: 'cp-mae', seed: 42 });
 */
import type { Comparison } from '../deidentify/compare.js';
import {
  type BrainSeen,
  checkImages,
  deidentifyImage,
  findBrain as findIn,
  type LibraryOptions,
  type PlatformServices,
  type WhatToCheck,
} from '../deidentify/library.js';
import type { Deidentified } from '../deidentify/pipeline.js';
import type { StoredImage } from '../formats/stored-image.js';
import { nodeGzip } from './gzip.js';
import { NodeNetworkRunner } from './networks/node-runner.js';

type Given = Partial<PlatformServices>;

async function withServices<T>(given: Given, use: (services: PlatformServices) => Promise<T>): Promise<T> {
  if (given.networks !== undefined) return use({ gzip: nodeGzip, ...given, networks: given.networks });
  const networks = new NodeNetworkRunner();
  try {
    return await use({ gzip: nodeGzip, ...given, networks });
  } finally {
    await networks.close();
  }
}

/** See `prosopon`. @param given a runner to be used again, a signal, a listener to stages: whatever is not the default */
export function deidentify(
  image: StoredImage,
  options: LibraryOptions = {},
  given: Given = {},
): Promise<Deidentified> {
  return withServices(given, (services) => deidentifyImage(image, options, services));
}

/** See `prosopon`. */
export function findBrain(image: StoredImage, given: Given = {}): Promise<BrainSeen> {
  return withServices(given, (services) => findIn(image, services));
}

/** See `prosopon`. */
export function checkResult(
  original: StoredImage,
  result: StoredImage,
  what: WhatToCheck = {},
  given: Given = {},
): Promise<Comparison> {
  return withServices(given, (services) => checkImages(original, result, what, services));
}
