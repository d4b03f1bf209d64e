import { describe, expect, it } from 'vitest';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import type { Volume } from '../../volume/volume.js';
import { addTexture, headBox, noiseTile } from './texture.js';

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
    const networks: NetworkRunner = {
      async run(_, feeds) {
        seen.push(feeds);
        const { data, shape } = feeds.head as Tensor;
        return { textured: { data: Float32Array.from(data, (v) => v + 1), shape } };
      },
      async close() {},
    };
    const head = block();
    await addTexture(head, networks, random());
    expect(seen[0]?.head?.shape).toEqual([1, 1, 16, 8, 6]);
    const before = block().data;
    for (let k = 0, v = 0; k < 28; k++)
      for (let j = 0; j < 24; j++)
        for (let i = 0; i < 20; i++, v++) {
          const inside = i >= 6 && i < 12 && j >= 2 && j < 10 && k >= 4 && k < 20;
          expect(head.data[v]).toBe((before[v] as number) + (inside ? 1 : 0));
        }
  });
});
