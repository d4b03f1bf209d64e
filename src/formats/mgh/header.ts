/**
 * FreeSurfer's MGH header (always big endian): read, checked, and rebuilt with nothing but size, type and geometry.
 * The footer (repetition, echo and inversion time) and the tags after it (command lines, paths) are dropped.
 *
 * @example
 * const { grid, datatype } = parseMgh(openingBytes);
 */
import { Refusal } from '../../errors/errors.js';
import type { Affine } from '../../volume/affine.js';
import type { Shape } from '../../volume/volume.js';
import type { Datatype } from '../datatypes.js';
import { copyField, type Field, readField, readOne, writeField } from '../fields.js';
import { UNSCALED } from '../image.js';
import { checkedGrid, checkSize } from '../limits.js';
import type { ParsedHeader } from '../read-voxels.js';

export const MGH_HEADER_BYTES = 284;
/** Footer and tags; FreeSurfer keeps transforms and every command line there. */
const SLACK_BYTES = 1 << 24;

const FIELDS = {
  version: { at: 0, kind: 'i32', count: 1 },
  dims: { at: 4, kind: 'i32', count: 4 },
  type: { at: 20, kind: 'i32', count: 1 },
  goodRas: { at: 28, kind: 'i16', count: 1 },
  delta: { at: 30, kind: 'f32', count: 3 },
  directions: { at: 42, kind: 'f32', count: 9 },
  centre: { at: 78, kind: 'f32', count: 3 },
} as const satisfies Record<string, Field>;

const MGH_DATATYPES: Readonly<Record<number, Datatype>> = {
  0: 'uint8',
  1: 'int32',
  3: 'float32',
  4: 'int16',
  10: 'uint16',
};
const MGH_UNSUPPORTED: Readonly<Record<number, string>> = {
  2: 'long',
  5: 'bitmap',
  6: 'tensor',
  7: 'complex float',
  8: 'complex double',
  9: 'RGB',
};

/** What FreeSurfer assumes when the geometry is not marked as good: 1 mm, coronal slices (LIA). */
const DEFAULT_DELTA = [1, 1, 1];
const DEFAULT_DIRECTIONS = [-1, 0, 0, 0, 0, -1, 0, 1, 0];
const DEFAULT_CENTRE = [0, 0, 0];

export function isMgh(bytes: Uint8Array): boolean {
  return bytes.length >= MGH_HEADER_BYTES && readOne(bytes, FIELDS.version, false) === 1;
}

/**
 * @param bytes the inflated file from its first byte, at least 284 of them
 * @throws {Refusal} not-an-image, header-invalid, datatype-unsupported, not-3d, too-large, geometry-invalid
 */
export function parseMgh(bytes: Uint8Array): ParsedHeader {
  if (!isMgh(bytes)) throw new Refusal('not-an-image', 'expected an MGH file of version 1, found none');
  const dims = readField(bytes, FIELDS.dims, false);
  const [nx = 0, ny = 0, nz = 0, volumes = 0] = dims;
  if (dims.some((n) => n < 1))
    throw new Refusal('header-invalid', `expected dimensions of at least 1, found ${dims.join(' x ')}`);
  const code = readOne(bytes, FIELDS.type, false);
  const datatype = MGH_DATATYPES[code];
  if (datatype === undefined)
    throw new Refusal(
      'datatype-unsupported',
      `expected uchar, short, ushort, int or float voxels, found ${MGH_UNSUPPORTED[code] ?? 'an unknown type'} (type ${code})`,
    );
  const shape: Shape = [nx, ny, nz];
  const voxelBytes = checkSize(shape, volumes, datatype);
  return {
    format: 'mgh',
    container: 'single',
    grid: checkedGrid(shape, mghAffine(bytes, shape)),
    volumes,
    datatype,
    scaling: UNSCALED,
    littleEndian: false,
    header: new Uint8Array(bytes.subarray(0, MGH_HEADER_BYTES)),
    voxelOffset: MGH_HEADER_BYTES,
    voxelBytes,
    slackBytes: SLACK_BYTES,
  };
}

function mghAffine(bytes: Uint8Array, shape: Shape): Affine {
  const good = readOne(bytes, FIELDS.goodRas, false) !== 0;
  const delta = good ? readField(bytes, FIELDS.delta, false) : DEFAULT_DELTA;
  const directions = good ? readField(bytes, FIELDS.directions, false) : DEFAULT_DIRECTIONS;
  const centre = good ? readField(bytes, FIELDS.centre, false) : DEFAULT_CENTRE;
  // Directions are stored axis by axis: x_r x_a x_s y_r ...; the centre is the world position of voxel shape / 2.
  const affine = new Array<number>(16).fill(0);
  for (let row = 0; row < 3; row++) {
    let start = centre[row] ?? Number.NaN;
    for (let axis = 0; axis < 3; axis++) {
      const step = (directions[axis * 3 + row] ?? Number.NaN) * (delta[axis] ?? Number.NaN);
      affine[row * 4 + axis] = step;
      start -= (step * (shape[axis] ?? Number.NaN)) / 2;
    }
    affine[row * 4 + 3] = start;
  }
  affine[15] = 1;
  return affine;
}

/** The 284 bytes of a result's header: dimensions, type and geometry of the original, all else zero. */
export function mghHeader(original: Uint8Array): Uint8Array {
  const out = new Uint8Array(MGH_HEADER_BYTES);
  writeField(out, FIELDS.version, [1], false);
  copyField(original, out, FIELDS.dims);
  copyField(original, out, FIELDS.type);
  if (readOne(original, FIELDS.goodRas, false) !== 0) {
    writeField(out, FIELDS.goodRas, [1], false);
    for (const field of [FIELDS.delta, FIELDS.directions, FIELDS.centre]) copyField(original, out, field);
  }
  return out;
}

/** A copy of a header with another voxel type and number of volumes. */
export function mghRetyped(
  original: Uint8Array,
  datatype: Datatype,
  volumes: number,
): Uint8Array | undefined {
  const code = Object.keys(MGH_DATATYPES).find((key) => MGH_DATATYPES[Number(key)] === datatype);
  if (code === undefined) return undefined;
  const out = new Uint8Array(original);
  writeField(out, FIELDS.type, [Number(code)], false);
  const [nx = 0, ny = 0, nz = 0] = readField(original, FIELDS.dims, false);
  writeField(out, FIELDS.dims, [nx, ny, nz, volumes], false);
  return out;
}
