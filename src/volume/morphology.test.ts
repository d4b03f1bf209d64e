/** Morphology against its definitions, by brute force on small anisotropic grids. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelComponents, largestComponent } from './components.js';
import { closeMm, dilateMm, erodeMm, fillHoles, invertMask, squaredDistance } from './morphology.js';
import type { Mask } from './volume.js';

const SHAPE = [6, 5, 4] as const;
const SIZES = [1, 1.5, 0.7] as const;
const COUNT = 120;

const masks: fc.Arbitrary<Mask> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(9), { minLength: COUNT, maxLength: COUNT }))
  .map(([density, draws]) => ({
    grid: { shape: SHAPE, affine: [-1, 0, 0, 3, 0, 1.5, 0, 0, 0, 0, 0.7, 0, 0, 0, 0, 1] },
    data: Uint8Array.from(draws, (d) => (d < density ? 1 : 0)),
  }));

const position = (v: number): [number, number, number] => [v % 6, ((v / 6) | 0) % 5, (v / 30) | 0];

function bruteDistance(mask: Mask, from: number): number {
  const a = position(from);
  let best = Number.POSITIVE_INFINITY;
  for (let v = 0; v < COUNT; v++) {
    if (mask.data[v] === 0) continue;
    const b = position(v);
    best = Math.min(
      best,
      a.reduce((sum, n, axis) => sum + ((n - (b[axis] as number)) * (SIZES[axis] as number)) ** 2, 0),
    );
  }
  return best;
}

describe('morphology', () => {
  it('finds the exact distance to the nearest set voxel', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        const found = squaredDistance(mask);
        for (let v = 0; v < COUNT; v++) {
          const expected = bruteDistance(mask, v);
          if (expected === Number.POSITIVE_INFINITY) expect(found[v]).toBeGreaterThan(9e11);
          else expect(found[v]).toBeCloseTo(expected, 3);
        }
      }),
    );
  });

  it('dilates to all voxels within the distance, on radii beside and beyond the voxel size', () => {
    fc.assert(
      fc.property(masks, fc.constantFrom(0.5, 0.7, 1, 1.6, 2.1, 3.3), (mask, mm) => {
        const grown = dilateMm(mask, mm);
        for (let v = 0; v < COUNT; v++)
          expect(grown.data[v]).toBe(bruteDistance(mask, v) <= mm * mm + 1e-6 ? 1 : 0);
      }),
    );
  });

  it('erosion is dilation of what is outside; closing only adds and does it once', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        expect(erodeMm(mask, 1.6).data).toEqual(invertMask(dilateMm(invertMask(mask), 1.6)).data);
        const closed = closeMm(mask, 1.6);
        expect(closed.data.every((v, i) => v >= (mask.data[i] as number))).toBe(true);
        expect(closeMm(closed, 1.6).data).toEqual(closed.data);
      }),
    );
  });

  it('fills what the edge cannot reach, and no more', () => {
    const data = new Uint8Array(7 * 7 * 7);
    for (let v = 0; v < data.length; v++) {
      const distance = Math.max(...[v % 7, ((v / 7) | 0) % 7, (v / 49) | 0].map((n) => Math.abs(n - 3)));
      data[v] = distance === 2 ? 1 : 0;
    }
    const grid = { shape: [7, 7, 7], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] } as const;
    const sum = (mask: Mask): number => mask.data.reduce((a, b) => a + b, 0);
    expect(sum(fillHoles({ grid, data }))).toBe(125);
    data[3 + 7 * (3 + 7 * 1)] = 0;
    expect(fillHoles({ grid, data }).data).toEqual(data);
  });
});

/** Labels by spreading the smallest voxel index until nothing changes. */
function naiveLabels(mask: Mask): number[] {
  const label = Array.from(mask.data, (v, i) => (v > 0 ? i : -1));
  for (let changed = true; changed; ) {
    changed = false;
    for (let v = 0; v < COUNT; v++) {
      if ((label[v] as number) < 0) continue;
      const [x, y, z] = position(v);
      const near = [
        x > 0 ? v - 1 : -1,
        x < 5 ? v + 1 : -1,
        y > 0 ? v - 6 : -1,
        y < 4 ? v + 6 : -1,
        z > 0 ? v - 30 : -1,
        z < 3 ? v + 30 : -1,
      ];
      for (const n of near)
        if (n >= 0 && (label[n] as number) >= 0 && (label[n] as number) < (label[v] as number)) {
          label[v] = label[n] as number;
          changed = true;
        }
    }
  }
  return label;
}

describe('components', () => {
  it('joins exactly what touches by a face, numbered by first voxel', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        const { labels, sizes } = labelComponents(mask);
        const naive = naiveLabels(mask);
        const roots = [...new Set(naive.filter((l) => l >= 0))].sort((a, b) => a - b);
        expect([...labels]).toEqual(naive.map((l) => (l < 0 ? 0 : roots.indexOf(l) + 1)));
        expect(sizes[0]).toBe(0);
        roots.forEach((root, i) => {
          expect(sizes[i + 1]).toBe(naive.filter((l) => l === root).length);
        });
        const biggest = largestComponent(mask).data.reduce((a, b) => a + b, 0);
        expect(biggest).toBe(Math.max(...sizes));
      }),
      { numRuns: 60 },
    );
  });

  it('finds nothing in an empty mask', () => {
    const empty: Mask = {
      grid: { shape: [2, 2, 2], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] },
      data: new Uint8Array(8),
    };
    expect(labelComponents(empty).sizes).toEqual([0]);
    expect([...largestComponent(empty).data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
