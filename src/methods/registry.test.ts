/** The registry, and the contract that every registered method keeps (on the synthetic head; the fake stands in). */
import { describe, expect, it } from 'vitest';
import type { Head } from '../brain/head.js';
import { listModels } from '../networks/node-models.js';
import { NodeNetworkRunner } from '../networks/node-runner.js';
import { sha256 } from '../volume/sha256.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { voxelCount } from '../volume/volume.js';
import type { MethodContext } from './method.js';
import { createMethods, type Method, MethodRegistry } from './registry.js';
import { fakeMethod } from './testing/fake-method.js';

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
    brainLevel: level,
  };
};

describe.each(runnable)('the contract, kept by $name', (method) => {
  const context: MethodContext = { networks: new NodeNetworkRunner(), resolution: 128 };
  const seed = (n: number): Uint32Array => sha256(Uint8Array.of(n));

  it('names itself, its paper and its models', () => {
    expect(method.name).toMatch(/^[a-z0-9-]+$/);
    expect(method.reference).not.toBe('');
  });

  it('answers as its kind promises', async () => {
    if (method.kind === 'remove') {
      const head = headOf(0);
      const before = head.volume.data.slice();
      const { values, altered } = await method.alter(head, context);
      expect(values.data).toHaveLength(voxelCount(grid.shape));
      expect(altered.data).toHaveLength(voxelCount(grid.shape));
      expect(head.volume.data).toEqual(before);
      for (let o = 0; o < before.length; o++)
        if (altered.data[o] === 0 && values.data[o] !== before[o])
          throw new Error(`voxel ${o} changed unmarked`);
      return;
    }
    const gamma = await method.condition(headOf(0), context);
    const one = await method.synthesize(gamma, seed(1), context);
    expect(one.data).toHaveLength(voxelCount(one.grid.shape));
    expect(one.data.every(Number.isFinite)).toBe(true);
    const again = await method.synthesize(gamma, seed(1), context);
    expect(Buffer.from(again.data.buffer).equals(Buffer.from(one.data.buffer))).toBe(true);
    const other = await method.synthesize(gamma, seed(2), context);
    expect(Buffer.from(other.data.buffer).equals(Buffer.from(one.data.buffer))).toBe(false);
  });

  it('conditions on the brain alone, where it remodels', async () => {
    if (method.kind === 'remove') return;
    expect(await method.condition(headOf(0), context)).toEqual(await method.condition(headOf(2), context));
  });
});
