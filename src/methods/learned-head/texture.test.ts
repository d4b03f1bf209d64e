import { describe, expect, it } from 'vitest';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { readModel } from '../../node/networks/node-models.js';
import { IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import type { Volume } from '../../volume/volume.js';
import { addTexture, headBox, noiseTile } from './texture.js';

/** What a network answers: from the layers that it is given (one more at either end) and its noise. */
function answering(
  value: (layers: Float32Array, noise: Uint8Array, v: number, layer: number) => number,
  seen: Record<string, Tensor>[] = [],
): NetworkRunner {
  return {
    async run(_, feeds) {
      seen.push(feeds);
      const { data, shape } = feeds.layers as Tensor;
      const [, , h = 0, w = 0] = shape;
      const noise = feeds.noise?.data as Uint8Array;
      const drawn = Float32Array.from(noise, (_, v) => value(data as Float32Array, noise, v, 8 * h * w));
      return { textured: { data: drawn, shape: feeds.noise?.shape as number[] } };
    },
    describe: (name) => readModel(name),
    async close() {},
  };
}

const random = (): Random => new Random(Uint32Array.of(8, 7, 6, 5, 4, 3, 2, 1));

function block(): Volume {
  const shape = [20, 24, 28] as const;
  const data = new Float32Array(20 * 24 * 28);
  for (let k = 5; k < 20; k++)
    for (let j = 3; j < 9; j++) for (let i = 7; i < 12; i++) data[i + 20 * (j + 24 * k)] = 0.5;
  return { grid: { shape, affine: IDENTITY }, data };
}

describe('noise of tissue', () => {
  it('has unit deviation in steps of 32 and the grain of the training heads', () => {
    const tile = noiseTile(random());
    const values = Float64Array.from(tile, (v) => (v - 128) / 32);
    const n = values.length;
    const correlation = (stride: number): number => {
      let [sum, squares] = [0, 0];
      for (let v = 0; v < n; v++) {
        squares += (values[v] as number) ** 2;
        sum += (values[v] as number) * (values[(v + stride) % n] as number);
      }
      return sum / squares;
    };
    expect(Math.sqrt(values.reduce((s, v) => s + v * v, 0) / n)).toBeCloseTo(1, 1);
    for (const stride of [1, 96, 96 * 96]) {
      expect(correlation(stride)).toBeGreaterThan(0.54);
      expect(correlation(stride)).toBeLessThan(0.64);
      expect(Math.abs(correlation(3 * stride))).toBeLessThan(0.02);
    }
  });
});

describe('texture on a head', () => {
  it('finds the box of the head in even voxels', () => {
    expect(headBox(block())).toEqual({ first: [6, 2, 4], shape: [6, 8, 16] });
    const air = block();
    air.data.fill(0);
    expect(headBox(air)).toBeUndefined();
  });

  it('hands the network that box, and puts its answer there and nowhere else', async () => {
    const seen: Record<string, Tensor>[] = [];
    const networks = answering((layers, _, v, layer) => (layers[v + layer] as number) + 1, seen);
    const head = block();
    await addTexture(head, networks, random());
    expect(seen[0]?.layers?.shape).toEqual([10, 8, 4, 3]);
    expect(seen[0]?.noise?.shape).toEqual([8, 8, 4, 3]);
    const before = block().data;
    for (let k = 0, v = 0; k < 28; k++)
      for (let j = 0; j < 24; j++)
        for (let i = 0; i < 20; i++, v++) {
          const inside = i >= 6 && i < 12 && j >= 2 && j < 10 && k >= 4 && k < 20;
          expect(head.data[v]).toBe((before[v] as number) + (inside ? 1 : 0));
        }
  });

  it('draws in slabs what it would draw at once: each slice from its neighbours as they were', async () => {
    // As the network's, this answer looks at the blocks before and behind.
    const networks = answering(
      (layers, noise, v, layer) =>
        (layers[v + layer] as number) +
        0.1 * ((layers[v] as number) + (layers[v + 2 * layer] as number)) +
        (noise[v] as number) / 1024,
    );
    const shape = [6, 8, 104] as const;
    const uneven = (): Volume => ({
      grid: { shape, affine: IDENTITY },
      data: Float32Array.from({ length: 6 * 8 * 104 }, (_, v) => 1 + ((v * 7919) % 101)),
    });
    const head = uneven();
    await addTexture(head, networks, random());
    const tile = noiseTile(random());
    const whole = uneven().data;
    for (let k = 0, v = 0; k < 104; k++)
      for (let j = 0; j < 8; j++)
        for (let i = 0; i < 6; i++, v++) {
          const grain = (tile[i + 96 * (j + 96 * (k % 96))] as number) / 1024;
          const near = (whole[v - 96] ?? 0) + (whole[v + 96] ?? 0);
          expect(head.data[v]).toBeCloseTo((whole[v] as number) + 0.1 * near + grain, 3);
        }
  });

  it('tells when the network fails, in any slab', async () => {
    let calls = 0;
    const networks: NetworkRunner = {
      async run(_, feeds) {
        calls++;
        const { data, shape } = feeds.noise as Tensor;
        return calls === 2 ? {} : { textured: { data: Float32Array.from(data), shape } };
      },
      describe: (name) => readModel(name),
      async close() {},
    };
    const shape = [4, 4, 100] as const;
    const head: Volume = { grid: { shape, affine: IDENTITY }, data: new Float32Array(1600).fill(1) };
    await expect(addTexture(head, networks, random())).rejects.toThrow(/texture/);
  });
});
