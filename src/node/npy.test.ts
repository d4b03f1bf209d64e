/** Bytes as numpy reads them; training/tests reads such files with numpy itself. */
import { describe, expect, it } from 'vitest';
import { encodeNpy } from './npy.js';

describe('.npy', () => {
  it.each([[[2, 3, 4]], [[128, 1, 1]], [[7]], [[1000000, 3, 12]]])(
    'has a header of whole 64-byte lines that names %j',
    (shape) => {
      const data = Uint8Array.from({ length: 24 }, (_, i) => 255 - i);
      const bytes = encodeNpy(data, shape);
      expect([...bytes.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
      const length = (bytes[8] as number) + 256 * (bytes[9] as number);
      expect((10 + length) % 64).toBe(0);
      const header = Buffer.from(bytes.subarray(10, 10 + length)).toString('latin1');
      expect(header).toMatch(/^\{'descr': '\|u1', 'fortran_order': False, 'shape': \(.*\), \} *\n$/);
      const found = /\((.*?),\)/.exec(header)?.[1];
      expect(found?.split(', ').map(Number)).toEqual(shape);
      expect(bytes.subarray(10 + length)).toEqual(data);
    },
  );
});
