import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  applyAffine,
  invert,
  multiply,
  rotation,
  scaling,
  translation,
  type Vec3,
} from '../volume/affine.js';
import type { Volume } from '../volume/volume.js';
import { prepareSurface } from './field.js';
import { portrait } from './portrait.js';
import { shade } from './shade.js';
import { castSurface, type Relief } from './surface.js';
import { parseView, VIEWS } from './views.js';

/** A volume of `value(world)`: the share of a voxel that is filled is the distance to the edge in voxels, clamped. */
function shape(n: number, affine: Affine, signedMm: (p: Vec3) => number, level = 100): Volume {
  const data = new Float32Array(n ** 3);
  const mm = Math.hypot(affine[0] as number, affine[4] as number, affine[8] as number);
  for (let k = 0, o = 0; k < n; k++)
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++, o++) {
        const inside = -signedMm(applyAffine(affine, [i, j, k])) / mm;
        data[o] = level * Math.min(1, Math.max(0, inside + 0.5));
      }
  return { grid: { shape: [n, n, n], affine }, data };
}

const centred = (n: number, mm: number): Affine =>
  multiply(scaling(mm, mm, mm), translation(-(n - 1) / 2, -(n - 1) / 2, -(n - 1) / 2));
const ball =
  (radius: number, at: Vec3 = [0, 0, 0]) =>
  (p: Vec3): number =>
    Math.hypot(p[0] - at[0], p[1] - at[1], p[2] - at[2]) - radius;

/** Calls back with the pixel's x to the right and y up in mm. */
function eachPixel(
  relief: Relief,
  visit: (x: number, y: number, depth: number, pixel: number) => void,
): void {
  const { width, height, depth, pixelMm } = relief;
  for (let i = 0; i < depth.length; i++)
    visit(
      ((i % width) + 0.5 - width / 2) * pixelMm,
      (height / 2 - Math.floor(i / width) - 0.5) * pixelMm,
      depth[i] as number,
      i,
    );
}

