/** The registry, and the contract that every registered method keeps (on the synthetic head; the fake stands in). */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Head } from '../brain/head.js';
import { Refusal } from '../errors/errors.js';
import { listModels } from '../node/networks/node-models.js';
import { NodeNetworkRunner } from '../node/networks/node-runner.js';
import { applyAffine } from '../volume/affine.js';
import { sha256 } from '../volume/sha256.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { voxelCount } from '../volume/volume.js';
import type { Alteration, MethodContext } from './method.js';
import { createMethods, type Method, MethodRegistry } from './registry.js';
import { fakeMethod } from './testing/fake-method.js';
import { sameHullChanges } from './testing/same-hull.js';

describe('MethodRegistry', () => {
  it('finds methods by name and says which there are when asked for another', () => {
    const registry = new MethodRegistry().register(fakeMethod());
    expect(registry.get('fake').name).toBe('fake');
    expect(registry.names).toEqual(['fake']);
    expect(() => registry.get('none')).toThrow(expect.objectContaining({ tag: 'option-invalid' }));
  });

  it('takes no name twice and none that is no name', () => {
    const registry = new MethodRegistry().register(fakeMethod());
    expect(() => registry.register(fakeMethod())).toThrow(expect.objectContaining({ tag: 'internal' }));
    expect(() => registry.register({ ...fakeMethod(), name: '../x' })).toThrow();
  });
});

const installed = await listModels();
const runnable = [fakeMethod() as Method, ...createMethods().all].filter((method) => {
  const missing = method.models.filter((name) => !installed.includes(name));
  if (missing.length > 0)
    console.warn(`contract test skips ${method.name}: not installed: ${missing.join(', ')}`);
  return missing.length === 0;
});
const grid = headGrid({ spacing: [4, 4, 4] });
const brain = syntheticHead({ grid }).brainMask;
const headOf = (variant: number): Head => {
  const { volume } = syntheticHead({ grid, variant });
  const level = 500;
  return {
    volume,
    brainMask: brain,
    pose: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    air: 0,
    scale: 1,
    brainLevel: level,
  };
};

const networks = new NodeNetworkRunner();
afterAll(() => networks.close());

/** What may stand where the head should be. */
const BAD: Record<string, (o: number) => number> = {
  'a brain in nothing': () => 0,
  'a brain in a solid block': () => 400,
  'a brain in noise': (o) => (o * 7919) % 900,
};

describe.each(runnable)('the contract, kept by $name', (method) => {
  const context: MethodContext = { networks, resolution: 128 };
  const seed = (n: number): Uint32Array => sha256(Uint8Array.of(n));

  it('names itself, its paper and its models', () => {
    expect(method.name).toMatch(/^[a-z0-9-]+$/);
    expect(method.reference).not.toBe('');
  });

  it('draws a head by its seed, where it remodels', async () => {
    if (method.kind === 'remove') return;
    const gamma = await method.condition(headOf(0), context);
    const one = await method.synthesize(gamma, seed(1), context);
    expect(one.data).toHaveLength(voxelCount(one.grid.shape));
    expect(one.data.every(Number.isFinite)).toBe(true);
    const again = await method.synthesize(gamma, seed(1), context);
    expect(Buffer.from(again.data.buffer).equals(Buffer.from(one.data.buffer))).toBe(true);
    const other = await method.synthesize(gamma, seed(2), context);
    expect(Buffer.from(other.data.buffer).equals(Buffer.from(one.data.buffer))).toBe(false);
  });

  it('conditions on the brain alone, where it remodels and does not say otherwise', async () => {
    if (method.kind === 'remove' || method.conditioning === 'brain and convex hull') return;
    const [one, two] = [
      await method.condition(headOf(0), context),
      await method.condition(headOf(2), context),
    ];
    // Vitest's own comparison takes a minute for two million numbers.
    expect(isDeepStrictEqual(one, two)).toBe(true);
  });
});

const withHull = runnable.filter(
  (method) => method.kind === 'remodel' && method.conditioning === 'brain and convex hull',
);
describe.each(withHull)('the contract of a hull in gamma, kept by $name', (method) => {
  it('conditions on the brain and the hull alone', async () => {
    if (method.kind === 'remove') return;
    const context: MethodContext = { networks, resolution: 128 };
    const head = headOf(0);
    const one = await method.condition(head, context);
    for (const data of Object.values(sameHullChanges(head))) {
      const two = await method.condition({ ...head, volume: { grid, data } }, context);
      expect(isDeepStrictEqual(one, two)).toBe(true);
    }
  });
});

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

