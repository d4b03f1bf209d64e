/** Loose pieces. */
import { describe, expect, it } from 'vitest';
import { largestPiece } from './largest-piece.js';

describe('largestPiece', () => {
  const n = 16;
  const at = (x: number, y: number, z: number): number => x + n * (y + n * z);
  const image = new Float32Array(n ** 3).fill(0.05);
  const share = new Float32Array(n ** 3);
  for (let z = 3; z < 9; z++)
    for (let y = 3; y < 9; y++) for (let x = 3; x < 9; x++) image[at(x, y, z)] = 0.8;
  for (let z = 2; z < 12; z++) image[at(13, 13, z)] = 0.9;
  image[at(5, 5, 5)] = 0;
  share[at(5, 5, 5)] = 1;

  it('keeps the head, its edge and the brain, and clears what floats and hazes', () => {
    const found = largestPiece(image, share, n);
    expect(found[at(4, 4, 4)]).toBeCloseTo(0.8, 6);
    expect(found[at(2, 2, 2)]).toBeCloseTo(0.05, 6);
    expect(found[at(5, 5, 5)]).toBe(0);
    for (let z = 0; z < n; z++) expect(found[at(13, 13, z)]).toBe(0);
    expect(found[at(0, 0, 0)]).toBe(0);
  });

  it('changes nothing of nothing', () => {
    const nothing = new Float32Array(n ** 3);
    expect(largestPiece(nothing, nothing, n)).toEqual(nothing);
  });
});
