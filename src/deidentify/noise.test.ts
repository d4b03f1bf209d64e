/** Noise on new voxels: its level in tissue and in air, where it goes, and that it repeats. */
import { describe, expect, it } from 'vitest';
import { IDENTITY } from '../volume/affine.js';
import { Random } from '../volume/random.js';
import { addNoise, noiseLevel } from './noise.js';

const COUNT = 32 ** 3;
const everywhere = new Uint8Array(COUNT).fill(1);
const random = (): Random => new Random(new Uint32Array(8).fill(7));

function spread(values: Float32Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

describe('addNoise', () => {
  it('adds what was asked for in tissue, and finds it again', () => {
    const values = new Float32Array(COUNT).fill(100);
    addNoise(values, 4, 30, everywhere, random());
    expect(spread(values)).toBeCloseTo(4, 1);
    const grid = { shape: [32, 32, 32] as const, affine: IDENTITY };
    expect(noiseLevel({ grid, data: values }, everywhere)).toBeCloseTo(4, 0);
  });

  it('gives air a twentieth, Rayleigh distributed', () => {
    const values = new Float32Array(COUNT);
    addNoise(values, 4, 30, everywhere, random());
    const mean = values.reduce((a, b) => a + b, 0) / COUNT;
    expect(mean).toBeCloseTo(0.2 * Math.sqrt(Math.PI / 2), 2);
  });

  it('touches nothing else, and repeats', () => {
    const where = everywhere.map((_, o) => o % 2);
    const [a, b] = [new Float32Array(COUNT).fill(50), new Float32Array(COUNT).fill(50)];
    addNoise(a, 4, 30, where, random());
    addNoise(b, 4, 30, where, random());
    expect(a).toEqual(b);
    expect(a.every((v, o) => o % 2 === 1 || v === 50)).toBe(true);
  });
});
