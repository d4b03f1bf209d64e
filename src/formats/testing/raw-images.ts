/**
 * Images for tests, written byte by byte from the standards' tables and not with the code under test.
 *
 * @example
 * const bytes = rawNifti({ datatype: 'int16', littleEndian: false, values: [0, 1, 2], shape: [8, 8, 8] });
 */
import type { Datatype } from '../datatypes.js';

export interface RawNifti {
  version?: 1 | 2;
  littleEndian?: boolean;
  /** dim[1] and on; dim[0] is its length. */
  dim?: readonly number[];
  datatype?: Datatype;
  /** Repeated over the voxels. */
  values?: readonly (number | bigint)[];
  slope?: number;
  intercept?: number;
  pixdim?: readonly number[];
  qformCode?: number;
  sformCode?: number;
  quaternion?: readonly number[];
  qoffset?: readonly number[];
  srow?: readonly number[];
  units?: number;
  /** Bytes between header and voxels, after the four that announce them. */
  extension?: Uint8Array;
  pair?: boolean;
  /** Changes the header in place; what is said here wins. */
  patch?: (header: DataView) => void;
}

const CODES: Readonly<Record<Datatype, readonly [code: number, bytes: number]>> = {
  uint8: [2, 1],
  int16: [4, 2],
  int32: [8, 4],
  float32: [16, 4],
  float64: [64, 8],
  int8: [256, 1],
  uint16: [512, 2],
  uint32: [768, 4],
  int64: [1024, 8],
  uint64: [1280, 8],
};

function put(view: DataView, at: number, type: Datatype, value: number | bigint, little: boolean): void {
  const n = Number(value);
  const writers: Readonly<Record<Datatype, () => void>> = {
    int8: () => view.setInt8(at, n),
    uint8: () => view.setUint8(at, n),
    int16: () => view.setInt16(at, n, little),
    uint16: () => view.setUint16(at, n, little),
    int32: () => view.setInt32(at, n, little),
    uint32: () => view.setUint32(at, n, little),
    int64: () => view.setBigInt64(at, BigInt(value), little),
    uint64: () => view.setBigUint64(at, BigInt(value), little),
    float32: () => view.setFloat32(at, n, little),
    float64: () => view.setFloat64(at, n, little),
  };
  writers[type]();
}

export const OBLIQUE: readonly number[] = [0.9, -0.1, 0.2, -80, 0.12, 0.95, -0.1, -100, -0.2, 0.1, 1.2, -60];

/** Header and voxels as separate arrays; `rawNifti` joins them. */
export function rawNiftiParts(options: RawNifti = {}): { header: Uint8Array; voxels: Uint8Array } {
  const { version = 1, littleEndian: le = true, dim = [9, 10, 8], datatype = 'int16' } = options;
  const { slope = 0, intercept = 0, extension = new Uint8Array(0), pair = false } = options;
  const { sformCode = 1, qformCode = 0, srow = OBLIQUE, values = [0, 1, 2, 3, 4, 5, 6] } = options;
  const { pixdim = [1, 0.93, 0.96, 1.22, 1, 1, 1, 1], quaternion = [0, 0, 0], qoffset = [0, 0, 0] } = options;
  const [code, width] = CODES[datatype];
  const start = (version === 1 ? 352 : 544) + extension.length;
  const header = new Uint8Array(start);
  header.set(extension, version === 1 ? 352 : 544);
  const view = new DataView(header.buffer);
  const fields = (at: number, type: Datatype, list: readonly number[]): void =>
    list.forEach((value, i) => {
      put(view, at + i * CODES[type][1], type, value, le);
    });
  const dims = [dim.length, ...dim, ...new Array<number>(7 - dim.length).fill(1)];
  const text = (at: number, s: string): void => header.set(Buffer.from(s, 'latin1'), at);
  if (version === 1) {
    fields(0, 'int32', [348]);
    fields(40, 'int16', dims);
    fields(70, 'int16', [code, width * 8]);
    fields(76, 'float32', pixdim);
    fields(108, 'float32', [pair ? 0 : start, slope, intercept]);
    fields(123, 'uint8', [options.units ?? 2]);
    fields(252, 'int16', [qformCode, sformCode]);
    fields(256, 'float32', [...quaternion, ...qoffset, ...srow]);
    text(344, pair ? 'ni1\0' : 'n+1\0');
    if (extension.length > 0) header[348] = 1;
  } else {
    fields(0, 'int32', [540]);
    text(4, `${pair ? 'ni2' : 'n+2'}\0\r\n\x1a\n`);
    fields(12, 'int16', [code, width * 8]);
    fields(16, 'int64', dims);
    fields(104, 'float64', pixdim);
    fields(168, 'int64', [pair ? 0 : start]);
    fields(176, 'float64', [slope, intercept]);
    fields(344, 'int32', [qformCode, sformCode]);
    fields(352, 'float64', [...quaternion, ...qoffset, ...srow]);
    fields(500, 'int32', [options.units ?? 2]);
    if (extension.length > 0) header[540] = 1;
  }
  options.patch?.(view);
  const count = dim.reduce((product, n) => product * n, 1);
  const voxels = new Uint8Array(count * width);
  const voxelView = new DataView(voxels.buffer);
  for (let i = 0; i < count; i++) put(voxelView, i * width, datatype, values[i % values.length] ?? 0, le);
  return { header, voxels };
}

export function rawNifti(options: RawNifti = {}): Uint8Array {
  const { header, voxels } = rawNiftiParts(options);
  return Buffer.concat([header, voxels]);
}

export interface RawMgh {
  dims?: readonly [number, number, number, number];
  type?: number;
  datatype?: Datatype;
  values?: readonly number[];
  goodRas?: number;
  delta?: readonly number[];
  directions?: readonly number[];
  centre?: readonly number[];
  footer?: Uint8Array;
}

export function rawMgh(options: RawMgh = {}): Uint8Array {
  const { dims = [9, 10, 8, 1], type = 4, datatype = 'int16', values = [0, 1, 2, 3, 4] } = options;
  const { goodRas = 1, delta = [1, 1.5, 2], centre = [3, -4, 5] } = options;
  const { directions = [-1, 0, 0, 0, 0, -1, 0, 1, 0], footer = new Uint8Array(0) } = options;
  const count = dims[0] * dims[1] * dims[2] * dims[3];
  const width = CODES[datatype][1];
  const bytes = new Uint8Array(284 + count * width + footer.length);
  const view = new DataView(bytes.buffer);
  [1, ...dims, type, 0].forEach((n, i) => {
    view.setInt32(i * 4, n);
  });
  view.setInt16(28, goodRas);
  [...delta, ...directions, ...centre].forEach((n, i) => {
    view.setFloat32(30 + i * 4, n);
  });
  for (let i = 0; i < count; i++) put(view, 284 + i * width, datatype, values[i % values.length] ?? 0, false);
  bytes.set(footer, 284 + count * width);
  return bytes;
}
