/** What becomes of a generator's fields: the shipped learned head, moved, around the synthetic brain. */
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../errors/errors.js';
import type { Tensor } from '../../networks/runner.js';
import { NodeNetworkRunner } from '../../node/networks/node-runner.js';
import { IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import { brainConditioning } from '../brain-conditioning.js';
import { brainBlocks, trimmedMask } from '../learned-head/grid.js';
import { chinOf } from '../learned-head/neck.js';
import { moveLearnedHead } from './move-learned-head.js';

const networks = new NodeNetworkRunner();
afterAll(() => networks.close());
const grid = headGrid({ spacing: [4, 4, 4] });
const { volume, brainMask } = syntheticHead({ grid });
const gamma = brainConditioning({ volume, brainMask, pose: IDENTITY, air: 0, scale: 1, brainLevel: 500 });
const COUNT = 48 * 64 * 64;
const random = (): Random => new Random(sha256(Uint8Array.of(7)));

/** All points read the learned head `mm` further back: it comes forward; `level`: how bright. */
function fields(mm = 0, level = 1): Record<string, Tensor> {
  const displacement = new Float32Array(3 * COUNT).fill(-mm / 128, COUNT, 2 * COUNT);
  const gain = new Float32Array(COUNT).fill(Math.log(level));
  return {
    displacement: { data: displacement, shape: [1, 3, 64, 64, 48] },
    gain: { data: gain, shape: [1, 1, 64, 64, 48] },
  };
}

const draw = (given: Record<string, Tensor>) =>
  moveLearnedHead(given, gamma, random(), { networks, resolution: 128 });

/** How far forward tissue reaches, in voxels of 2 mm, in the layers of the nose. */
function foremost(data: Float32Array): number {
  let most = 0;
  for (let k = 40; k < 60; k++)
    for (let j = 0; j < 128; j++)
      for (let i = 40; i < 56; i++)
        if ((data[i + 96 * (j + 128 * k)] as number) > 0.25) most = Math.max(most, j);
  return most;
}

describe('moveLearnedHead', () => {
  it('gives a head on the trimmed grid that encloses its brain', async () => {
    const head = await draw(fields());
    expect(head.grid.shape).toEqual([96, 128, 128]);
    let [bad, tissue, bare] = [0, 0, 0];
    const mask = trimmedMask(gamma).data;
    for (let v = 0; v < head.data.length; v++) {
      const value = head.data[v] as number;
      if (!(value >= 0 && value < 5)) bad++;
      if (value > 0.25) tissue++;
      // Skin and skull lie a centimetre over the brain: five voxels up there is still head.
      if (mask[v] === 1 && mask[v + 96 * 128] === 0 && !((head.data[v + 3 * 96 * 128] as number) > 0.1))
        bare++;
    }
    expect(bad).toBe(0);
    // A head of 3 to 6 litres.
    expect(tissue * 0.008).toBeGreaterThan(3000);
    expect(tissue * 0.008).toBeLessThan(6000);
    expect(bare).toBeLessThan(0.02 * brainBlocks(gamma).length);
  });

  it('moves and brightens it as the fields say', async () => {
    const [plain, forward, bright] = [
      await draw(fields()),
      await draw(fields(8)),
      await draw(fields(0, 1.5)),
    ];
    const moved = 2 * (foremost(forward.data) - foremost(plain.data));
    expect(moved).toBeGreaterThan(3);
    expect(moved).toBeLessThan(12);
    let [a, b] = [0, 0];
    for (let v = 0; v < plain.data.length; v++) {
      a += plain.data[v] as number;
      b += bright.data[v] as number;
    }
    expect(b / a).toBeGreaterThan(1.4);
    expect(b / a).toBeLessThan(1.55);
  });

  it('ends the neck below the chin', async () => {
    const given = fields();
    const head = await draw(given);
    const chin = chinOf(given.displacement?.data as Float32Array);
    const layer = Math.floor((chin[2] - 12 + 127) / 2);
    let below = 0;
    for (let v = 0; v < 96 * 128 * layer; v++) {
      const y = 2 * (((v / 96) | 0) % 128) - 127;
      // In front: behind, the plane rises.
      if (y > chin[1] - 10 && (head.data[v] as number) > 0) below++;
    }
    expect(below).toBe(0);
  });

  it('refuses fields of another size', async () => {
    const { displacement, gain } = fields();
    for (const given of [
      { displacement: { data: new Float32Array(3), shape: [3] }, gain: gain as Tensor },
      { displacement: displacement as Tensor },
    ])
      await expect(draw(given as Record<string, Tensor>)).rejects.toBeInstanceOf(Failure);
  });
});
