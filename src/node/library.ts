/**
 * The library's functions on Node: networks in a process that is started for the call and ended after it, unless one is
 * given, and Node's gzip.
 *
 * @example
 * const { images, checks } = await deidentify(await loadImage('head.nii.gz'), { method: 'cp-mae', seed: 42 });
 */
import { extractBrain } from '../brain/extract.js';
import { confirmBrain } from '../brain/finder.js';
import { makeHead } from '../brain/head.js';
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
import { parseSeed } from '../deidentify/seed.js';
import type { StoredImage } from '../formats/stored-image.js';
import { createMethods } from '../methods/registry.js';
import { nodeGzip } from './gzip.js';
import { packagedModels } from './networks/node-models.js';
import { NodeNetworkRunner } from './networks/node-runner.js';
import { StageTimer } from './progress.js';
import {
  requireFitting,
  runScanJob as runJob,
  type ScanJob,
  type ScanReport,
  type ScanServices,
  type ScanTreatment,
  SYNTHESIS_OPTIONS,
} from './scan-job.js';

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

/** What is done with a scan; all of it has a default. */
export interface ScanJobOptions
  extends Partial<Omit<ScanTreatment, 'method' | 'seed'>>,
    Pick<LibraryOptions, 'method' | 'seed'> {}

/**
 * One scan, file to file, as `prosopon deid IN OUT`: read, treated, verified, and then all files of the job appear under their
 * names, or none does. Nothing of the original is copied anywhere.
 *
 * @param job paths: the scan (NIfTI or MGH, 3-D or 4-D), where its result goes in the same format, and what is wanted with it
 * @param options as `deidentify`: method by name (cp-mae), resolution in voxels along 256 mm (256), scale 0.85 to 1.15,
 *   brainMarginMm 0 to 20, seed (a fresh one, stored nowhere); `noise` (true) is scanner-like noise on new voxels
 * @param given networks to be used again (they stay open), a signal, a listener to stages: whatever is not the default
 * @returns paths written, checks (all passed), warnings in words
 * @throws {Refusal} option-invalid; not-readable, not-an-image and the like for the scan; output-exists (without `force`),
 *   output-is-input, output-unwritable; what the method refuses: brain-implausible, contrast-unsupported, face-remains, ...
 * @throws {Failure} verification-failed, network-failed, write-failed, model-corrupt
 * @example
 * const { outputs, checks } = await runScanJob({ input: 'in.nii.gz', output: 'out.nii.gz', qc: 'out.html' }, { seed: 42 });
 */
export async function runScanJob(
  job: ScanJob,
  options: ScanJobOptions = {},
  given: Partial<ScanServices> = {},
): Promise<ScanReport> {
  const { method: named = 'cp-mae', seed, ...rest } = options;
  const method = typeof named === 'string' ? createMethods().get(named) : named;
  const treatment: ScanTreatment = {
    resolution: 256,
    keep: 'brain',
    noise: true,
    ...rest,
    method,
    ...(seed === undefined ? {} : { seed: seed instanceof Uint32Array ? seed : parseSeed(seed) }),
  };
  requireFitting(
    treatment,
    Object.keys(options).filter((name) => SYNTHESIS_OPTIONS.includes(name)),
  );
  const timer = new StageTimer();
  const signal = given.signal ?? new AbortController().signal;
  const models = given.models ?? packagedModels();
  const networks = given.networks ?? new NodeNetworkRunner({ models });
  try {
    return await runJob(job, treatment, {
      makeHead,
      extractBrain: (volume) => extractBrain(volume, networks, { signal }),
      confirmBrain,
      onStage: (stage) => timer.begin(stage),
      stages: () => timer.seconds,
      ...given,
      signal,
      models,
      networks,
    });
  } finally {
    if (given.networks === undefined) await networks.close();
  }
}
