/** From labels to a mask. */
import { describe, expect, it } from 'vitest';
import type { Grid } from '../volume/volume.js';
import { maskFromLabels } from './reference-mask.js';

describe('the mask of a label map', () => {
  it('closes a sulcus, fills a ventricle, drops a speck', () => {
    const grid: Grid = { shape: [30, 30, 30], affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] };
    const labels = new Int32Array(27000);
    const o = (x: number, y: number, z: number): number => x + 30 * (y + 30 * z);
    for (let z = 8; z < 22; z++)
      for (let y = 8; y < 22; y++) for (let x = 8; x < 22; x++) labels[o(x, y, z)] = 1 + ((x + y + z) % 150);
    for (let z = 15; z < 22; z++) for (let x = 8; x < 22; x++) labels[o(x, 15, z)] = 0; // 2 mm wide
    for (let z = 12; z < 15; z++)
      for (let y = 11; y < 14; y++) for (let x = 11; x < 14; x++) labels[o(x, y, z)] = 0;
    labels[o(27, 27, 27)] = 9;
    const mask = maskFromLabels({ grid, data: labels });
    expect(mask.data[o(15, 15, 18)]).toBe(1);
    expect(mask.data[o(12, 12, 13)]).toBe(1);
    expect(mask.data[o(27, 27, 27)]).toBe(0);
    expect(mask.data[o(7, 15, 15)]).toBe(0);
    // The cube, but for the mouth of the sulcus, which closing rounds.
    const count = mask.data.reduce((a, b) => a + b, 0);
    expect(count).toBeLessThanOrEqual(14 ** 3);
    expect(count).toBeGreaterThan(14 ** 3 - 35);
  });
});
