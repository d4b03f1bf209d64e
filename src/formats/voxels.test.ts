/** Values out of stored voxels and back, in every type. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../errors/errors.js';
import { createImage, imageLike } from './create-image.js';
import { allocate, DATATYPES, type Datatype, type StoredArray } from './datatypes.js';
import { UNSCALED } from './image.js';
import { type StoredImage, scaledData, unscale } from './stored-image.js';
import { requireSignal } from './voxels.js';

const SHAPE = [8, 8, 8] as const;
const COUNT = 512;
const GRID = { shape: SHAPE, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };

function image(datatype: Datatype, slope = 1, intercept = 0, volumes = 1): StoredImage {
  return { ...createImage(GRID, allocate(datatype, COUNT * volumes)), scaling: [{ slope, intercept }] };
}

/** What is stored for one value. */
function store(like: StoredImage, value: number): number | bigint | undefined {
  const into = allocate(like.datatype, COUNT);
  unscale(like, new Float32Array(COUNT).fill(value), into, 0, new Uint8Array(COUNT).fill(1));
  return into[5];
}

describe('unscale', () => {
  it.each<[Datatype, number, number | bigint]>([
    ['uint8', 2.5, 3],
    ['uint8', -1, 0],
    ['uint8', 300, 255],
    ['int8', -200, -128],
    ['int8', 127.4, 127],
    ['int16', -2.6, -3],
    ['int16', 1e9, 32767],
    ['uint16', 65535.6, 65535],
    ['int32', 2 ** 31, 2147483647],
    ['uint32', 2 ** 33, 4294967295],
    ['int64', -7.2, -7n],
    ['int64', 1e30, 2n ** 63n - 1n],
    ['int64', -1e30, -(2n ** 63n)],
    ['uint64', 2 ** 64, 2n ** 64n - 1n],
    ['uint64', -3, 0n],
    ['int16', Number.NaN, 0],
    ['int64', Number.NaN, 0n],
    ['float32', Number.NaN, 0],
    ['uint8', Number.POSITIVE_INFINITY, 255],
    ['float64', 0.5, 0.5],
  ])('%s: %d becomes %d', (datatype, value, expected) => {
    expect(store(image(datatype), value)).toBe(expected);
  });

  it('takes scaling back', () => {
    expect(store(image('int16', 0.5, -1024), 0)).toBe(2048);
    expect(store(image('int16', 0.5, -1024), Number.NaN)).toBe(2048);
    expect(store(image('uint8', -2, 10), 4)).toBe(3);
    expect(store(image('float32', 1e-30), 1e20)).toBe(3.4028234663852886e38);
  });

  it('leaves every other voxel as it was, NaN payloads included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(DATATYPES) as Datatype[])),
        fc.uint8Array({ minLength: 97, maxLength: 97 }),
        fc.uint8Array({ minLength: 61, maxLength: 61 }),
        fc.constantFrom(0, 1),
        (datatype, bits, chosen, volume) => {
          const like = image(datatype, 0.5, 3, 2);
          const into = allocate(datatype, COUNT * 2);
          const bytes = new Uint8Array(into.buffer);
          for (let i = 0; i < bytes.length; i++) bytes[i] = bits[i % 97] ?? 0;
          const before = bytes.slice();
          const only = Uint8Array.from({ length: COUNT }, (_, i) => ((chosen[i % 61] ?? 0) > 128 ? 1 : 0));
          unscale(like, new Float32Array(COUNT).fill(40), into, volume, only);
          const width = DATATYPES[datatype].bytes;
          const isWritten = (voxel: number): boolean => only[voxel - volume * COUNT] === 1;
          const changed = bytes.findIndex((v, i) => v !== before[i] && !isWritten(Math.floor(i / width)));
          const missed = Array.from(into, Number).findIndex((v, i) => isWritten(i) && v !== 74);
          expect([changed, missed]).toEqual([-1, -1]);
        },
      ),
      { numRuns: 40, seed: 13 },
    );
  });

  it('and scaledData are inverse to within half a step', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('int16', 'uint16', 'int32', 'int64', 'float64'),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        fc.double({ min: -100, max: 100, noNaN: true }),
        (datatype, slope, intercept) => {
          const like = image(datatype, slope, intercept);
          const values = Float32Array.from({ length: COUNT }, (_, i) => intercept + slope * (i * 2.37));
          const into = allocate(datatype, COUNT);
          unscale(like, values, into, 0, new Uint8Array(COUNT).fill(1));
          const back = scaledData({ ...like, stored: into }, 0);
          const worst = Math.max(...back.map((v, i) => Math.abs(v - (values[i] ?? Number.NaN))));
          expect(worst).toBeLessThanOrEqual(slope * 0.501 + 1e-3);
        },
      ),
      { numRuns: 40, seed: 14 },
    );
  });
});

