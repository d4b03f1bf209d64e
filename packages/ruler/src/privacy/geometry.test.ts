import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/errors/errors.js';
import { IDENTITY, multiply, rotation, translation, type Vec3 } from '../../../../src/volume/affine.js';
import { Random } from '../../../../src/volume/random.js';
import {
  type HeadShape,
  headShape,
  meanShape,
  regionPixels,
  SHAPE_CENTRE,
  SHAPE_PIXEL_MM,
  SHAPE_SIZE,
  SHAPE_VIEWS,
  type ShapeView,
  shapeSimilarity,
  surfaceDistance,
  surfaceDistances,
  withoutHubs,
} from './geometry.js';
import { queryOutcomes } from './identification.js';
import { eggHead, eggShape } from './testing/egg-heads.js';

/** The pixel in which a view shows a point of the brain's frame. */
function pixelOf(view: ShapeView, [x, y, z]: Vec3): number {
  const across = { front: -(x - SHAPE_CENTRE[0]), left: -(y - SHAPE_CENTRE[1]), right: y - SHAPE_CENTRE[1] }[
    view
  ];
  const column = Math.floor(across / SHAPE_PIXEL_MM + SHAPE_SIZE / 2);
  return column + SHAPE_SIZE * Math.floor(SHAPE_SIZE / 2 - (z - SHAPE_CENTRE[2]) / SHAPE_PIXEL_MM);
}

const plain = eggShape();
const nobody: HeadShape = {
  front: new Float32Array(SHAPE_SIZE ** 2).fill(Number.NaN),
  left: new Float32Array(SHAPE_SIZE ** 2).fill(Number.NaN),
  right: new Float32Array(SHAPE_SIZE ** 2).fill(Number.NaN),
};

/** Half a millimetre of noise on every depth. */
function noisy(shape: HeadShape, random: Random): HeadShape {
  const view = (depth: Float32Array): Float32Array => depth.map((d) => d + 0.5 * random.normal());
  return { front: view(shape.front), left: view(shape.left), right: view(shape.right) };
}

describe('headShape', () => {
  const cast = headShape(eggHead(), IDENTITY);

  it('measures depth from the plane through the centre: nose, ears, and nothing beside the head', () => {
    // The tip of the nose stands at y = 96 + 12, the centre at y = 22.
    expect(Math.abs((cast.front[pixelOf('front', [0, 0, -55])] as number) + 86)).toBeLessThan(3);
    // Ears end at 72 + 10 mm.
    for (const view of ['left', 'right'] as const)
      expect(Math.abs((cast[view][pixelOf(view, [0, 0, -50])] as number) + 82)).toBeLessThan(4);
    expect(cast.front[0]).toBeNaN();
  });

  it('agrees with the ellipsoids that the head was drawn from', () => {
    // A 4 mm voxel is smoothed away by a third of its edge; the search takes most of that back.
    expect(surfaceDistance(plain, cast, 'head')).toBeLessThan(1);
    for (const view of SHAPE_VIEWS) {
      const errors = cast[view].map((d, p) => Math.abs(d - (plain[view][p] as number))).filter((d) => d < 99);
      expect(errors.reduce((sum, d) => sum + d, 0) / errors.length).toBeLessThan(2.5);
    }
  });

  it('is the same wherever the head lies, if the pose says so', () => {
    const pose = multiply(translation(12, -31, 7), rotation([0.2, -0.1, 0.3]));
    expect(surfaceDistance(cast, headShape(eggHead({}, pose, 5), pose), 'head')).toBeLessThan(0.8);
  });
});

describe('regionPixels', () => {
  it('face: nose and chin, neither forehead nor ears nor neck; head: all but the neck', () => {
    const nose: Vec3 = [0, 108, -55];
    const parts: [Vec3, number, number][] = [
      [nose, 1, 1],
      [[0, 90, -105], 1, 1],
      [[0, 95, 20], 0, 1],
      [[0, 60, -130], 0, 0],
    ];
    for (const [point, face, head] of parts)
      for (const view of SHAPE_VIEWS) {
        expect(regionPixels(view, 'face')[pixelOf(view, point)]).toBe(face);
        expect(regionPixels(view, 'head')[pixelOf(view, point)]).toBe(head);
      }
    for (const view of ['left', 'right'] as const)
      expect(regionPixels(view, 'face')[pixelOf(view, [0, 10, -50])]).toBe(0);
  });

  it('is the same from the left as from the right, mirrored', () => {
    const [left, right] = [regionPixels('left', 'face'), regionPixels('right', 'face')];
    for (let p = 0; p < left.length; p++)
      expect(left[p]).toBe(
        right[SHAPE_SIZE * Math.floor(p / SHAPE_SIZE) + SHAPE_SIZE - 1 - (p % SHAPE_SIZE)],
      );
  });
});

