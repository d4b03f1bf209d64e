/**
 * The public library: everything here runs in Node and in the browser. What needs Node (files, processes) is in
 * `prosopon/node`.
 *
 * Only what stands here is public. Names are added and removed on purpose: test/public-api.test.ts lists them.
 *
 * @example
 * import { decodeImage, deidentify, Refusal } from 'prosopon';
 * import { nodeGzip, NodeNetworkRunner } from 'prosopon/node';
 */

// Heads and methods
export { type Head, makeHead } from './brain/head.js';
// The pipeline
export {
  type Deidentified,
  type DeidentifiedImage,
  type DeidentifyInput,
  type DeidentifyOptions,
  type DeidentifyServices,
  deidentify,
  type ImageToTreat,
} from './deidentify/pipeline.js';
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
// Files in memory
export {
  type Datatype,
  type DecodeOptions,
  decodeImage,
  type EncodeOptions,
  encodeImage,
  type Gzip,
  type ImageFiles,
  type StoredArray,
  type StoredImage,
} from './formats/stored-image.js';
export { frameValues } from './formats/voxels.js';
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
export type { NetworkRunner, Tensor } from './networks/runner.js';
// Pictures
export { prepareSurface } from './render/field.js';
export type { PixelImage } from './render/image.js';
export { type Deflate, encodePng } from './render/png.js';
export { shade } from './render/shade.js';
export { castSurface } from './render/surface.js';
export { parseView, VIEWS, type View } from './render/views.js';
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