describe('scaledData', () => {
  it('scales in double precision and reads the volume asked for', () => {
    const stored = Int16Array.from({ length: COUNT * 2 }, (_, i) => i - 300);
    const like = { ...createImage(GRID, stored), scaling: [{ slope: 0.1, intercept: 2 }] as const };
    expect(scaledData(like, 1)[3]).toBe(Math.fround((COUNT + 3 - 300) * 0.1 + 2));
    const big = createImage(GRID, BigInt64Array.from(stored, BigInt));
    expect(scaledData(big, 1)[3]).toBe(COUNT + 3 - 300);
    expect(() => scaledData(like, 2)).toThrow(/volume 2 of 2/);
  });

  it('and unscale scale each slice by its own slope, in every volume', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 5, noNaN: true }), { minLength: 32, maxLength: 32 }),
        fc.constantFrom('int16', 'int32', 'int64', 'float32'),
        (slopes, datatype) => {
          const [nx, ny, nz] = GRID.shape;
          const [first = UNSCALED, ...others] = slopes
            .slice(0, 2 * nz)
            .map((slope, k) => ({ slope, intercept: k }));
          const like = { ...image(datatype, 1, 0, 2), scaling: [first, ...others] as const };
          const into = allocate(datatype, 2 * COUNT);
          const every = new Uint8Array(COUNT).fill(1);
          const values = Float32Array.from({ length: COUNT }, (_, i) => i % 97);
          for (const volume of [0, 1]) {
            unscale(like, values, into, volume, every);
            scaledData({ ...like, stored: into }, volume).forEach((v, i) => {
              const slice = volume * nz + Math.floor(i / (nx * ny));
              const step = datatype === 'float32' ? 1e-4 : (slopes[slice] ?? 0) * 0.501 + 1e-3;
              expect(Math.abs(v - (i % 97))).toBeLessThanOrEqual(step);
            });
          }
        },
      ),
      { numRuns: 10, seed: 15 },
    );
  });

  it('gives an array of its own', () => {
    const stored = Float32Array.from({ length: COUNT }, (_, i) => i);
    scaledData(createImage(GRID, stored), 0).fill(0);
    expect(stored[7]).toBe(7);
  });
});

describe('requireSignal', () => {
  const refused = (stored: StoredArray): boolean => {
    try {
      requireSignal(stored);
      return false;
    } catch (error) {
      return isRefusal(error, 'no-signal');
    }
  };
  it('wants two different finite values', () => {
    expect(refused(Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, 1))).toBe(true);
    expect(refused(Float32Array.of(Number.NaN, 1, 2))).toBe(false);
    expect(refused(BigUint64Array.of(2n ** 63n, 2n ** 63n + 1n))).toBe(false);
    expect(refused(new Int16Array(0))).toBe(true);
  });
});

describe('imageLike', () => {
  it('puts another type and number of volumes on the same grid', () => {
    const mask = imageLike(image('float32', 2, 1, 3), new Uint8Array(COUNT));
    expect([mask.datatype, mask.volumes, mask.scaling]).toEqual(['uint8', 1, [{ slope: 1, intercept: 0 }]]);
    expect(mask.grid).toEqual(GRID);
    expect(() => imageLike(mask, new Uint8Array(COUNT + 1))).toThrow(/513 voxels/);
  });
});
