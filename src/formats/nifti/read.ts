/**
 * NIfTI-1 and NIfTI-2 headers, either byte order: every field that is used is checked before it is believed.
 *
 * @example
 * const { grid, datatype, voxelOffset } = parseNifti(openingBytes);
 */
import { Refusal } from '../../errors/errors.js';
import type { Affine } from '../../volume/affine.js';
import type { Shape } from '../../volume/volume.js';
import { DATATYPES, type Datatype } from '../datatypes.js';
import { readField, readOne } from '../fields.js';
import { type Scaling, UNSCALED } from '../image.js';
import { checkedGrid, checkSize, MAX_VOXEL_OFFSET } from '../limits.js';
import type { ParsedHeader } from '../read-voxels.js';
import { pixdimAffine, qformAffine, sformAffine } from './geometry.js';
import {
  NIFTI_DATATYPES,
  NIFTI_UNSUPPORTED,
  type NiftiField,
  type NiftiLayout,
  niftiKind,
} from './layout.js';

/** Some writers pad files; more than a megabyte after the voxels means that the dimensions are wrong. */
const SLACK_BYTES = 1 << 20;
/** 0 none, 1 scanner, 2 aligned, 3 Talairach, 4 MNI, 5 other template. */
const LAST_FORM_CODE = 5;

/** NiiVue 0.69 converts int32 and uint32 to float64, keeps their bitpix and loses the last voxel. */
const SAVED_BY_NIIVUE =
  ' (NiiVue saves 32-bit integers so; take the file that it was saved from, or save it with another program)';

const invalid = (message: string): Refusal => new Refusal('header-invalid', message);

/**
 * @param bytes the file from its first byte, at least 348 (NIfTI-1) or 540 (NIfTI-2) of them
 * @throws {Refusal} not-an-image, header-invalid, datatype-unsupported, not-3d, too-large, geometry-invalid
 */
export function parseNifti(bytes: Uint8Array): ParsedHeader {
  const kind = niftiKind(bytes);
  if (kind === undefined) throw new Refusal('not-an-image', 'expected a NIfTI magic, found none');
  const { layout, container } = kind;
  const littleEndian = byteOrder(bytes, layout);
  const one = (name: NiftiField): number => readOne(bytes, layout.fields[name], littleEndian);

  const size = one('sizeofHeader');
  if (size !== layout.headerBytes)
    throw invalid(`expected a header of ${layout.headerBytes} bytes, found sizeof_hdr ${size}`);
  const { shape, volumes } = dimensions(readField(bytes, layout.fields.dim, littleEndian));
  const datatype = voxelType(one('datatype'), one('bitpix'));
  const voxelBytes = checkSize(shape, volumes, datatype);
  return {
    format: layout.format,
    container,
    grid: checkedGrid(shape, preferredAffine(bytes, layout, shape, littleEndian)),
    volumes,
    datatype,
    scaling: scaling(one('slope'), one('intercept')),
    littleEndian,
    header: new Uint8Array(bytes.subarray(0, layout.headerBytes)),
    voxelOffset: voxelOffset(one('voxelOffset'), container === 'single' ? layout.singleOffset : 0),
    voxelBytes,
    slackBytes: SLACK_BYTES,
  };
}

/** True for little endian: the standard's own test, the order in which dim[0] is 1 to 7. */
function byteOrder(bytes: Uint8Array, layout: NiftiLayout): boolean {
  const ranks = [true, false].map((little) => readOne(bytes, layout.fields.dim, little));
  const index = ranks.findIndex((rank) => rank >= 1 && rank <= 7);
  if (index === -1) throw invalid(`expected 1 to 7 dimensions, found dim[0] = ${ranks[0]}`);
  return index === 0;
}

