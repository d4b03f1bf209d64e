/**
 * What every format's header comes down to once it has been read and checked.
 *
 * @example
 * const header = parseNifti(bytes) ; // header.grid.shape, header.voxelOffset
 */
import type { Grid } from '../volume/volume.js';
import type { Datatype } from './datatypes.js';

export interface ParsedHeader {
  readonly format: 'nifti1' | 'nifti2' | 'mgh';
  readonly container: 'single' | 'pair';
  readonly grid: Grid;
  readonly frames: number;
  readonly datatype: Datatype;
  /** value = stored * slope + intercept; 1 and 0 when the header asks for no scaling. */
  readonly slope: number;
  readonly intercept: number;
  readonly littleEndian: boolean;
  /** The header's bytes as they were, without extensions. */
  readonly header: Uint8Array;
  /** Byte at which voxels begin, in the inflated file that holds them. */
  readonly voxelOffset: number;
  readonly voxelBytes: number;
  /** Bytes that may follow the voxels. */
  readonly slackBytes: number;
}
