/**
 * The public library: everything here runs in Node and in the browser. What needs a platform (files, gzip, networks) is in
 * `prosopon/node` and `prosopon/browser`, which also have `deidentify`, `findBrain` and `checkResult` with it filled in.
 *
 * Only what stands here is public. Names are added and removed on purpose: test/public-api.test.ts lists them.
 *
 * @example
 * import { decodeImage, deidentify, Refusal } from 'prosopon';
 * import { nodeGzip, NodeNetworkRunner } from 'prosopon/node';
 * const networks = new NodeNetworkRunner();
 * const done = await deidentify(image, { method: 'cp-mae', seed: 42 }, { networks, gzip: nodeGzip });
 */

// Heads and methods
export { type Head, makeHead } from './brain/head.js';
// The pipeline
export type { Check, Checks } from './deidentify/checks.js';
export type { Comparison } from './deidentify/compare.js';
export {
  type BrainSeen,
  checkImages as checkResult,
  deidentifyImage as deidentify,
  findBrain,
  type LibraryOptions as DeidentifyOptions,
  type PlatformServices as DeidentifyServices,
  type WhatToCheck,
} from './deidentify/library.js';
export type { Deidentified, DeidentifiedImage, ImageToTreat } from './deidentify/pipeline.js';
export { freshSeed, parseSeed } from './deidentify/seed.js';
export { VERSION } from './deidentify/version.js';
// What happened
export {
  FAILURES,
  Failure,
  type FailureTag,
  isRefusal,
  REFUSALS,
  Refusal,
  type RefusalTag,
} from './errors/errors.js';
export { createImage, imageLike } from './formats/create-image.js';
// Files in memory
export {
  type Datatype,
  type DecodeOptions,
  decodeImage,
  type EncodeOptions,
  encodeImage,
  finiteVolume,
  type Gzip,
  type ImageFiles,
  type NamedBytes,
  type Scaling,
  type StoredArray,
  type StoredImage,
  scaledData,
} from './formats/stored-image.js';
export type {
  Alteration,
  BrainConditioning,
  MethodContext,
  RemodellingMethod,
  RemovalMethod,
  Seed,
} from './methods/method.js';
export { createMethods, type Method, MethodRegistry } from './methods/registry.js';
// Networks
export { type ModelDescription, parseModelDescription } from './networks/catalogue.js';
export { fromOrt, toOrt } from './networks/ort-tensors.js';
export type { NetworkRunner, Tensor } from './networks/runner.js';
// Pictures
export { prepareSurface } from './render/field.js';
export type { PixelImage } from './render/image.js';
export { type Deflate, encodePng } from './render/png.js';
export { shade } from './render/shade.js';
export { castSurface } from './render/surface.js';
export { parseView, VIEWS, type View } from './render/views.js';
export { type Provenance, type QcContent, qcPage } from './report/qc.js';
// Volumes
export { type Affine, applyAffine, invert, multiply, type Vec3 } from './volume/affine.js';
export {
  type Grid,
  type Mask,
  type Shape,
  sameGrid,
  type Volume,
  type VoxelArray,
  voxelCount,
  voxelMillilitres,
  voxelSizes,
} from './volume/volume.js';
