import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeParts, encodeParts, FeatureStore, keyOf } from './store.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('what is remembered', () => {
  it('comes back with its types, NaN included', () => {
    const value = {
      shape: Float32Array.of(1.5, Number.NaN, Number.POSITIVE_INFINITY),
      labels: Uint8Array.of(1, 255),
      wide: Uint16Array.of(65535),
      dice: Number.NaN,
      low: Number.NEGATIVE_INFINITY,
      none: null,
      text: 'x',
    };
    expect(decodeParts(encodeParts(value))).toEqual(value);
  });

  it('is used under its key alone, and lies in a folder for nobody else', () => {
    const store = FeatureStore.open(dir);
    const name = ['sub-1', 'cp-mae', 'shape'];
    store.write(name, keyOf('a'), { value: 1 });
    expect(store.read(name, keyOf('a'))).toEqual({ value: 1 });
    expect(store.read(name, keyOf('b'))).toBeUndefined();
    expect(store.read(['sub-2', 'x', 'y'], 'k')).toBeUndefined();
    expect(statSync(join(dir, 'private')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(dir, 'private')).sort()).toEqual(['.prosopon-evaluation', 'README', 'sub-1']);
    expect(readdirSync(join(dir, 'private/sub-1/cp-mae'))).toEqual(['shape.json.gz']);
  });

  it('refuses a damaged file instead of measuring past it', () => {
    const store = FeatureStore.open(dir);
    store.write(['a', 'b'], 'k', 1);
    writeFileSync(join(dir, 'private/a/b.json.gz'), 'no gzip');
    expect(() => store.read(['a', 'b'], 'k')).toThrow('damaged');
  });

  it('keys depend on all that goes in, arrays included', () => {
    expect(keyOf('a', [1], Float32Array.of(1))).not.toBe(keyOf('a', [1], Float32Array.of(2)));
    expect(keyOf('a')).toBe(keyOf('a'));
  });
});
