/**
 * Images that were not read from a file: new ones from voxels and a grid, and ones on the grid of another (a mask
 * beside its scan).
 *
 * @example
 * const mask = imageLike(scan, brainMask.data); // uint8, same grid and codes as the scan
 * const files = await encodeImage(mask, mask.stored, nodeGzip, { name: 'mask.nii.gz' });
 */
import { Failure } from '../errors/errors.js';
import { requireGiven } from '../errors/require-given.js';
import { type Affine, at } from '../volume/affine.js';
import { type Grid, voxelCount, voxelSizes } from '../volume/volume.js';
import { codecOf } from './codecs.js';
import { DATATYPES, type Datatype, type StoredArray } from './datatypes.js';
import { writeField } from './fields.js';
import { type Described, type StoredImage, UNSCALED } from './image.js';
import { checkedGrid } from './limits.js';
import { NIFTI1 } from './nifti/layout.js';

export function datatypeOf(stored: StoredArray): Datatype {
  const found = (Object.keys(DATATYPES) as Datatype[]).find(
    (name) => stored instanceof DATATYPES[name].array,
  );
  if (found === undefined) throw new Failure('internal', 'not an array of voxels');
  return found;
}

function volumeCount(stored: StoredArray, grid: Grid): number {
  const volumes = stored.length / voxelCount(grid.shape);
  if (!Number.isInteger(volumes) || volumes < 1)
    throw new Failure('internal', `${stored.length} voxels on a grid of ${voxelCount(grid.shape)}`);
  return volumes;
}

const SFORM_ALIGNED = 2;
const UNITS_MM = 2;

/**
 * A little-endian NIfTI-1 image without scaling, its affine in the sform (code 2) in single precision.
 * @param stored a whole number of volumes of the grid
 * @throws {Refusal} geometry-invalid when the affine is not finite or not invertible
 */
export function createImage(grid: Grid, stored: StoredArray): StoredImage {
  requireGiven(grid, 'a grid', ['shape', 'affine']);
  requireGiven(stored, 'voxels in a typed array', ['buffer']);
  const header = new Uint8Array(NIFTI1.headerBytes);
  const { fields } = NIFTI1;
  const rows = grid.affine.slice(0, 12).map(Math.fround);
  const affine: Affine = [...rows, 0, 0, 0, 1];
  writeField(header, fields.pixdim, [1, ...voxelSizes(grid), 1, 1, 1, 1], true);
  writeField(header, fields.sformCode, [SFORM_ALIGNED], true);
  writeField(
    header,
    fields.srow,
    [0, 1, 2].flatMap((r) => [0, 1, 2, 3].map((c) => at(affine, r, c))),
    true,
  );
  writeField(header, fields.units, [UNITS_MM], true);
  const like: Described = {
    format: NIFTI1.format,
    grid: checkedGrid(grid.shape, affine),
    volumes: 1,
    datatype: 'uint8',
    scaling: [UNSCALED],
    files: [{ header }],
    littleEndian: true,
  };
  return imageLike(like, stored);
}

/**
 * An image with other voxels on the grid of `like`: same format, byte order, affines and codes; the type and the
 * number of volumes are those of `stored`; no scaling.
 * @throws {Failure} internal when the format cannot hold the type (MGH: int8, uint32, 64 bits)
 */
export function imageLike(like: Described, stored: StoredArray): StoredImage {
  const datatype = datatypeOf(stored);
  const volumes = volumeCount(stored, like.grid);
  const files = codecOf(like.format).retype(like, datatype, volumes);
  if (files === undefined) throw new Failure('internal', `${like.format} holds no ${datatype}`);
  return { ...like, datatype, volumes, stored, scaling: [UNSCALED], files };
}
