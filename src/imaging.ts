/**
 * Volumes, pictures and brains as this package computes them, for programs that measure what it does (the ruler) or work
 * beside it: the same resampling, the same morphology, the same random stream. Everything here runs in Node and in the
 * browser; it is less settled than `prosopon`, and may change with a minor version.
 *
 * @example
 * import { canonicalGrid, resampleLinear, sampleNearest } from 'prosopon/imaging';
 * const upright = resampleLinear(volume, canonicalGrid(volume.grid));
 */

// Brains
export { BRAIN_MODEL } from './brain/crop.js';
export { type BrainExtraction, extractBrain } from './brain/extract.js';
export { type Head, makeHead } from './brain/head.js';
export { type BrainIntensity, brainIntensity, measureIntensity } from './brain/intensity.js';
export { MODEL_CENTRE, MODEL_EDGE_MM, modelGrid } from './brain/model-grid.js';
export { maskFromLabels } from './brain/reference-mask.js';
// What program and training agree on
export { type ContractClass, SEGMENTATION_CLASSES } from './contract/contract.js';
// The pipeline, all of it to be said
export {
  type DeidentifyInput,
  type DeidentifyOptions as PipelineOptions,
  type DeidentifyServices as PipelineServices,
  deidentify as runPipeline,
  FOUND_MARGIN_MM,
} from './deidentify/pipeline.js';
export { HEADER_DESCRIPTION } from './deidentify/version.js';
export { cpMaeMean } from './methods/cp-mae/cp-mae.js';
// Pictures
export { prepareSurface, type SurfaceField } from './render/field.js';
export { blank, montage, type PixelImage, type Rgb, toRgb } from './render/image.js';
export { html, type Markup, renderMarkup, renderPage } from './render/markup.js';
export { drawText, TEXT_HEIGHT, textWidth } from './render/pixel-text.js';
export { type Deflate, encodePng, storedDeflate } from './render/png.js';
export { PORTRAIT, PORTRAIT_FOV_MM, portrait } from './render/portrait.js';
export { dataBlock, type ScriptedPage, scriptedPage } from './render/scripted-page.js';
export { GREY, type ShadeStyle, shade } from './render/shade.js';
export { type Plane, renderSlices } from './render/slices.js';
export { castSurface } from './render/surface.js';
export { VIEWS, type View } from './render/views.js';
// Volumes
export {
  type Affine,
  applyAffine,
  at,
  invert,
  multiply,
  rotation,
  translation,
  type Vec3,
} from './volume/affine.js';
export { base64 } from './volume/bytes.js';
export { canonicalGrid } from './volume/canonical-grid.js';
export { largestComponent } from './volume/components.js';
export { dice } from './volume/dice.js';
export { dilateMm, erodeMm, invertMask, squaredDistance } from './volume/morphology.js';
export { sampleNearest } from './volume/nearest.js';
export { Random } from './volume/random.js';
export { gridToGrid, resampleLinear } from './volume/resample.js';
export { hex, sha256 } from './volume/sha256.js';
export { gaussianSmooth } from './volume/smooth.js';
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