describe('castSurface', () => {
  const mm = 2;
  const radius = 40;
  const head = shape(64, centred(64, mm), ball(radius));
  const field = prepareSurface(head, { threshold: 50 });

  it('finds a ball to within half a voxel, from any side', () => {
    fc.assert(
      fc.property(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -90, max: 90 }), (yaw, pitch) => {
        const relief = castSurface(field, { view: { yaw, pitch }, centre: [0, 0, 0], size: 24, fovMm: 128 });
        eachPixel(relief, (x, y, depth, i) => {
          const r = Math.hypot(x, y);
          if (r > radius + mm / 2) expect(depth).toBeNaN();
          if (r > radius - 6) return;
          expect(Math.abs(depth + Math.sqrt(radius ** 2 - r ** 2))).toBeLessThan(mm / 2);
          const [nx, ny, nz] = relief.normals.subarray(3 * i, 3 * i + 3) as unknown as Vec3;
          expect((nx * x + ny * y - nz * depth) / radius).toBeGreaterThan(0.995);
        });
      }),
      { numRuns: 12 },
    );
  });

  it('sees through a pinhole: the ball looks larger and is as deep', () => {
    const far = castSurface(field, { centre: [0, 0, 0], size: 65, fovMm: 130, distanceMm: 100 });
    const parallel = castSurface(field, { centre: [0, 0, 0], size: 65, fovMm: 130 });
    const seen = (r: Relief): number => r.depth.reduce((n, d) => n + (Number.isNaN(d) ? 0 : 1), 0);
    // The tangent cone of a ball of 40 mm at 100 mm meets the plane through its centre at 40 / sqrt(1 - 0.4^2) mm.
    expect(Math.sqrt(seen(far) / seen(parallel))).toBeCloseTo(1 / Math.sqrt(1 - 0.4 ** 2), 1);
    expect(far.depth[32 + 65 * 32]).toBeCloseTo(-radius, 0);
  });

  it('walks round the head by yaw as the head turned under the camera', () => {
    const bumps = (p: Vec3): number =>
      Math.min(ball(40)(p), ball(8, [0, 42, 0])(p), ball(6, [-38, 0, 10])(p));
    const turn = rotation([0, 0, (-30 * Math.PI) / 180]);
    const still = prepareSurface(shape(64, centred(64, 2), bumps), { threshold: 50 });
    const turned = prepareSurface(
      shape(64, centred(64, 2), (p) => bumps(applyAffine(invert(turn), p))),
      { threshold: 50 },
    );
    const options = { centre: [0, 0, 0], size: 64, fovMm: 128 } as const;
    const walked = castSurface(still, { ...options, view: { yaw: 30, pitch: 0 } });
    const straight = castSurface(turned, options);
    const framed = castSurface(still, { ...options, frame: invert(turn) });
    for (const other of [straight, framed]) {
      let [both, close] = [0, 0];
      eachPixel(walked, (_x, _y, depth, i) => {
        if (Number.isNaN(depth) || Number.isNaN(other.depth[i])) return;
        both++;
        if (Math.abs(depth - (other.depth[i] as number)) < 1) close++;
      });
      expect(both).toBeGreaterThan(1200);
      expect(close / both).toBeGreaterThan(0.98);
    }
  });

  it('shows the subject: nose towards a front camera, right ear on the left of the picture', () => {
    const face = (p: Vec3): number => Math.min(ball(40)(p), ball(8, [0, 42, -5])(p), ball(7, [42, 0, 0])(p));
    const head = prepareSurface(shape(64, centred(64, 2), face));
    const options = { centre: [0, 0, 0], size: 64, fovMm: 128 } as const;
    const front = castSurface(head, { ...options, view: VIEWS.front });
    const at = (r: Relief, x: number, y: number): number =>
      r.depth[Math.floor(32 + x / 2) + 64 * Math.floor(32 - y / 2)] as number;
    expect(at(front, 0, -5)).toBeLessThan(-47);
    expect(at(front, -45, 0)).not.toBeNaN();
    expect(at(front, 45, 0)).toBeNaN();
    const left = castSurface(head, { ...options, view: VIEWS.left });
    expect(at(left, -46, -5)).not.toBeNaN();
    expect(at(left, 46, -5)).toBeNaN();
    expect(at(castSurface(head, { ...options, view: VIEWS.right }), 46, -5)).not.toBeNaN();
    expect(at(castSurface(head, { ...options, view: { yaw: 0, pitch: 90 } }), 0, -46)).not.toBeNaN();
  });

  it('gives the same picture whatever the axes of the stored grid', () => {
    const face = (p: Vec3): number => Math.min(ball(36)(p), ball(9, [4, 36, -5])(p));
    const n = 56;
    const flips: Affine[] = [
      centred(n, 2),
      multiply([0, 0, 2, 0, -2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1], translation(-27.5, -27.5, -27.5)),
    ];
    const [a, b] = flips.map((affine) =>
      castSurface(prepareSurface(shape(n, affine, face), { threshold: 50 }), {
        centre: [0, 0, 0],
        size: 48,
        fovMm: 120,
      }),
    ) as [Relief, Relief];
    eachPixel(a, (_x, _y, depth, i) => {
      const other = b.depth[i] as number;
      expect(Number.isNaN(other)).toBe(Number.isNaN(depth));
      if (!Number.isNaN(depth)) expect(Math.abs(depth - other)).toBeLessThan(0.02);
    });
  });

  it('leaves out specks, also bright ones, and closes a head that the scan cuts off', () => {
    const n = 64;
    const cut = shape(n, centred(n, 2), (p) =>
      Math.min(ball(30)(p), Math.hypot(p[0], p[1]) - 20 + (p[2] > 0 ? 99 : 0)),
    );
    for (let i = 0; i < 5; i++) cut.data[8 + i * 3 + n * (58 + n * 32)] = 500;
    const relief = castSurface(prepareSurface(cut), { centre: [0, 0, 0], size: 64, fovMm: 128 });
    eachPixel(relief, (x, y, depth) => {
      if (Math.abs(x) > 34) expect(depth).toBeNaN();
      if (Math.abs(x) < 16 && y < -30 && y > -62) expect(depth).toBeLessThan(0);
    });
    const below = castSurface(prepareSurface(cut), {
      centre: [0, 0, 0],
      size: 64,
      fovMm: 128,
      view: { yaw: 0, pitch: -90 },
    });
    expect(below.depth[32 + 64 * 32]).toBeCloseTo(-64, -0.5);
  });

  it('finds its level by itself, in noise and under a bias of 3 to 1', () => {
    const noisy = shape(64, centred(64, 2), ball(radius), 100);
    let state = 1;
    const uniform = (): number => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    for (let i = 0; i < noisy.data.length; i++) {
      const bias = 1.5 - ((i % 64) / 63) * 1;
      noisy.data[i] = Math.abs(
        (noisy.data[i] as number) * bias + 10 * (uniform() + uniform() + uniform() - 1.5),
      );
    }
    const relief = castSurface(prepareSurface(noisy), { centre: [0, 0, 0], size: 48, fovMm: 128 });
    const errors: number[] = [];
    eachPixel(relief, (x, y, depth) => {
      const r = Math.hypot(x, y);
      if (r > radius + 4) expect(depth).toBeNaN();
      if (r < radius - 8) errors.push(Math.abs(Math.hypot(r, depth) - radius));
    });
    // Half a voxel on the whole; a voxel at the worst, on the bright side, where the level is low in the edge.
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(mm / 2);
    expect(Math.max(...errors)).toBeLessThan(mm);
  });

  it('is deterministic, and ignores values that are not finite', () => {
    const strange = { ...head, data: head.data.slice() };
    for (let i = 0; i < 50; i++)
      strange.data[i * 97] = [Number.NaN, Number.POSITIVE_INFINITY][i % 2] as number;
    const bytes = (volume: Volume): string =>
      createHash('sha256')
        .update(portrait(volume, { surface: { threshold: 50 } }).image.data)
        .digest('hex');
    expect(bytes(head)).toBe(bytes(head));
    expect(bytes(strange)).toBe(bytes(head));
  });

  it('refuses an image without a surface', () => {
    const flat = { ...head, data: new Float32Array(head.data.length).fill(3) };
    expect(() => prepareSurface(flat)).toThrow(expect.objectContaining({ tag: 'no-signal' }));
    expect(() =>
      prepareSurface({ ...head, data: new Float32Array(head.data.length).fill(Number.NaN) }),
    ).toThrow(expect.objectContaining({ tag: 'no-signal' }));
    expect(() => prepareSurface(head, { threshold: 1e6 })).toThrow(
      expect.objectContaining({ tag: 'no-signal' }),
    );
  });
});

