/**
 * What every format checks before memory is taken: dimensions, sizes and geometry.
 *
 * @example
 * checkSize([256, 256, 176], 1, 'int16'); // 23068672 bytes
 */
import { Refusal } from '../errors/errors.js';
import { type Affine, determinant3 } from '../volume/affine.js';
import { type Grid, type Shape, voxelSizes } from '../volume/volume.js';
import { DATATYPES, type Datatype } from './datatypes.js';

/** Node reads no file over 2 GiB at once, and a page has no more memory than that. */
export const MAX_VOXEL_BYTES = 2 ** 31 - 2 ** 20;
/** One volume as Float32 takes 1 GiB at this count (645^3); 512^3 at 0.5 mm is half of it. */
export const MAX_VOLUME_VOXELS = 2 ** 28;
/** Fewer slices than this are a localiser or a slab: nothing that a head can be found in. */
export const MIN_SLICES = 8;
/** Extensions and gaps before the voxels; the largest in use (CIFTI's XML) are some tens of megabytes. */
export const MAX_VOXEL_OFFSET = 2 ** 28;
/** Voxel edges in mm. Outside of this the numbers are not millimetres. */
const EDGE_MM = { min: 0.01, max: 100 } as const;

/**
 * Bytes of all voxels of the image.
 * @throws {Refusal} not-3d for fewer than 8 voxels along an axis, too-large
 */
export function checkSize(shape: Shape, volumes: number, datatype: Datatype): number {
  const found = `${shape.join(' x ')}${volumes === 1 ? '' : ` x ${volumes}`}`;
  if (shape.some((n) => n < MIN_SLICES))
    throw new Refusal(
      'not-3d',
      `expected a volume of at least ${MIN_SLICES} voxels along each axis, found ${found}`,
    );
  const perVolume = shape[0] * shape[1] * shape[2];
  if (perVolume > MAX_VOLUME_VOXELS)
    throw new Refusal(
      'too-large',
      `expected at most ${MAX_VOLUME_VOXELS} voxels in a volume, found ${found} = ${perVolume}`,
    );
  const bytes = perVolume * volumes * DATATYPES[datatype].bytes;
  if (bytes > MAX_VOXEL_BYTES)
    throw new Refusal(
      'too-large',
      `expected at most ${MAX_VOXEL_BYTES} bytes of voxels (2 GiB), found ${found} of ${datatype} = ${bytes}`,
    );
  return bytes;
}

/**
 * A grid with a usable affine: finite, invertible, voxels of 0.01 to 100 mm.
 * @throws {Refusal} geometry-invalid
 */
export function checkedGrid(shape: Shape, affine: Affine): Grid {
  if (affine.some((v) => !Number.isFinite(v)))
    throw new Refusal('geometry-invalid', 'expected an affine of finite numbers, found one that is not');
  const grid: Grid = { shape, affine };
  const edges = voxelSizes(grid);
  if (edges.some((mm) => mm < EDGE_MM.min || mm > EDGE_MM.max))
    throw new Refusal(
      'geometry-invalid',
      `expected voxel edges of ${EDGE_MM.min} to ${EDGE_MM.max} mm, found ${edges.map((mm) => mm.toPrecision(3)).join(' x ')}`,
    );
  // The volume of the cell over that of a box with its edges: 1 for a right-angled grid, 0 for a flat one.
  const squareness = Math.abs(determinant3(affine)) / (edges[0] * edges[1] * edges[2]);
  if (squareness < 1e-3)
    throw new Refusal(
      'geometry-invalid',
      `expected an invertible affine, found axes that span no volume (relative determinant ${squareness.toExponential(1)})`,
    );
  return grid;
}