function dimensions(dim: readonly number[]): { shape: Shape; volumes: number } {
  const [rank = 0, ...counts] = dim;
  const used = counts.slice(0, rank);
  const bad = used.find((n) => n < 1 || n > 2 ** 31);
  if (bad !== undefined) throw invalid(`expected dimensions of at least 1, found ${used.join(' x ')}`);
  const [nx = 1, ny = 1, nz = 1, volumes = 1, ...more] = used;
  if (rank < 3 || more.some((n) => n !== 1))
    throw new Refusal(
      'not-3d',
      `expected a volume or a series of volumes, found ${rank} dimensions ${used.join(' x ')}`,
    );
  return { shape: [nx, ny, nz], volumes };
}

function voxelType(code: number, bitpix: number): Datatype {
  const datatype = NIFTI_DATATYPES[code];
  if (datatype === undefined)
    throw new Refusal(
      'datatype-unsupported',
      `expected real integer or floating-point voxels of at most 64 bits, found ${NIFTI_UNSUPPORTED[code] ?? 'a type outside the standard'} (datatype ${code})`,
    );
  const bits = DATATYPES[datatype].bytes * 8;
  if (bitpix !== bits)
    throw invalid(
      `expected bitpix ${bits} beside datatype ${code} (${datatype}), found bitpix ${bitpix}: the two contradict each other${bitpix === 32 && datatype === 'float64' ? SAVED_BY_NIIVUE : ''}`,
    );
  return datatype;
}

function voxelOffset(offset: number, least: number): number {
  if (!Number.isInteger(offset) || offset < least)
    throw invalid(`expected voxels to begin at a whole byte from ${least} on, found vox_offset ${offset}`);
  if (offset > MAX_VOXEL_OFFSET)
    throw new Refusal(
      'too-large',
      `expected voxels to begin within ${MAX_VOXEL_OFFSET} bytes, found vox_offset ${offset}`,
    );
  return offset;
}

/** A slope of 0 or one that is not finite means that stored values are the values. */
function scaling(slope: number, intercept: number): Scaling {
  if (!Number.isFinite(slope) || slope === 0) return UNSCALED;
  if (!Number.isFinite(intercept))
    throw invalid(`expected a finite scl_inter beside scl_slope ${slope}, found ${intercept}`);
  return { slope, intercept };
}

function formCode(bytes: Uint8Array, layout: NiftiLayout, form: 'qform' | 'sform', little: boolean): number {
  const code = readOne(bytes, layout.fields[`${form}Code`], little);
  if (code < 0 || code > LAST_FORM_CODE)
    throw invalid(`expected a ${form}_code of 0 to ${LAST_FORM_CODE}, found ${code}`);
  return code;
}

/** sform if it has a code, else qform if it has one, else voxel sizes. A form with a code must be usable. */
function preferredAffine(bytes: Uint8Array, layout: NiftiLayout, shape: Shape, little: boolean): Affine {
  const pixdim = readField(bytes, layout.fields.pixdim, little);
  if (pixdim.slice(0, 4).some((v) => !Number.isFinite(v)))
    throw new Refusal(
      'geometry-invalid',
      `expected finite voxel sizes in pixdim, found ${pixdim.slice(0, 4).join(', ')}`,
    );
  const forms: Affine[] = [];
  if (formCode(bytes, layout, 'sform', little) > 0)
    forms.push(checkedGrid(shape, storedSform(bytes, layout, little)).affine);
  if (formCode(bytes, layout, 'qform', little) > 0)
    forms.push(checkedGrid(shape, storedQform(bytes, layout, little)).affine);
  return forms[0] ?? pixdimAffine(shape, pixdim);
}

/** The sform's numbers, whatever its code. */
export function storedSform(header: Uint8Array, layout: NiftiLayout, little: boolean): Affine {
  return sformAffine(readField(header, layout.fields.srow, little));
}

/** The qform's numbers, whatever its code. @throws {Refusal} geometry-invalid */
export function storedQform(header: Uint8Array, layout: NiftiLayout, little: boolean): Affine {
  return qformAffine(
    readField(header, layout.fields.quaternion, little),
    readField(header, layout.fields.qoffset, little),
    readField(header, layout.fields.pixdim, little),
  );
}