describe('shade', () => {
  it('lights what faces the lamp, darkens hollows, and keeps the background', () => {
    const dent = (p: Vec3): number => Math.max(ball(40)(p), -ball(8, [0, 40, 0])(p));
    const relief = castSurface(prepareSurface(shape(64, centred(64, 2), dent)), {
      centre: [0, 0, 0],
      size: 64,
      fovMm: 128,
    });
    const style = {
      light: [0, 1, 0.2],
      ambient: 0.2,
      hollows: 0,
      surface: [200, 100, 50],
      background: [1, 2, 3],
    } as const;
    const image = shade(relief, style);
    const pixel = (x: number, y: number, from = image): number[] => [
      ...from.data.subarray(3 * (x + 64 * y), 3 * (x + 64 * y) + 3),
    ];
    expect(pixel(0, 0)).toEqual([1, 2, 3]);
    expect(pixel(32, 16)[0]).toBeGreaterThan((pixel(32, 48)[0] as number) * 2);
    expect(pixel(32, 32, shade(relief, { ...style, hollows: 0.6 }))[0]).toBeLessThan(
      (pixel(32, 32)[0] as number) * 0.9,
    );
    expect(shade(relief).channels).toBe(1);
  });
});

describe('parseView', () => {
  it('knows names and angles, and refuses the rest', () => {
    expect(parseView('left')).toEqual({ yaw: 90, pitch: 0 });
    expect(parseView('-12.5, 7')).toEqual({ yaw: -12.5, pitch: 7 });
    for (const bad of ['', 'top', '10', '1,2,3', '0,91', '400,0', '1e2,0', 'constructor', 'NaN,0'])
      expect(() => parseView(bad)).toThrow(expect.objectContaining({ tag: 'option-invalid' }));
  });
});
