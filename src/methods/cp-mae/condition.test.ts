/** P1 at its root: gamma of CP-MAE does not know what stands outside the brain. */
import { describe, expect, it } from 'vitest';
import { craniumMask } from '../../brain/cranium.js';
import { makeHead } from '../../brain/head.js';
import { LEARNT } from '../../brain/protocol.js';
import { templateBrain } from '../../brain/testing/template-brain.js';
import { Failure, isRefusal } from '../../errors/errors.js';
import type { NetworkRunner } from '../../networks/runner.js';
import { multiply, rotation, translation } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { resampleLinear } from '../../volume/resample.js';
import { sha256 } from '../../volume/sha256.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import { brainConditioning } from '../brain-conditioning.js';
import { brainBlocks } from '../learned-head/grid.js';
import { meanBrain, t1Correlation } from '../learned-head/t1-likeness.js';
import type { BrainConditioning, MethodContext } from '../method.js';
import { cpMae } from './cp-mae.js';

/** Conditioning runs no network; one that is asked fails the test. */
const networks: NetworkRunner = {
  async run() {
    throw new Failure('network-failed', 'the conditioning asked for a network');
  },
  async describe() {
    throw new Failure('network-failed', 'the conditioning asked about a network');
  },
  async close() {},
};
const context: MethodContext = { networks, resolution: 128 };

const grid = headGrid({ spacing: [3, 4, 4], turn: [0.1, -0.1, 0.2], flip: true });
const motion = multiply(translation(0, 8, 4), rotation([0.1, 0, 0.2]));
const brainMask = templateBrain(grid, motion);
const { volume } = syntheticHead({ grid });
// A T1-weighted brain, as the networks know brains.
const mean = meanBrain();
const t1 = resampleLinear(
  { ...mean, grid: { ...mean.grid, affine: multiply(motion, mean.grid.affine) } },
  grid,
);
t1.forEach((v, i) => {
  if (brainMask.data[i] === 1) volume.data[i] = 0.2 * (volume.data[i] as number) + 5 * v;
});

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

/** gamma after the voxels outside the brain went through `change`. */
async function gamma(change: (values: Float32Array) => void): Promise<BrainConditioning> {
  const data = volume.data.slice();
  change(data);
  volume.data.forEach((v, i) => {
    if (brainMask.data[i] === 1) data[i] = v;
  });
  return cpMae.condition(makeHead({ grid, data }, brainMask), context);
}

