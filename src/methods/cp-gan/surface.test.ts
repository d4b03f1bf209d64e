/** The surface representation: turns uniform on SO(3), rays, and what Z must and must not mark. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, type Vec3 } from '../../volume/affine.js';
import { erodeMm } from '../../volume/morphology.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import { cubeGrid, type Mask } from '../../volume/volume.js';
import { binaryHead, firstHits, randomRotation, surfaceProbability } from './surface.js';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const random = (n: number): Random => new Random(sha256(Uint8Array.of(n)));

/** A ball of radius 20 with a closed hollow of radius 9, beside a corner of its cube. */
function hollowBall(): { ball: Mask; radius: (v: number) => number } {
  const grid = cubeGrid(IDENTITY, [0, 0, 0], 48, 4);
  const radius = (v: number): number =>
    Math.hypot((v % 48) - 20, (((v / 48) | 0) % 48) - 21, ((v / 48 / 48) | 0) - 22);
  const data = Uint8Array.from({ length: 48 ** 3 }, (_, v) => (radius(v) < 20 && radius(v) > 9 ? 1 : 0));
  return { ball: { grid, data }, radius };
}

describe('randomRotation', () => {
  it('keeps lengths and orientation', () => {
    const r = random(1);
    for (let n = 0; n < 200; n++) {
      const m = randomRotation(r);
      const [x, y, z] = [
        applyAffine(m, [1, 0, 0]),
        applyAffine(m, [0, 1, 0]),
        applyAffine(m, [0, 0, 1]),
      ] as const;
      const cross: Vec3 = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
      expect(Math.hypot(...x)).toBeCloseTo(1, 12);
      cross.forEach((c, i) => {
        expect(c).toBeCloseTo(z[i] as number, 12);
      });
    }
  });

  it('is uniform: an axis goes everywhere alike, and angles follow (angle - sin angle) / pi', () => {
    const r = random(2);
    const n = 20_000;
    const octants = new Float64Array(8);
    const heights: number[] = [];
    const angles: number[] = [];
    for (let i = 0; i < n; i++) {
      const m = randomRotation(r);
      const p = applyAffine(m, [0.6, 0.64, 0.48]);
      const octant = (p[0] > 0 ? 1 : 0) + (p[1] > 0 ? 2 : 0) + (p[2] > 0 ? 4 : 0);
      octants[octant] = (octants[octant] as number) + 1;
      heights.push(p[2]);
      const trace = (m[0] as number) + (m[5] as number) + (m[10] as number);
      angles.push(Math.acos(Math.max(-1, Math.min(1, (trace - 1) / 2))));
    }
    for (const count of octants) expect(Math.abs(count / n - 1 / 8)).toBeLessThan(0.01);
    // Kolmogorov-Smirnov at one in a thousand: 1.95 / sqrt(n).
    const distance = (values: number[], cdf: (v: number) => number): number =>
      Math.max(...values.sort((a, b) => a - b).map((v, i) => Math.abs((i + 0.5) / n - cdf(v))));
    expect(distance(heights, (z) => (z + 1) / 2)).toBeLessThan(1.95 / Math.sqrt(n));
    expect(distance(angles, (a) => (a - Math.sin(a)) / Math.PI)).toBeLessThan(1.95 / Math.sqrt(n));
  });
});

