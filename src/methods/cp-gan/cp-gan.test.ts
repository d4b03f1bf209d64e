/** cp-gan with a stand-in for its network: gamma, what reaches the network, the seed, and the scale. */
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { NodeNetworkRunner } from '../../node/networks/node-runner.js';
import { IDENTITY } from '../../volume/affine.js';
import { dilateMm } from '../../volume/morphology.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import type { MethodContext } from '../method.js';
import { sameHullChanges } from '../testing/same-hull.js';
import { cpGan } from './cp-gan.js';
import { channelsAt, channelsOf, type GanConditioning } from './gamma.js';
import { scaleGamma, scaleHull } from './scale.js';

const seed = (n: number): Uint32Array => sha256(Uint8Array.of(n));
const grid = headGrid({ spacing: [4, 4, 4] });
const { volume, brainMask } = syntheticHead({ grid });
const head = { volume, brainMask, pose: IDENTITY, air: 0, scale: 1, brainLevel: 500 };
const networks = new NodeNetworkRunner({
  models: fileURLToPath(new URL('../testing/models', import.meta.url)),
});
afterAll(() => networks.close());
const context: MethodContext = { networks, resolution: 128 };
const gamma = await cpGan.condition(head, context);

// Loops and buffers throughout: callbacks and deep comparisons of two million numbers take seconds each.
function count(data: ArrayLike<number>, above = 0.5): number {
  let n = 0;
  for (let v = 0; v < data.length; v++) if ((data[v] as number) > above) n++;
  return n;
}

function total(data: ArrayLike<number>): number {
  let sum = 0;
  for (let v = 0; v < data.length; v++) sum += data[v] as number;
  return sum;
}

const same = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const isBinary = (data: ArrayLike<number>): boolean => {
  for (let v = 0; v < data.length; v++) if (data[v] !== 0 && data[v] !== 1) return false;
  return true;
};

/** Mean place (voxels) of what is set. */
function middle(data: ArrayLike<number>): readonly number[] {
  let [x, y, z, n] = [0, 0, 0, 0];
  for (let v = 0; v < data.length; v++) {
    if (!((data[v] as number) > 0.5)) continue;
    n++;
    x += v % 128;
    y += (v >> 7) % 128;
    z += v >> 14;
  }
  return [x / n, y / n, z / n];
}

/** Voxels where the first is set and the second is not. */
function beyond(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let n = 0;
  for (let v = 0; v < a.length; v++) if ((a[v] as number) > 0.5 && !((b[v] as number) > 0.5)) n++;
  return n;
}

function sameGamma(a: GanConditioning, b: GanConditioning): boolean {
  const parts = ['brain', 'mask', 'hull'] as const;
  return isDeepStrictEqual(a.pose, b.pose) && parts.every((part) => same(a[part].data, b[part].data));
}

describe('gamma of cp-gan', () => {
  it('is the brain, its mask, the hull and the pose', () => {
    expect(Object.keys(gamma).sort()).toEqual(['brain', 'hull', 'mask', 'pose']);
    expect(isBinary(gamma.hull.data)).toBe(true);
    expect(beyond(gamma.mask.data, gamma.hull.data)).toBe(0);
    expect(beyond(gamma.brain.data, gamma.mask.data)).toBe(0);
  });

  it('is bit for bit the same over other tissue under the skin and other air', async () => {
    for (const [name, data] of Object.entries(sameHullChanges(head))) {
      expect(same(data, volume.data), name).toBe(false);
      const other = await cpGan.condition({ ...head, volume: { grid, data } }, context);
      expect(sameGamma(other, gamma), name).toBe(true);
    }
  });

  it('knows the outline of the head, and says so', async () => {
    expect(cpGan.conditioning).toBe('brain and convex hull');
    const larger = syntheticHead({ grid, variant: 2 }).volume;
    const other = await cpGan.condition({ ...head, volume: larger }, context);
    expect(same(other.brain.data, gamma.brain.data)).toBe(true);
    expect(count(other.hull.data)).toBeGreaterThan(1.1 * count(gamma.hull.data));
  });
});

describe('what the network is given', () => {
  const channels = channelsOf(gamma);
  it.each([4, 16, 64, 128])(
    'has three channels at %i^3: hull and mask of zeros and ones, the mean of the brain',
    (n) => {
      const { data, shape } = channelsAt(channels, n, new Random(seed(1)));
      expect(shape).toEqual([1, 3, n, n, n]);
      const channel = (c: number): Float32Array =>
        (data as Float32Array).subarray(c * n ** 3, (c + 1) * n ** 3);
      for (const [c, full] of [
        [0, channels.hull],
        [1, channels.mask],
      ] as const) {
        expect(isBinary(channel(c))).toBe(true);
        const share = count(full) / 128 ** 3;
        const spread = Math.sqrt((share * (1 - share)) / n ** 3);
        expect(Math.abs(count(channel(c)) / n ** 3 - share)).toBeLessThan(5 * spread);
      }
      expect(total(channel(2)) / n ** 3).toBeCloseTo(total(channels.brain) / 128 ** 3, 5);
    },
  );

  it('is noise and every scale that the network names, drawn by the seed alone', async () => {
    const seen: Record<string, Tensor>[] = [];
    const watched: NetworkRunner = {
      run: async (name, feeds) => {
        seen.push(feeds);
        return networks.run(name, feeds);
      },
      describe: (name) => networks.describe(name),
      close: async () => undefined,
    };
    for (const n of [1, 1, 2]) await cpGan.synthesize(gamma, seed(n), { networks: watched, resolution: 128 });
    const [one, again, other] = seen as [
      Record<string, Tensor>,
      Record<string, Tensor>,
      Record<string, Tensor>,
    ];
    expect(Object.keys(one).sort()).toEqual(['gamma_16', 'gamma_4', 'gamma_8', 'noise']);
    expect(one.noise?.shape).toEqual([1, 1, 4, 4, 4]);
    expect(isDeepStrictEqual(again, one)).toBe(true);
    expect(isDeepStrictEqual(other.noise, one.noise)).toBe(false);
    expect(isDeepStrictEqual(other.gamma_8, one.gamma_8)).toBe(false);
  });
});

