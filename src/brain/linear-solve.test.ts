/** Normal equations solved. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { solveSymmetric } from './linear-solve.js';

describe('symmetric systems', () => {
  it('solves J^T J x = J^T J y for y, reading the upper triangle alone', () => {
    const size = 7;
    const entry = fc.double({ min: -1, max: 1, noNaN: true });
    const vector = fc.array(entry, { minLength: size, maxLength: size });
    fc.assert(
      fc.property(fc.array(vector, { minLength: 12, maxLength: 12 }), vector, (rows, y) => {
        const a = new Float64Array(size * size);
        const b = new Float64Array(size);
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            // + identity: any rows give a system that can be solved
            const sum = rows.reduce((s, r) => s + (r[i] as number) * (r[j] as number), i === j ? 1 : 0);
            b[i] = (b[i] as number) + sum * (y[j] as number);
            a[i * size + j] = j >= i ? sum : Number.NaN;
          }
        const x = solveSymmetric(a, b, size, 0);
        x.forEach((v, i) => {
          expect(v).toBeCloseTo(y[i] as number, 7);
        });
      }),
    );
  });

  it('a ridge shrinks the step and keeps a singular system finite', () => {
    const one = Float64Array.of(4);
    expect(solveSymmetric(one, Float64Array.of(8), 1, 1)[0]).toBeCloseTo(1, 9);
    const x = solveSymmetric(Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 1), 2, 1e-6);
    expect([...x].every(Number.isFinite)).toBe(true);
  });
});