describe('firstHits', () => {
  it('marks the first and last voxel of every ray, as formula 3 does word for word', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 5 }),
        ),
        fc.infiniteStream(fc.boolean()),
        (shape, bits) => {
          const [nx, ny, nz] = shape;
          const mask = Uint8Array.from({ length: nx * ny * nz }, () => (bits.next().value ? 1 : 0));
          const at = (p: readonly number[]): number =>
            (p[0] as number) + nx * ((p[1] as number) + ny * (p[2] as number));
          const expected = new Float64Array(mask.length);
          for (let v = 0; v < mask.length; v++) {
            if (mask[v] === 0) continue;
            const k = [v % nx, ((v / nx) | 0) % ny, (v / (nx * ny)) | 0];
            for (let a = 0; a < 3; a++)
              for (const d of [1, -1]) {
                const size = shape[a] as number;
                const zeta = (p: number): number => (d === 1 ? size - 1 - p : p);
                const hits = Array.from({ length: size }, (_, s) => s).filter(
                  (s) => mask[at(k.map((c, i) => (i === a ? s : c)))] === 1,
                );
                if (zeta(k[a] as number) === Math.min(...hits.map(zeta)))
                  expected[v] = (expected[v] as number) + 1 / 6;
              }
          }
          const found = firstHits(mask, shape);
          found.forEach((value, v) => {
            expect(value).toBeCloseTo(expected[v] as number, 6);
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('surfaceProbability', () => {
  it('is high on the surface, 0 in a cavity, between them and outside', () => {
    const { ball, radius } = hollowBall();
    const { data } = surfaceProbability(ball, random(3));
    let [surface, hit, elsewhere, beyond] = [0, 0, 0, 0];
    data.forEach((z, v) => {
      const r = radius(v);
      if (!(z >= 0 && z <= 1)) beyond++;
      if (r >= 19 && r < 20) {
        surface++;
        if (z > 0.05) hit++;
      } else if ((r < 17 || r >= 20) && z > 0) elsewhere++;
    });
    expect(hit / surface).toBeGreaterThan(0.99);
    expect(elsewhere).toBe(0);
    expect(beyond).toBe(0);
  });

  it('draws the same from the same seed, and does not depend on how the cube cuts the corners', () => {
    const { ball } = hollowBall();
    const [one, two, other] = [3, 3, 4].map((n) => surfaceProbability(ball, random(n), 8).data) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect(Buffer.from(two.buffer).equals(Buffer.from(one.buffer))).toBe(true);
    expect(Buffer.from(other.buffer).equals(Buffer.from(one.buffer))).toBe(false);
    // A block that fills its cube: every corner is turned out of it, and must be marked all the same.
    const grid = cubeGrid(IDENTITY, [0, 0, 0], 12, 4);
    const block = surfaceProbability({ grid, data: new Uint8Array(12 ** 3).fill(1) }, random(5)).data;
    for (const v of [0, 11, 12 * 11, 12 ** 3 - 1]) expect(block[v]).toBeGreaterThan(0.2);
  });

  it('answers zeros for nothing', () => {
    const grid = cubeGrid(IDENTITY, [0, 0, 0], 5, 4);
    expect(surfaceProbability({ grid, data: new Uint8Array(125) }, random(1)).data.some((z) => z !== 0)).toBe(
      false,
    );
  });
});

describe('binaryHead', () => {
  const grid = headGrid({ spacing: [4, 4, 4] });
  const { volume, brainMask } = syntheticHead({ grid });
  const head = { volume, brainMask, pose: IDENTITY, air: 0, scale: 1, brainLevel: 500 };

  it('holds the skin and the brain, not the air', () => {
    const { data } = binaryHead(head);
    const litres = (data.reduce((sum, v) => sum + v, 0) * 64) / 1e6;
    expect(litres).toBeGreaterThan(2.5);
    expect(litres).toBeLessThan(6);
    expect(data[0]).toBe(0);
  });

  it('takes no notice of what tissue above delta holds', () => {
    const first = binaryHead(head).data;
    // Deeper than the blocks whose mean a voxel takes part in; it stays above delta.
    const deep = erodeMm({ grid, data: Uint8Array.from(volume.data, (v) => (v > 200 ? 1 : 0)) }, 10).data;
    const changed = volume.data.map((v, o) => (deep[o] === 1 ? 150 + ((v * 7919) % 1500) : v));
    expect(deep.reduce((sum, v) => sum + v, 0)).toBeGreaterThan(10_000);
    const second = binaryHead({ ...head, volume: { grid, data: changed } }).data;
    expect(Buffer.compare(first, second)).toBe(0);
  });
});
