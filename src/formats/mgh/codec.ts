/**
 * FreeSurfer's MGH and MGZ as a codec.
 *
 * @example
 * mghCodec.fileNames('T1.mgz'); // { compressed: true, files: ['T1.mgz'] }
 */
import type { ImageCodec } from '../codec.js';
import { valueBytes } from '../datatypes.js';
import { splitName } from '../names.js';
import { packFiles } from '../pack.js';
import { readVoxels } from '../read-voxels.js';
import { auditMgh } from './audit.js';
import { isMgh, mghHeader, mghRetyped, parseMgh } from './header.js';

export const mghCodec: ImageCodec = {
  format: 'mgh',
  title: 'MGH',
  endings: ['.mgh', '.mgz'],
  sniff: (opening) => (isMgh(opening) ? 'whole' : undefined),
  fileNames(name) {
    const { ending, gz } = splitName(name);
    const lower = ending.toLowerCase();
    if (lower === 'mgh') return { compressed: gz !== '', files: [name] };
    return lower === 'mgz' && gz === '' ? { compressed: true, files: [name] } : undefined;
  },
  read: (files, gzip) => readVoxels(parseMgh(files[0].opening), files, gzip),
  // The format has no free text: a description has no place in it.
  write: (like, stored, gzip, { names }) =>
    packFiles(names, [[mghHeader(like.files[0].header), valueBytes(stored, like.littleEndian)]], gzip),
  retype(like, datatype, volumes) {
    const header = mghRetyped(like.files[0].header, datatype, volumes);
    return header === undefined ? undefined : [{ header }];
  },
  audit: auditMgh,
  doubts: () => [],
};
