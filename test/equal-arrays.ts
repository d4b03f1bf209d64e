/**
 * Typed arrays with the same bytes are the same: `toEqual` else compares them one value after the other, at about 10 microseconds
 * each (Vitest 4), and a mask takes seconds. Where bytes differ the usual comparison decides and says where.
 *
 * @example
 * // vitest.config.ts
 * setupFiles: ['test/equal-arrays.ts']
 */
import { expect } from 'vitest';

const bytesOf = (a: ArrayBufferView): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);

/** undefined: the usual comparison decides. */
function sameBytes(a: unknown, b: unknown): boolean | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined;
  if (a.constructor !== b.constructor || a.byteLength !== b.byteLength) return undefined;
  return bytesOf(a).equals(bytesOf(b)) ? true : undefined;
}

expect.addEqualityTesters([sameBytes]);
