/**
 * A ZIP archive for tests, with any lie about its sizes that a test wants.
 *
 * @example
 * const zip = makeZip([{ name: 'IM1', bytes }]);
 */
import { crc32, deflateRawSync } from 'node:zlib';
import { joinBytes } from '../../../volume/bytes.js';

export interface ZippedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** In place of the true size. */
  readonly claims?: number;
  readonly crc?: number;
  /** Takes the data of the file before. */
  readonly overlaps?: boolean;
}

export function makeZip(files: readonly ZippedFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let [at, before] = [0, 0];
  for (const { name, bytes, claims = bytes.length, crc = crc32(bytes) >>> 0, overlaps = false } of files) {
    const data = deflateRawSync(bytes);
    const names = new TextEncoder().encode(name);
    const fields = (start: readonly number[]): Uint8Array => {
      const head = new DataView(new ArrayBuffer(start.length === 4 ? 30 : 46));
      start.forEach((byte, i) => {
        head.setUint8(i, byte);
      });
      const from = start.length === 4 ? 8 : 10;
      head.setUint16(from, 8, true);
      head.setUint32(from + 6, crc, true);
      head.setUint32(from + 10, data.length, true);
      head.setUint32(from + 14, claims, true);
      head.setUint16(from + 18, names.length, true);
      return new Uint8Array(head.buffer);
    };
    if (!overlaps) {
      before = at;
      const local = joinBytes([fields([0x50, 0x4b, 3, 4]), names, data]);
      parts.push(local);
      at += local.length;
    }
    const central = fields([0x50, 0x4b, 1, 2, 20, 0]);
    new DataView(central.buffer).setUint32(42, before, true);
    directory.push(joinBytes([central, names]));
  }
  const listed = joinBytes(directory);
  const end = new DataView(new ArrayBuffer(22));
  [0x50, 0x4b, 5, 6].forEach((byte, i) => {
    end.setUint8(i, byte);
  });
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, listed.length, true);
  end.setUint32(16, at, true);
  return joinBytes([...parts, listed, new Uint8Array(end.buffer)]);
}