/** y (mm, to the front) of the first tissue met from the front, in columns of x and z; NaN where there is none. */
function surface(data: Float32Array): Float64Array {
  const [nx, ny, nz] = grid.shape;
  const out = new Float64Array(nx * nz).fill(Number.NaN);
  for (let k = 0; k < nz; k++)
    for (let i = 0; i < nx; i++)
      for (let j = ny - 1; j >= 0; j--)
        if ((data[i + nx * (j + ny * k)] as number) > 100) {
          out[i + nx * k] = j * 4;
          break;
        }
  return out;
}

const IDENTITY = headOf(0).pose;
const removers = runnable.filter((method) => method.kind === 'remove');
describe.each(removers)('the contract of removal, kept by $name', (method) => {
  const context: MethodContext = { networks, resolution: 128 };

  const head = headOf(0);
  const before = head.volume.data.slice();
  // Once for several tests: the registration takes half a second.
  let first: Promise<Alteration> | undefined;
  const once = (): Promise<Alteration> => {
    first ??= method.alter(head, context);
    return first;
  };

  it('alters what it says, on the stored grid, and leaves brain and input alone', async () => {
    const { values, altered } = await once();
    expect(values.grid).toEqual(grid);
    expect(altered.grid).toEqual(grid);
    expect(values.data).toHaveLength(voxelCount(grid.shape));
    expect(values.data.every(Number.isFinite)).toBe(true);
    expect(altered.data.some((v, o) => v > 0 && brain.data[o] === 1)).toBe(false);
    expect(values.data.some((v, o) => altered.data[o] === 0 && v !== before[o])).toBe(false);
    expect(sameNumbers(head.volume.data, before)).toBe(true);
  });

  it('changes the surface of the face', async () => {
    const { values } = await once();
    const [old, now] = [surface(before), surface(values.data)];
    let [moved, all] = [0, 0];
    const [nx] = grid.shape;
    old.forEach((y, column) => {
      const [x, , z] = applyAffine(grid.affine, [column % nx, 0, Math.floor(column / nx)]);
      // Nose, eyes and cheeks of the synthetic head.
      if (Number.isNaN(y) || Math.abs(x) > 40 || z < -95 || z > -25) return;
      all++;
      const there = now[column] as number;
      if (Number.isNaN(there) || Math.abs(there - y) > 3) moved++;
    });
    expect(all).toBeGreaterThan(200);
    expect(moved / all).toBeGreaterThan(0.25);
  });

  it('gives the same result again', async () => {
    const [one, two] = [await once(), await method.alter(headOf(0), context)];
    expect(sameNumbers(two.values.data, one.values.data)).toBe(true);
    expect(Buffer.compare(two.altered.data, one.altered.data)).toBe(0);
  });

  it.each(Object.entries(BAD))('answers or refuses, and does not crash, on %s', async (_, change) => {
    const data = before.map((v, o) => (brain.data[o] === 1 ? v : change(o)));
    try {
      const { values } = await method.alter({ ...head, volume: { grid, data } }, context);
      expect(values.data.every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
    }
  });

  it('treats a head that lies oblique in a thick, left-handed grid', async () => {
    const other = headGrid({ spacing: [3, 4, 8], turn: [0.2, -0.15, 0.3], flip: true });
    const { volume, brainMask } = syntheticHead({ grid: other });
    const { values, altered } = await method.alter(
      { volume, brainMask, pose: IDENTITY, air: 0, scale: 1, brainLevel: 500 },
      context,
    );
    let [front, behind] = [0, 0];
    altered.data.forEach((v, o) => {
      if (v === 0) return;
      const [nx, ny] = other.shape;
      const [, y] = applyAffine(other.affine, [o % nx, ((o / nx) | 0) % ny, (o / (nx * ny)) | 0]);
      if (y > 0) front++;
      else behind++;
    });
    expect(values.data).toHaveLength(voxelCount(other.shape));
    expect(front).toBeGreaterThan(500);
    // Only the watershed reaches behind the ears.
    if (method.name !== 'watershed') expect(behind).toBeLessThan(front);
  });
});
