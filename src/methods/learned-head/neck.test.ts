/** Where the neck ends: the chin is followed, and below the plane there is nothing. */
import { describe, expect, it } from 'vitest';
import { scaling } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { chinOf, endNeck } from './neck.js';

const COUNT = 48 * 64 * 64;
const random = (n: number): Random =>
  new Random(new Uint32Array(sha256(new Uint8Array([n])).slice(0, 32).buffer));

describe('chinOf', () => {
  it('is where the learned head has it when nothing moves, and follows what moves it', () => {
    const still = chinOf(new Float32Array(3 * COUNT));
    [0, 72, -107].forEach((mm, axis) => {
      expect(still[axis]).toBeCloseTo(mm, 5);
    });
    // every point reads 12 mm further back and 8 mm further up: the chin comes 12 mm forward and 8 mm down
    const moved = new Float32Array(3 * COUNT);
    moved.fill(-12 / 128, COUNT, 2 * COUNT);
    moved.fill(8 / 128, 2 * COUNT);
    expect(chinOf(moved)[1]).toBeCloseTo(84, 4);
    expect(chinOf(moved)[2]).toBeCloseTo(-115, 4);
  });
});

describe('endNeck', () => {
  it('leaves nothing below a plane that passes by the chin, and all above it', () => {
    for (const n of [64, 128]) {
      const shape = [48, n, n] as const;
      const mm = 256 / n;
      const chin = [3, 70, -100] as const;
      const head = {
        grid: { shape, affine: scaling(mm, mm, mm) },
        data: new Float32Array(48 * n * n).fill(1),
      };
      endNeck(head, chin, random(n));
      for (let j = 0; j < n; j++) {
        const column = Array.from({ length: n }, (_, k) => head.data[24 + 48 * (j + n * k)] as number);
        const end = column.indexOf(1);
        expect(column.slice(end).every((v) => v === 1)).toBe(true);
        const edge = (end - (n - 1) / 2) * mm;
        const y = (j - (n - 1) / 2) * mm;
        if (Math.abs(y - 70) < 5) {
          expect(edge).toBeLessThanOrEqual(-100 + mm);
          expect(edge).toBeGreaterThan(-100 - 9);
        }
        // 17 degrees at most, up to the back
        expect(edge).toBeLessThan(-100 + 0.3 * Math.max(0, 70 - y) + mm + 2);
      }
    }
  });
});
