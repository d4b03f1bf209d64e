/** The convex hull: what it holds, that it is convex, and that its seed alone decides what of chance is in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelGrid } from '../../brain/model-grid.js';
import type { Vec3 } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import { cubeGrid } from '../../volume/volume.js';
import { carve, chooseFacets, convexHull, hullFacets } from './hull.js';
import { binaryHead } from './surface.js';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const random = (n: number): Random => new Random(sha256(Uint8Array.of(n)));
const points = fc.array(
  fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
  { minLength: 8, maxLength: 60 },
);
/** Points with a volume between them: lattice points are what the quick hull is given, with all their coplanar quadruples. */
const solids = points.filter((given) => {
  const [a = [0, 0, 0], ...rest] = given as readonly Vec3[];
  return rest.some((b) =>
    rest.some((c) =>
      rest.some((d) => {
        const from = (p: Vec3): Vec3 => [p[0] - a[0], p[1] - a[1], p[2] - a[2]];
        const [u, v, w] = [from(b), from(c), from(d)];
        const volume =
          u[0] * (v[1] * w[2] - v[2] * w[1]) -
          u[1] * (v[0] * w[2] - v[2] * w[0]) +
          u[2] * (v[0] * w[1] - v[1] * w[0]);
        return Math.abs(volume) > 1;
      }),
    ),
  );
});
const mutable = (given: readonly Vec3[]): [number, number, number][] => given.map((p) => [p[0], p[1], p[2]]);
const at = (n: number, p: readonly number[]): number =>
  (p[0] as number) + n * ((p[1] as number) + n * (p[2] as number));

describe('hullFacets', () => {
  it('has each facet of a cube once, however many points lie on it', () => {
    const cube: [number, number, number][] = [];
    for (let x = 0; x < 6; x++)
      for (let y = 0; y < 6; y++) for (let z = 0; z < 6; z++) cube.push([x * 4 + 7, y * 4 - 3, z * 4]);
    const facets = hullFacets(cube);
    expect(facets).toHaveLength(6);
    const offsets = facets.map(({ normal, offset }) => [
      normal.map((c) => Math.round(c) || 0).join(),
      offset,
    ]);
    expect(new Map(offsets as [string, number][])).toEqual(
      new Map([
        ['1,0,0', 27],
        ['-1,0,0', -7],
        ['0,1,0', 17],
        ['0,-1,0', 3],
        ['0,0,1', 20],
        ['0,0,-1', 0],
      ]),
    );
  });

  it('never cuts a point off, and touches one with every facet', () => {
    fc.assert(
      fc.property(solids, (given) => {
        const facets = hullFacets(mutable(given));
        expect(facets.length).toBeGreaterThan(3);
        for (const { normal, offset } of facets) {
          expect(Math.hypot(...normal)).toBeCloseTo(1, 9);
          const most = Math.max(...given.map((p) => p[0] * normal[0] + p[1] * normal[1] + p[2] * normal[2]));
          expect(most).toBeCloseTo(offset, 6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has none for points without a volume', () => {
    expect(hullFacets([])).toEqual([]);
    expect(
      hullFacets([
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
      ]),
    ).toEqual([]);
  });
});

describe('carve', () => {
  const N = 20;
  const grid = cubeGrid(IDENTITY, [0, 0, 0], N, 1);

  it('keeps what no half-space leaves out, voxel by voxel', () => {
    fc.assert(
      fc.property(solids, fc.integer({ min: 1, max: 30 }), (given, count) => {
        const planes = chooseFacets(hullFacets(mutable(given)), count, random(count));
        const { data } = carve(planes, grid, 0.25);
        for (let v = 0; v < data.length; v += 3) {
          const p: Vec3 = [(v % N) - 9.5, (((v / N) | 0) % N) - 9.5, ((v / N / N) | 0) - 9.5];
          const room = Math.min(
            ...planes.map(
              ({ normal, offset }) => offset + 0.25 - p[0] * normal[0] - p[1] * normal[1] - p[2] * normal[2],
            ),
          );
          if (Math.abs(room) > 1e-6) expect(data[v]).toBe(room > 0 ? 1 : 0);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is convex: every voxel in the middle of two that are kept is kept', () => {
    fc.assert(
      fc.property(
        solids,
        fc.integer({ min: 1, max: 30 }),
        fc.infiniteStream(fc.nat()),
        (given, count, more) => {
          const { data } = carve(chooseFacets(hullFacets(mutable(given)), count, random(count)), grid);
          const kept = Array.from(data.keys()).filter((v) => data[v] === 1);
          if (kept.length === 0) return;
          for (let n = 0; n < 200; n++) {
            const [a, b] = [kept[more.next().value % kept.length], kept[more.next().value % kept.length]].map(
              (v) => [(v as number) % N, (((v as number) / N) | 0) % N, ((v as number) / N / N) | 0],
            ) as [number[], number[]];
            // Points of the segment that fall on voxel centres.
            const steps = a.reduce((g, c, i) => gcd(g, Math.abs(c - (b[i] as number))), 0);
            for (let t = 0; t <= steps; t++) {
              const p = a.map((c, i) => c + ((((b[i] as number) - c) * t) / steps || 0));
              expect(data[at(N, p)]).toBe(1);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

describe('chooseFacets', () => {
  it('takes each at most once, all when there are few', () => {
    const facets = hullFacets([
      [0, 0, 0],
      [9, 0, 0],
      [0, 9, 0],
      [0, 0, 9],
    ]);
    expect(facets).toHaveLength(4);
    expect(new Set(chooseFacets(facets, 3, random(1))).size).toBe(3);
    expect(new Set(chooseFacets(facets, 100, random(1)))).toEqual(new Set(facets));
  });
});

describe('convexHull', () => {
  const { volume, brainMask } = syntheticHead({ grid: headGrid({ spacing: [4, 4, 4] }) });
  const outline = binaryHead({ volume, brainMask, pose: IDENTITY, air: 0, scale: 1, brainLevel: 500 });
  const grid = modelGrid(IDENTITY, 128);
  const draw = (n: number): Uint8Array => convexHull(outline, random(n), grid).data;
  const one = draw(1);

  it('holds 99.5 % of the head and is not much larger', () => {
    const wide = modelGrid(IDENTITY, 64);
    const coarse = convexHull(outline, random(1), wide).data;
    let [head, inside, hull] = [0, 0, 0];
    outline.data.forEach((v, o) => {
      hull += coarse[o] as number;
      head += v;
      inside += v * (coarse[o] as number);
    });
    expect(inside / head).toBeGreaterThan(0.995);
    expect(hull / head).toBeLessThan(1.6);
  });

  it('is drawn by its seed', () => {
    expect(Buffer.compare(draw(1), one)).toBe(0);
    const other = draw(2);
    expect(Buffer.compare(other, one)).not.toBe(0);
    const differ = other.reduce((sum, v, o) => sum + Math.abs(v - (one[o] as number)), 0);
    expect(differ / one.reduce((sum, v) => sum + v, 0)).toBeLessThan(0.12);
  });

  it('is everything where there is no head', () => {
    const none = convexHull(
      { grid: outline.grid, data: new Uint8Array(outline.data.length) },
      random(1),
      grid,
    );
    expect(none.data.every((v) => v === 1)).toBe(true);
  });
});
