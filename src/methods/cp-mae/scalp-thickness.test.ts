/** The drawn thickness, on an egg of a brain. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { addThickness, drawThickness } from './scalp-thickness.js';

const [NX, NY, NZ] = [48, 64, 64] as const;
const COUNT = NX * NY * NZ;
const random = (n: number): Random =>
  new Random(new Uint32Array(sha256(new Uint8Array([n])).slice(0, 32).buffer));

/** Where a ball of radius 60 mm is brain; the middle of the grid. */
const blocks = new Float32Array(2 * COUNT);
for (let v = 0; v < COUNT; v++) {
  const [x, y, z] = [v % NX, ((v / NX) | 0) % NY, (v / (NX * NY)) | 0];
  if (Math.hypot(x - 23.5, y - 31.5, z - 31.5) <= 15) blocks[v] = 1;
}

const unit = fc
  .tuple(...[0, 0, 0].map(() => fc.double({ min: -1, max: 1, noNaN: true })))
  .filter((v) => Math.hypot(...(v as number[])) > 0.1)
  .map((v) => {
    const [x, y, z] = v as [number, number, number];
    const n = Math.hypot(x, y, z);
    return [x / n, y / n, z / n] as const;
  });

describe('drawThickness', () => {
  it('stays within what a skull and scalp bear, in all directions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), unit, (seed, [x, y, z]) => {
        const t = drawThickness(random(seed))(x, y, z);
        expect(t).toBeGreaterThanOrEqual(-3);
        expect(t).toBeLessThanOrEqual(11);
      }),
    );
  });

  it('varies between draws by about the 4 mm by which heads differ, and is smooth', () => {
    const draws = Array.from({ length: 200 }, (_, i) => drawThickness(random(i)));
    const front = draws.map((t) => t(0, 1, 0));
    const mean = front.reduce((a, b) => a + b) / front.length;
    const spread = Math.sqrt(front.reduce((a, b) => a + (b - mean) ** 2, 0) / front.length);
    expect(spread).toBeGreaterThan(2.5);
    expect(spread).toBeLessThan(5);
    for (const t of draws) {
      const step = Math.abs(t(0, 1, 0) - t(0, Math.cos(0.05), Math.sin(0.05)));
      // 0.05 rad is 5 mm of skin
      expect(step).toBeLessThan(2.5);
    }
  });
});

describe('addThickness', () => {
  const still = new Float32Array(3 * COUNT);

  it('leaves the brain where it is and moves all that lies beyond the shell by the drawn thickness', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (seed) => {
        const moved = addThickness(still, blocks, drawThickness(random(seed)));
        const thickness = drawThickness(random(seed));
        for (let v = 0; v < COUNT; v += 17) {
          const d = [(v % NX) - 23.5, (((v / NX) | 0) % NY) - 31.5, ((v / (NX * NY)) | 0) - 31.5];
          const r = Math.hypot(...d);
          const pull = Math.hypot(
            ...[0, 1, 2].map((axis) => ((moved[axis * COUNT + v] as number) * (axis === 0 ? NX : NY)) / 2),
          );
          if (r <= 15) expect(pull).toBe(0);
          if (r >= 24) {
            const t = thickness((d[0] as number) / r, (d[1] as number) / r, (d[2] as number) / r);
            expect(4 * pull).toBeCloseTo(Math.abs(t), 2);
          }
        }
      }),
      { numRuns: 10 },
    );
  });

  it('never folds: the read position grows along a line out of the brain', () => {
    for (let seed = 0; seed < 10; seed++) {
      const moved = addThickness(still, blocks, drawThickness(random(seed)));
      let last = Number.NEGATIVE_INFINITY;
      for (let j = 32; j < NY; j++) {
        const v = 23 + NX * (j + NY * 31);
        const at = j + ((moved[COUNT + v] as number) * NY) / 2;
        expect(at).toBeGreaterThan(last);
        last = at;
      }
    }
  });
});
