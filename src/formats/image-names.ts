/**
 * What an image's file name says: which format, whether it is compressed, and which files belong to it.
 *
 * @example
 * imageName('sub-01.img.gz'); // { kind: 'nifti-pair', compressed: true, files: ['sub-01.hdr.gz', 'sub-01.img.gz'] }
 */
import { Refusal } from '../errors/errors.js';

export interface ImageName {
  readonly kind: 'nifti-single' | 'nifti-pair' | 'mgh';
  readonly compressed: boolean;
  /** The file that the header is in, then (for a pair) the one with the voxels. */
  readonly files: readonly [string] | readonly [string, string];
}

/**
 * @param name a file name or a path; the ending counts, in any case
 * @throws {Refusal} option-invalid for any other ending
 */
export function imageName(name: string): ImageName {
  const match = /^(.*)\.(nii|hdr|img|mgh|mgz)(\.gz)?$/is.exec(name);
  const [, stem = '', ending = '', gz = ''] = match ?? [];
  switch (ending.toLowerCase()) {
    case 'nii':
      return { kind: 'nifti-single', compressed: gz !== '', files: [name] };
    case 'hdr':
    case 'img': {
      const upper = ending === ending.toUpperCase();
      const part = (text: string): string => `${stem}.${upper ? text.toUpperCase() : text}${gz}`;
      return { kind: 'nifti-pair', compressed: gz !== '', files: [part('hdr'), part('img')] };
    }
    case 'mgh':
      return { kind: 'mgh', compressed: gz !== '', files: [name] };
    case 'mgz':
      if (gz === '') return { kind: 'mgh', compressed: true, files: [name] };
  }
  throw new Refusal(
    'option-invalid',
    'expected an image name that ends in .nii, .nii.gz, .hdr, .img (or with .gz), .mgh or .mgz, found another ending',
  );
}
