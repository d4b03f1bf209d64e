import { describe, expect, it } from 'vitest';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { readModel } from '../../node/networks/node-models.js';
import { IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import type { Mask, Shape, Volume } from '../../volume/volume.js';
import { paintGate } from './paint-gate.js';
import { addPaintedResidual, atTwoMm } from './painted-residual.js';

const random = (last = 1): Random => new Random(Uint32Array.of(8, 7, 6, 5, 4, 3, 2, last));
const SHAPE: Shape = [16, 18, 20];

/** A slab of tissue from the sixth layer up, and a brain in one voxel of it. */
function slab(factor: 1 | 2): Volume {
  const shape = SHAPE.map((n) => n * factor) as [number, number, number];
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  data.fill(0.5, 6 * factor * shape[0] * shape[1]);
  return { grid: { shape, affine: IDENTITY }, data };
}

const at = (i: number, j: number, k: number): number => i + SHAPE[0] * (j + SHAPE[1] * k);

function brainAt(...voxel: [number, number, number]): Mask {
  const data = new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2]);
  data[at(...voxel)] = 1;
  return { grid: { shape: SHAPE, affine: IDENTITY }, data };
}

function answering(value: number, seen: Record<string, Tensor>[] = []): NetworkRunner {
  return {
    async run(_, feeds) {
      seen.push(feeds);
      const { data, shape } = feeds.head as Tensor;
      return { residual: { data: new Float32Array(data.length).fill(value), shape } };
    },
    describe: (name) => readModel(name),
    async close() {},
  };
}

describe('where is painted', () => {
  it('nothing at air and brain, all from the third voxel from air and the fourth from the brain on', () => {
    const gate = paintGate(slab(1), brainAt(8, 9, 15));
    expect([5, 6, 7, 8, 9].map((k) => gate[at(2, 2, k)])).toEqual([0, 0, 0.5, 1, 1]);
    const beside = [15, 14, 13, 12].map((k) => gate[at(8, 9, k)] as number);
    expect(beside[0]).toBe(0);
    expect(beside[1]).toBe(0);
    expect(beside[2]).toBeCloseTo(1 / 3);
    expect(beside[3]).toBeCloseTo(2 / 3);
    expect(gate[at(8, 9, 11)]).toBe(1);
  });
});

describe('a painted head', () => {
  it('is asked for at 2 mm in its box, and has the residual times the gate on top', async () => {
    const seen: Record<string, Tensor>[] = [];
    const head = slab(1);
    const brain = brainAt(8, 9, 15);
    const gate = paintGate(head, brain);
    await addPaintedResidual(head, brain, answering(0.2, seen), random());
    expect(seen[0]?.head?.shape).toEqual([1, 1, 14, 18, 16]);
    const before = slab(1).data;
    for (let v = 0; v < before.length; v++)
      expect(head.data[v]).toBeCloseTo((before[v] as number) + 0.2 * (gate[v] as number), 6);
  });

  it('never makes air of tissue, nor tissue of air', async () => {
    const head = slab(1);
    await addPaintedResidual(head, brainAt(8, 9, 15), answering(-2), random());
    for (const [v, was] of slab(1).data.entries()) expect((head.data[v] as number) > 0).toBe(was > 0);
    expect(head.data[at(2, 2, 12)]).toBeCloseTo(1e-3, 6);
  });

  it('at 1 mm is the head with the same residual between voxel centres', async () => {
    const seen: Record<string, Tensor>[] = [];
    const head = slab(2);
    const brain = brainAt(8, 9, 15);
    expect(atTwoMm(head, brain).data).toEqual(slab(1).data);
    const gate = paintGate(slab(1), brain);
    await addPaintedResidual(head, brain, answering(0.2, seen), random());
    expect(seen[0]?.head?.shape).toEqual([1, 1, 14, 18, 16]);
    const fine = (i: number, j: number, k: number): number =>
      head.data[i + 2 * SHAPE[0] * (j + 2 * SHAPE[1] * k)] as number;
    expect(fine(5, 5, 19)).toBeCloseTo(0.7, 6);
    // layer 15 of 1 mm lies a quarter of the way from layer 7 of 2 mm (gate 0.5) to layer 8 (gate 1)
    expect(fine(5, 5, 15)).toBeCloseTo(0.5 + 0.2 * (0.75 * 0.5 + 0.25), 6);
    expect(fine(5, 5, 11)).toBe(0);
    expect(gate[at(2, 2, 7)]).toBe(0.5);
  });

  it('has noise of its seed: standard normal, the same again, other with another', async () => {
    const noiseOf = async (last: number): Promise<Float32Array> => {
      const seen: Record<string, Tensor>[] = [];
      await addPaintedResidual(slab(1), brainAt(8, 9, 15), answering(0, seen), random(last));
      return seen[0]?.noise?.data as Float32Array;
    };
    const [a, b, c] = [await noiseOf(1), await noiseOf(1), await noiseOf(2)];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    const mean = a.reduce((s, v) => s + v, 0) / a.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(a.reduce((s, v) => s + (v - mean) ** 2, 0) / a.length).toBeCloseTo(1, 1);
  });

  it('of air alone is air, and no network is asked', async () => {
    const seen: Record<string, Tensor>[] = [];
    const head = slab(1);
    head.data.fill(0);
    await addPaintedResidual(head, brainAt(8, 9, 15), answering(1, seen), random());
    expect(seen).toEqual([]);
    expect(head.data.every((v) => v === 0)).toBe(true);
  });

  it('refuses an answer of another size', async () => {
    const networks: NetworkRunner = {
      ...answering(0),
      run: async () => ({ residual: { data: new Float32Array(3), shape: [3] } }),
    };
    await expect(addPaintedResidual(slab(1), brainAt(8, 9, 15), networks, random())).rejects.toThrow(
      /no residual of the size/,
    );
  });
});
