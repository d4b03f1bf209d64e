/**
 * Staging images for writing: an encoded image is one file, or two for a header-and-image pair.
 *
 * @example
 * await claimImage(outputs, 'mask.nii.gz');
 * await stageImage(outputs, 'mask.nii.gz', await encodeMask(scan, mask, 'mask.nii.gz'));
 */
import { HEADER_DESCRIPTION } from '../deidentify/version.js';
import { imageFileNames } from '../formats/codecs.js';
import { imageLike } from '../formats/create-image.js';
import { encodeImage, type ImageFiles, type StoredImage } from '../formats/stored-image.js';
import type { Mask } from '../volume/volume.js';
import { nodeGzip } from './gzip.js';
import type { Outputs } from './outputs.js';

/** @throws {Refusal} option-invalid for an ending that is no image's, and as `Outputs.claim` */
export async function claimImage(outputs: Outputs, path: string): Promise<void> {
  for (const file of imageFileNames(path)) await outputs.claim(file);
}

/** The voxels of a pair first: a header announces an image that is there. @param files named by the path that was claimed */
export async function stageImage(outputs: Outputs, files: ImageFiles): Promise<void> {
  for (const { name, bytes } of [...files].reverse()) await outputs.stage(name, bytes);
}

/** A mask as an unsigned-byte image on the grid and in the format of `like`. */
export async function encodeMask(like: StoredImage, mask: Mask, path: string): Promise<ImageFiles> {
  const image = imageLike(like, mask.data);
  return encodeImage(image, image.stored, nodeGzip, { name: path, description: HEADER_DESCRIPTION });
}
