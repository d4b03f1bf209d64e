/**
 * Reading, copying and writing numbered fields of a binary header, described by tables.
 *
 * @example
 * const [rank] = readField(header, { at: 40, kind: 'i16', count: 8 }, true);
 */
export type FieldKind = 'u8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64';

export interface Field {
  readonly at: number;
  readonly kind: FieldKind;
  readonly count: number;
}

const WIDTH: Readonly<Record<FieldKind, number>> = { u8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 };

export function fieldBytes(field: Field): number {
  return WIDTH[field.kind] * field.count;
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The numbers of a field. 64-bit integers beyond 2^53 come out rounded: no such value is valid anywhere here. */
export function readField(bytes: Uint8Array, field: Field, littleEndian: boolean): number[] {
  const view = dataView(bytes);
  const read = (at: number): number => {
    switch (field.kind) {
      case 'u8':
        return view.getUint8(at);
      case 'i16':
        return view.getInt16(at, littleEndian);
      case 'i32':
        return view.getInt32(at, littleEndian);
      case 'i64':
        return Number(view.getBigInt64(at, littleEndian));
      case 'f32':
        return view.getFloat32(at, littleEndian);
      case 'f64':
        return view.getFloat64(at, littleEndian);
    }
  };
  return Array.from({ length: field.count }, (_, i) => read(field.at + i * WIDTH[field.kind]));
}

/** The first number of a field. */
export function readOne(bytes: Uint8Array, field: Field, littleEndian: boolean): number {
  return readField(bytes, field, littleEndian)[0] ?? Number.NaN;
}

/** Writes the first `values.length` numbers of a field. */
export function writeField(
  bytes: Uint8Array,
  field: Field,
  values: readonly number[],
  littleEndian: boolean,
): void {
  const view = dataView(bytes);
  const write = (at: number, value: number): void => {
    switch (field.kind) {
      case 'u8':
        view.setUint8(at, value);
        break;
      case 'i16':
        view.setInt16(at, value, littleEndian);
        break;
      case 'i32':
        view.setInt32(at, value, littleEndian);
        break;
      case 'i64':
        view.setBigInt64(at, BigInt(value), littleEndian);
        break;
      case 'f32':
        view.setFloat32(at, value, littleEndian);
        break;
      case 'f64':
        view.setFloat64(at, value, littleEndian);
        break;
    }
  };
  for (const [i, value] of values.slice(0, field.count).entries())
    write(field.at + i * WIDTH[field.kind], value);
}

/** Copies numbers `first` to `last` (exclusive) of a field as they are stored, bit for bit. */
export function copyField(
  from: Uint8Array,
  to: Uint8Array,
  field: Field,
  first = 0,
  last = field.count,
): void {
  const width = WIDTH[field.kind];
  to.set(from.subarray(field.at + first * width, field.at + last * width), field.at + first * width);
}