describe('the head that it draws', () => {
  it.each([128, 256] as const)(
    'lies on the model grid at %i, finite, never below zero',
    async (resolution) => {
      const drawn = await cpGan.synthesize(gamma, seed(1), { networks, resolution });
      expect(drawn.grid.shape).toEqual([resolution, resolution, resolution]);
      expect(drawn.data).toHaveLength(resolution ** 3);
      let bad = 0;
      for (const v of drawn.data) if (!(v >= 0 && v < Number.POSITIVE_INFINITY)) bad++;
      expect(bad).toBe(0);
      // The stand-in fills the hull with about half a brain level and puts the brain on top.
      const middleOfCube = resolution / 2;
      const at = (x: number, y: number, z: number): number =>
        drawn.data[x + resolution * (y + resolution * z)] as number;
      expect(at(middleOfCube, Math.round(0.42 * resolution), Math.round(0.62 * resolution))).toBeGreaterThan(
        0.9,
      );
    },
  );

  it('hangs on gamma and the seed', async () => {
    const draw = async (g: GanConditioning, n: number): Promise<Float32Array> =>
      (await cpGan.synthesize(g, seed(n), context)).data;
    const one = await draw(gamma, 1);
    expect(same(await draw(gamma, 1), one)).toBe(true);
    expect(same(await draw(gamma, 2), one)).toBe(false);
    const brighter = { ...gamma, brain: { ...gamma.brain, data: gamma.brain.data.map((v) => 1.01 * v) } };
    expect(same(await draw(brighter, 1), one)).toBe(false);
  });
});

describe('scale', () => {
  it.each([
    [0.85, 108],
    [0.95, 121],
    [1.15, 147],
  ])("gives gamma at %f the paper's size of %i voxels, in the middle of the cube", (alpha, edge) => {
    const scaled = scaleGamma(gamma, alpha);
    const ratio = edge / 128;
    for (const part of ['mask', 'hull'] as const) {
      // Where it grows out of the cube, the hull is cut.
      if (part === 'hull' && alpha > 1) continue;
      const [before, after] = [gamma[part].data, scaled[part].data];
      expect(isBinary(after)).toBe(true);
      expect(Math.abs(count(after) / (count(before) * ratio ** 3) - 1)).toBeLessThan(0.02);
      const centre = middle(before);
      middle(after).forEach((c, i) => {
        expect(Math.abs(c - 63.5 - ((centre[i] as number) - 63.5) * ratio)).toBeLessThan(0.7);
      });
    }
    expect(beyond(scaled.brain.data, scaled.mask.data)).toBe(0);
    const level = (g: GanConditioning): number => total(g.brain.data) / count(g.mask.data);
    expect(level(scaled)).toBeCloseTo(level(gamma), 1);
  });

  it('is gamma itself at 1', () => {
    const one = scaleGamma(gamma, 1);
    expect(same(one.hull.data, gamma.hull.data)).toBe(true);
    expect(scaleHull(gamma, 1)).toBe(gamma);
  });

  it.each([0.85, 1.15])(
    'in the product resizes the hull to %f about a brain that stays, with room around it',
    (alpha) => {
      const scaled = scaleHull(gamma, alpha);
      expect(scaled.brain).toBe(gamma.brain);
      expect(scaled.mask).toBe(gamma.mask);
      expect(Math.sign(count(scaled.hull.data) - count(gamma.hull.data))).toBe(Math.sign(alpha - 1));
      const mask = gamma.mask.data.map((v) => (v > 0.5 ? 1 : 0));
      const shell = dilateMm({ grid: gamma.mask.grid, data: Uint8Array.from(mask) }, 8).data;
      expect(beyond(shell, scaled.hull.data)).toBe(0);
    },
  );

  it('reaches the synthesis', async () => {
    const size = async (scale: number): Promise<number> =>
      count((await cpGan.synthesize(gamma, seed(1), { ...context, scale })).data, 0.4);
    const [small, usual, large] = [await size(0.85), await size(1), await size(1.15)];
    expect(small).toBeLessThan(0.9 * usual);
    expect(large).toBeGreaterThan(1.1 * usual);
  });
});
