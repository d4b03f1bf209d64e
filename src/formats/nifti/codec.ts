/**
 * NIfTI-1 and NIfTI-2 as codecs: one file, or header and voxels apart; compressed or not; either byte order.
 *
 * @example
 * nifti1Codec.fileNames('a.img.gz'); // { compressed: true, files: ['a.hdr.gz', 'a.img.gz'] }
 */
import type { ImageCodec } from '../codec.js';
import { DATATYPES, type Datatype, valueBytes } from '../datatypes.js';
import { writeField } from '../fields.js';
import type { Described } from '../image.js';
import { type FileNames, splitName } from '../names.js';
import { packFiles } from '../pack.js';
import { readVoxels } from '../read-voxels.js';
import { auditNifti } from './audit.js';
import { niftiDoubts } from './doubts.js';
import { NIFTI1, NIFTI2, type NiftiLayout, niftiCode, niftiKind } from './layout.js';
import { parseNifti } from './read.js';
import { niftiHeader } from './write.js';

function fileNames(name: string): FileNames | undefined {
  const { stem, ending, gz } = splitName(name);
  switch (ending.toLowerCase()) {
    case 'nii':
      return { compressed: gz !== '', files: [name] };
    case 'hdr':
    case 'img': {
      const upper = ending === ending.toUpperCase();
      const part = (text: string): string => `${stem}.${upper ? text.toUpperCase() : text}${gz}`;
      return { compressed: gz !== '', files: [part('hdr'), part('img')] };
    }
    default:
      return undefined;
  }
}

function retyped(like: Described, layout: NiftiLayout, datatype: Datatype, volumes: number): Uint8Array {
  const { fields } = layout;
  const header = new Uint8Array(like.files[0].header);
  const write = (name: keyof typeof fields, values: readonly number[]): void =>
    writeField(header, fields[name], values, like.littleEndian);
  write('dim', [volumes > 1 ? 4 : 3, ...like.grid.shape, volumes, 1, 1, 1]);
  write('datatype', [niftiCode(datatype)]);
  write('bitpix', [DATATYPES[datatype].bytes * 8]);
  write('slope', [1]);
  write('intercept', [0]);
  return header;
}

function niftiCodec(layout: NiftiLayout): ImageCodec {
  return {
    format: layout.format,
    title: 'NIfTI',
    endings: ['.nii', '.nii.gz', '.hdr', '.img'],
    sniff(opening) {
      const kind = niftiKind(opening);
      if (kind?.layout !== layout) return undefined;
      return kind.container === 'single' ? 'whole' : 'header';
    },
    fileNames,
    read: (files, gzip) => readVoxels(parseNifti(files[0].opening), files, gzip),
    write(like, stored, gzip, { names, description }) {
      const container = names.files.length > 1 ? 'pair' : 'single';
      const header = niftiHeader(like.files[0].header, layout, {
        littleEndian: like.littleEndian,
        container,
        grid: like.grid,
        ...(description === undefined ? {} : { description }),
      });
      const voxels = valueBytes(stored, like.littleEndian);
      return packFiles(names, container === 'pair' ? [[header], [voxels]] : [[header, voxels]], gzip);
    },
    retype: (like, datatype, volumes) => [{ header: retyped(like, layout, datatype, volumes) }],
    audit: (original, result, description) => auditNifti(layout.format, original, result, description),
    doubts: (image) => niftiDoubts(image, layout),
  };
}

export const nifti1Codec = niftiCodec(NIFTI1);
export const nifti2Codec = niftiCodec(NIFTI2);
