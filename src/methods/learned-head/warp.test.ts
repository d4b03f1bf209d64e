import { describe, expect, it } from 'vitest';
import { Random } from '../../volume/random.js';
import type { Shape } from '../../volume/volume.js';
import { warpTemplate } from './warp.js';

const random = new Random(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8));

/** Fields of a position function on a grid, in normalised coordinates. */
function fieldsOf(
  [nx, ny, nz]: Shape,
  position: (p: readonly number[]) => readonly number[],
  factor: number,
): Float32Array {
  const out = new Float32Array(4 * nx * ny * nz);
  const n = nx * ny * nz;
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        const p = position([(2 * i + 1) / nx - 1, (2 * j + 1) / ny - 1, (2 * k + 1) / nz - 1]);
        for (let c = 0; c < 3; c++) out[c * n + v] = p[c] as number;
        out[3 * n + v] = factor;
      }
  return out;
}

/** The plain way: one voxel at a time, no blocks. */
function sampleAt(template: Uint8Array, shape: Shape, p: readonly number[]): number {
  const q = p.map((u, a) => {
    const n = shape[a] as number;
    return Math.min(n - 1, Math.max(0, ((u + 1) * n - 1) / 2));
  }) as [number, number, number];
  let sum = 0;
  for (let corner = 0; corner < 8; corner++) {
    let weight = 1;
    let index = 0;
    let stride = 1;
    for (let a = 0; a < 3; a++) {
      const low = Math.floor(q[a] as number);
      const part = (q[a] as number) - low;
      const up = (corner >> a) & 1;
      weight *= up ? part : 1 - part;
      index += stride * Math.min((shape[a] as number) - 1, low + up);
      stride *= shape[a] as number;
    }
    sum += weight * (template[index] as number);
  }
  return sum;
}

describe('the warp of the learned head', () => {
  const shape: Shape = [20, 24, 28];
  const count = 20 * 24 * 28;
  // Mostly air, so that the blocks matter.
  const template = Uint8Array.from({ length: count }, () =>
    random.uniform() < 0.02 ? 1 + random.uniform() * 254 : 0,
  );

  it('gives the template back where nothing moves', () => {
    const still = warpTemplate(
      template,
      shape,
      fieldsOf(shape, (p) => p, 0.5),
      shape,
    );
    for (let v = 0; v < count; v++) expect(still[v]).toBeCloseTo(0.5 * (template[v] as number), 2);
  });

  it('reads where it is told, in and beyond the grid', () => {
    const move = (p: readonly number[]): number[] => [
      1.3 * (p[0] as number) + 0.11,
      0.8 * (p[1] as number) - 0.07 * (p[2] as number),
      1.1 * (p[2] as number) + 0.05 * (p[0] as number),
    ];
    const found = warpTemplate(template, shape, fieldsOf(shape, move, 1), shape);
    for (let k = 0, v = 0; k < 28; k++)
      for (let j = 0; j < 24; j++)
        for (let i = 0; i < 20; i++, v++) {
          const p = move([(2 * i + 1) / 20 - 1, (2 * j + 1) / 24 - 1, (2 * k + 1) / 28 - 1]);
          expect(Math.abs((found[v] as number) - sampleAt(template, shape, p))).toBeLessThan(0.01);
        }
  });

  it('enlarges linear fields without error inside', () => {
    const half: Shape = [10, 12, 14];
    const shift = (p: readonly number[]): number[] => p.map((u) => u + 0.1);
    const found = warpTemplate(template, shape, fieldsOf(half, shift, 2), half);
    for (let k = 1; k < 27; k++)
      for (let j = 1; j < 23; j++)
        for (let i = 1; i < 19; i++) {
          const v = i + 20 * (j + 24 * k);
          const p = shift([(2 * i + 1) / 20 - 1, (2 * j + 1) / 24 - 1, (2 * k + 1) / 28 - 1]);
          expect(Math.abs((found[v] as number) - 2 * sampleAt(template, shape, p))).toBeLessThan(0.02);
        }
  });
});