describe('the privacy transform of CP-MAE', { timeout: 120_000 }, () => {
  const random = new Random(sha256(Uint8Array.of(8)));
  const changes: readonly (readonly [string, (values: Float32Array) => void])[] = [
    ['zeros', (v) => v.fill(0)],
    ['another head', (v) => v.set(syntheticHead({ grid, variant: 2 }).volume.data)],
    ['noise a thousand times as bright', (v) => v.set(v.map(() => 1e6 * random.uniform()))],
    ['negative values', (v) => v.fill(-3000)],
    ['values that are no numbers', (v) => v.fill(Number.NaN)],
  ];

  it.each(changes)('is bit for bit the same over %s', async (_, change) => {
    const before = await gamma(() => {});
    const after = await gamma(change);
    expect(after.pose).toEqual(before.pose);
    expect(Buffer.from(after.brain.data.buffer).equals(Buffer.from(before.brain.data.buffer))).toBe(true);
    expect(Buffer.from(after.mask.data.buffer).equals(Buffer.from(before.mask.data.buffer))).toBe(true);
    expect(after.brain.grid).toEqual(before.brain.grid);
    expect(Object.keys(after).sort()).toEqual(['brain', 'mask', 'pose', 'scan']);
    // Where voxels stand, and none of them.
    expect(after.scan).toEqual(grid);
  });

  it('knows the brain: another one gives another gamma, in units of its median', async () => {
    const before = await gamma(() => {});
    const data = volume.data.map((v, i) => (brainMask.data[i] === 1 ? 3 * v + (i % 7) : v));
    const after = await cpMae.condition(makeHead({ grid, data }, brainMask), context);
    expect(after.pose).toEqual(before.pose);
    expect(after.brain.data).not.toEqual(before.brain.data);
    const inside = after.brain.data.filter((_, i) => (after.mask.data[i] as number) > 0.99).sort();
    expect(inside[inside.length >> 1]).toBeCloseTo(1, 1);
    expect(after.brain.data.every((v, i) => v === 0 || (after.mask.data[i] as number) > 0.5)).toBe(true);
  });

  /** Fluid is brightest and white matter darkest. @param outside of the values elsewhere */
  const inverted = (outside: (v: number) => number): Promise<BrainConditioning> => {
    const data = volume.data.map((v, i) => (brainMask.data[i] === 1 ? 1500 - v : outside(v)));
    return cpMae.condition(makeHead({ grid, data }, brainMask), context);
  };

  it('shows the networks an inverted brain as a T1-weighted one', async () => {
    const [plain, after] = [await gamma(() => {}), await inverted((v) => v)];
    const data = volume.data.map((v, i) => (brainMask.data[i] === 1 ? 1500 - v : v));
    const asIs = brainBlocks(brainConditioning(makeHead({ grid, data }, brainMask)));
    expect(t1Correlation(asIs)).toBeLessThan(-0.5);
    expect(t1Correlation(brainBlocks(after))).toBeGreaterThan(0.5);
    // Where the true brain has its fluid, grey and white matter: by its own quantiles, in the levels learnt.
    const inside = [...plain.brain.data.keys()].filter((o) => (plain.mask.data[o] as number) > 0.99);
    inside.sort((a, b) => (plain.brain.data[a] as number) - (plain.brain.data[b] as number));
    const meanOf = (from: number, to: number): number => {
      const part = inside.slice(Math.floor(from * inside.length), Math.floor(to * inside.length));
      return part.reduce((sum, o) => sum + (after.brain.data[o] as number), 0) / part.length;
    };
    const [fluid, grey, white] = [meanOf(0, 0.05), meanOf(0.4, 0.5), meanOf(0.9, 1)];
    expect(white).toBeGreaterThan(grey + 0.1);
    expect(grey).toBeGreaterThan(fluid + 0.1);
    for (const [o, v] of after.brain.data.entries())
      if ((after.mask.data[o] as number) > 0.5) {
        if (!(v >= LEARNT.fluid - 1e-6 && v <= LEARNT.white + 1e-6))
          throw new Error(`expected a level between those learnt, found ${v}`);
      } else if (v !== 0) throw new Error(`expected 0 outside the brain, found ${v}`);
    expect(after.pose).toEqual(plain.pose);
    expect(sameBits(after.mask.data, plain.mask.data)).toBe(true);
  });

  it('knows of an inverted brain too nothing of what stands around it', async () => {
    const before = await inverted((v) => v);
    for (const outside of [() => 0, (v: number) => 7 * v, (v: number) => 1500 - v, () => Number.NaN]) {
      const after = await inverted(outside);
      expect(sameBits(after.brain.data, before.brain.data)).toBe(true);
      expect(sameBits(after.mask.data, before.mask.data)).toBe(true);
      expect(Object.keys(after).sort()).toEqual(['brain', 'mask', 'pose', 'scan']);
      // Where voxels stand, and none of them.
      expect(after.scan).toEqual(grid);
    }
  });

  it.each(['auto', 't2w', 'flair'] as const)(
    'refuses a brain that is all alike, whatever stands around it (%s)',
    async (contrast) => {
      for (const outside of [(v: number) => v, () => 0]) {
        const data = volume.data.map((v, i) => (brainMask.data[i] === 1 ? 600 : outside(v)));
        const error = await cpMae
          .condition(makeHead({ grid, data }, brainMask), { ...context, contrast })
          .catch((e: unknown) => e);
        expect(isRefusal(error, 'contrast-unsupported')).toBe(true);
      }
    },
  );

  it('shows a T1-weighted brain as it is, and any brain that is said to be one', async () => {
    const plain = await gamma(() => {});
    const unchanged = brainConditioning(makeHead(volume, brainMask));
    expect(sameBits(plain.brain.data, unchanged.brain.data)).toBe(true);
    const data = volume.data.map((v, i) => (brainMask.data[i] === 1 ? 1500 - v : v));
    const head = makeHead({ grid, data }, brainMask);
    const said = await cpMae.condition(head, { ...context, contrast: 't1w' });
    expect(sameBits(said.brain.data, brainConditioning(head).brain.data)).toBe(true);
  });
});

it('where the cranium stays, gamma knows its skin and nothing of what lies below', async () => {
  const keep: MethodContext = { ...context, keep: 'cranium' };
  const head = makeHead(volume, brainMask);
  const kept = craniumMask(head.pose, grid).data;
  const of = (change: (v: number, o: number) => number): Promise<BrainConditioning> =>
    cpMae.condition(makeHead({ grid, data: volume.data.map(change) }, brainMask), keep);
  const whole = await of((v) => v);
  const below = await of((v, o) => (kept[o] === 1 || brainMask.data[o] === 1 ? v : 3000 - v));
  expect(whole.cranium).toBeDefined();
  expect(below).toEqual(whole);
});
