/**
 * The ten voxel types that a scalar image may have: their width, their range, and typed views on bytes.
 *
 * @example
 * const voxels = allocate('int16', 256 ** 3);
 * voxels.length * DATATYPES.int16.bytes; // 33554432
 */
import { Failure } from '../errors/errors.js';

export type Datatype =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

export type StoredArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

interface StoredConstructor {
  new (length: number): StoredArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): StoredArray;
}

export interface DatatypeEntry {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly array: StoredConstructor;
  /** Smallest and largest value; null for floating point. */
  readonly range: readonly [bigint, bigint] | null;
}

const integer = (bytes: 1 | 2 | 4 | 8, signed: boolean, array: StoredConstructor): DatatypeEntry => {
  const bits = BigInt(bytes * 8);
  return {
    bytes,
    array,
    range: signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n],
  };
};

export const DATATYPES: Readonly<Record<Datatype, DatatypeEntry>> = {
  int8: integer(1, true, Int8Array),
  uint8: integer(1, false, Uint8Array),
  int16: integer(2, true, Int16Array),
  uint16: integer(2, false, Uint16Array),
  int32: integer(4, true, Int32Array),
  uint32: integer(4, false, Uint32Array),
  int64: integer(8, true, BigInt64Array),
  uint64: integer(8, false, BigUint64Array),
  float32: { bytes: 4, array: Float32Array, range: null },
  float64: { bytes: 8, array: Float64Array, range: null },
};

/** Zeros. */
export function allocate(datatype: Datatype, length: number): StoredArray {
  return new DATATYPES[datatype].array(length);
}

/** True on every machine that Node 20 runs on but s390x; voxels in memory have this byte order. */
export const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * `count` values beginning at byte `offset`, in the host's byte order. The bytes are used where they lie when
 * they are aligned and need no swapping (or `mayOverwrite` says that they are nobody else's), otherwise copied.
 */
export function viewValues(
  bytes: Uint8Array,
  offset: number,
  count: number,
  datatype: Datatype,
  littleEndian: boolean,
  mayOverwrite: boolean,
): StoredArray {
  const { bytes: width, array } = DATATYPES[datatype];
  const swap = width > 1 && littleEndian !== HOST_IS_LITTLE_ENDIAN;
  const aligned = (bytes.byteOffset + offset) % width === 0;
  let source = bytes.subarray(offset, offset + count * width);
  // slice() of a Node Buffer does not copy: copy by hand.
  if (!aligned || (swap && !mayOverwrite)) source = new Uint8Array(source);
  if (swap) swapBytes(source, width);
  return new array(source.buffer, source.byteOffset, count);
}

/** The values as bytes in the order asked for; no copy when that is the host's order. */
export function valueBytes(values: StoredArray, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const width = values.BYTES_PER_ELEMENT;
  if (width === 1 || littleEndian === HOST_IS_LITTLE_ENDIAN) return bytes;
  const copy = new Uint8Array(bytes);
  swapBytes(copy, width as 2 | 4 | 8);
  return copy;
}

/** Reverses the bytes of each value, in place; `bytes` must be aligned to `width`. */
export function swapBytes(bytes: Uint8Array, width: 1 | 2 | 4 | 8): void {
  if (bytes.byteOffset % width !== 0 || bytes.length % width !== 0)
    throw new Failure('internal', 'misaligned byte swap');
  if (width === 1) return;
  if (width === 2) {
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    for (let i = 0; i < words.length; i++) {
      const v = words[i] as number;
      words[i] = (v << 8) | (v >>> 8);
    }
    return;
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (let i = 0; i < words.length; i++) {
    const v = words[i] as number;
    words[i] = (v << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24);
  }
  if (width === 8)
    for (let i = 0; i < words.length; i += 2) {
      const first = words[i] as number;
      words[i] = words[i + 1] as number;
      words[i + 1] = first;
    }
}