describe('surfaceDistance', () => {
  it('forgives a pose that is up to 4 mm off', () => {
    const off = fc.integer({ min: -4, max: 4 });
    fc.assert(
      fc.property(off, off, off, (x, y, z) => {
        // Half a pixel cannot be searched, and at steep edges it costs 1 mm; unsearched, 4 mm cost 4.
        expect(surfaceDistance(plain, eggShape({ moved: [x, y, z] }), 'face')).toBeLessThan(1.3);
      }),
      { numRuns: 20 },
    );
  });

  it('does not forgive another nose or chin, and sees them in the face more than in the head', () => {
    const others = [
      eggShape({ nose: 22, noseZ: -45 }),
      eggShape({ chin: 22 }),
      eggShape({ nose: 18, chin: 20 }),
    ];
    const alone = others.map((other) => surfaceDistance(plain, other, 'face'));
    expect(Math.min(...alone)).toBeGreaterThan(0.8);
    others.forEach((other, i) => {
      expect(surfaceDistance(plain, other, 'head')).toBeLessThan(0.5 * (alone[i] as number));
    });
  });

  it('is 0 to oneself, the same both ways, the cap to nobody, and NaN among nobodies', () => {
    const other = eggShape({ breadth: 64, chin: 20 });
    expect(surfaceDistance(plain, plain, 'face')).toBe(0);
    const [there, back] = [surfaceDistance(plain, other, 'face'), surfaceDistance(other, plain, 'face')];
    // Not quite the same: the region stays where it is and the other head moves.
    expect(Math.abs(there - back)).toBeLessThan(0.1 * there);
    expect(surfaceDistance(plain, nobody, 'head')).toBe(12);
    expect(surfaceDistance(nobody, nobody, 'head')).toBeNaN();
    expect(() => surfaceDistance({ ...plain, left: new Float32Array(4) }, plain, 'face')).toThrow(Failure);
  });

  it('does not look at the neck: where a scan ends says nothing', () => {
    const cut = eggShape();
    for (const view of SHAPE_VIEWS)
      for (let p = pixelOf(view, [0, 0, -118]); p < SHAPE_SIZE ** 2; p++) cut[view][p] = Number.NaN;
    expect(surfaceDistance(plain, cut, 'face')).toBe(0);
    expect(surfaceDistance(plain, cut, 'head')).toBe(0);
  });
});

describe('shapeSimilarity', () => {
  it('finds every egg again after it was moved and made noisy, by face and by head', () => {
    const random = new Random(Uint32Array.of(3, 1, 4, 1, 5, 9, 2, 6));
    const eggs = Array.from({ length: 6 }, (_, i) => ({
      nose: 9 + i,
      noseZ: -62 + ((i * 5) % 7) * 3,
      chin: 10 + ((i * 3) % 7),
      breadth: 68 + ((i * 2) % 7),
    }));
    const queries = eggs.map((egg) => eggShape(egg));
    const moved = (): Vec3 => [random.normal(), random.normal(), random.normal()];
    const candidates = eggs.map((egg) => noisy(eggShape({ ...egg, moved: moved() }), random));
    for (const region of ['face', 'head'] as const)
      for (const { rank1 } of queryOutcomes(shapeSimilarity(queries, candidates, region), eggs.length))
        expect(rank1).toBe(1);
  });

  it('is minus the distance where there are too few heads for hubs', () => {
    const other = eggShape({ nose: 18 });
    const distances = surfaceDistances([plain, other], [plain, other], 'face');
    expect([...shapeSimilarity([plain, other], [plain, other], 'face')]).toEqual(
      [...distances].map((d) => -d),
    );
  });
});

describe('withoutHubs', () => {
  it('takes away what a head has in common with everyone', () => {
    const n = 8;
    const own = (p: number): number => (p % (n + 1) === 0 ? 1 : 0);
    const hub = Float64Array.from({ length: n * n }, (_, p) => own(p) + (p % n === 3 ? 1.5 : 0));
    const best = (s: Float64Array): number[] => queryOutcomes(s, n).map((o) => o.rank1);
    expect(best(hub)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    expect(best(withoutHubs(hub, n, n))).toEqual(new Array(n).fill(1));
  });

  it('keeps NaN to themselves', () => {
    const found = withoutHubs(Float64Array.of(1, Number.NaN, 3, 4), 2, 2);
    expect([...found].map(Number.isNaN)).toEqual([false, true, false, false]);
    expect(found[0]).toBeCloseTo(1 - (1 + 2) / 2, 12);
  });
});

describe('meanShape', () => {
  it('averages depths where at least half see the head', () => {
    const map = (value: number): HeadShape => ({
      front: new Float32Array(SHAPE_SIZE ** 2).fill(value),
      left: new Float32Array(SHAPE_SIZE ** 2).fill(value),
      right: new Float32Array(SHAPE_SIZE ** 2).fill(value),
    });
    expect(meanShape([map(-10), map(-20)]).left[5]).toBe(-15);
    expect(meanShape([map(-10), nobody]).left[5]).toBe(-10);
    expect(meanShape([map(-10), nobody, nobody]).left[5]).toBeNaN();
    expect(() => meanShape([])).toThrow(Failure);
  });
});
