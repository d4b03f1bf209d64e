/** Brain extraction around the network: a stand-in that answers by brightness, in heads of nothing but a brain. */
import { describe, expect, it } from 'vitest';
import { Failure, Refusal } from '../errors/errors.js';
import type { NetworkRunner, Tensor } from '../networks/runner.js';
import { type Affine, IDENTITY, multiply, rotation, scaling, translation } from '../volume/affine.js';
import type { Grid, Mask, Volume } from '../volume/volume.js';
import { BRAIN_MODEL, extractBrain } from './extract.js';
import { roomyGrid, templateBrain } from './testing/template-brain.js';

type Answer = (image: Float32Array, call: number, width: number) => Float32Array;

class StandIn implements NetworkRunner {
  readonly calls: { name: string; image: Tensor }[] = [];
  constructor(readonly answer: Answer) {}
  async run(name: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const image = feeds.image as Tensor;
    this.calls.push({ name, image });
    const logits = this.answer(image.data as Float32Array, this.calls.length, image.shape[4] as number);
    return logits.length === 0 ? {} : { logits: { data: logits, shape: image.shape } };
  }
  async close(): Promise<void> {}
}

const byBrightness: Answer = (image) => image.map((v) => (v > 0.5 ? 8 : -8));

/** A bright brain in the dark, on a left-handed grid of 3 mm. */
function brainOnly(motion: Affine, scale = 1): { volume: Volume; truth: Mask } {
  const cube = roomyGrid(3);
  const grid: Grid = { shape: cube.shape, affine: multiply(scaling(-1, 1, 1), cube.affine) };
  const truth = templateBrain(grid, motion);
  return { volume: { grid, data: Float32Array.from(truth.data, (v) => scale * (20 + 900 * v)) }, truth };
}

function dice(a: Mask, b: Mask): number {
  let [both, sum] = [0, 0];
  a.data.forEach((v, i) => {
    both += v * (b.data[i] as number);
    sum += v + (b.data[i] as number);
  });
  return (2 * both) / sum;
}

async function reason(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof Refusal)) throw error ?? new Error('not refused');
  expect(error.tag).toBe('brain-implausible');
  return error.message;
}

describe('brain extraction', { timeout: 120_000 }, () => {
  const motion = multiply(translation(9, -6, 12), rotation([0.25, 0.1, -0.2]));

  it('brings the mask back to the stored grid, whatever the pose and the unit of intensity', async () => {
    const { volume, truth } = brainOnly(motion, 37);
    const runner = new StandIn(byBrightness);
    const { mask, agreement, measures } = await extractBrain(volume, runner);
    expect(mask.grid).toBe(volume.grid);
    expect(dice(mask, truth)).toBeGreaterThan(0.97);
    expect(agreement).toBeGreaterThan(0.98);
    expect(measures.fit.agreement).toBeGreaterThan(0.97);
    expect(runner.calls.map((c) => c.name)).toEqual([BRAIN_MODEL, BRAIN_MODEL, BRAIN_MODEL]);
    for (const { image } of runner.calls) {
      const count = image.shape.reduce((a, b) => a * b, 1);
      expect(image.data).toHaveLength(count);
      const level = (image.data as Float32Array).slice().sort()[Math.floor(0.99 * count)] as number;
      expect(level).toBeCloseTo(1, 1);
    }
    // The second look is posed, the third is its mirror image.
    const [, plain, turned] = runner.calls.map((c) => c.image);
    const width = plain?.shape[4] as number;
    let worst = 0;
    for (let v = 0; v < (plain?.data.length ?? 0); v += 97) {
      const mirror = v - (v % width) + width - 1 - (v % width);
      worst = Math.max(worst, Math.abs((plain?.data[v] as number) - (turned?.data[mirror] as number)));
    }
    expect(worst).toBeLessThan(1e-3);
  });

  it('refuses when the two looks disagree', async () => {
    const { volume } = brainOnly(motion);
    // sees only what lies on one side of the cube: the mirrored look finds the other half
    const oneSided: Answer = (image, call, width) =>
      image.map((v, i) => (v > 0.5 && (call === 1 || i % width < 0.6 * width) ? 8 : -8));
    expect(await reason(extractBrain(volume, new StandIn(oneSided)))).toMatch(
      /plain and a mirrored look.*0\.\d{3}/,
    );
  });

  it('refuses when there is nothing, or no brain', async () => {
    const { volume } = brainOnly(motion);
    expect(await reason(extractBrain(volume, new StandIn((image) => image.map(() => -8))))).toMatch(
      /found none/,
    );
    const [n] = volume.grid.shape;
    const ball: Volume = {
      grid: volume.grid,
      data: volume.data.map((_, v) =>
        Math.hypot((v % n) - n / 2, (((v / n) | 0) % n) - n / 2, ((v / (n * n)) | 0) - n / 2) < 12 ? 900 : 20,
      ),
    };
    expect(await reason(extractBrain(ball, new StandIn(byBrightness)))).toMatch(/500 to 2600 ml/);
  });

  it('keeps the largest piece and fills holes', async () => {
    const { volume, truth } = brainOnly(IDENTITY);
    const n = volume.grid.shape[0];
    const holed = { grid: volume.grid, data: volume.data.slice() };
    const inside = 37 + n * (37 + n * 40);
    for (const v of [inside, inside + 1, inside + n]) holed.data[v] = 20;
    const corner = 4 + n * (4 + n * 4);
    for (const v of [corner, corner + 1, corner + n, corner + n * n]) holed.data[v] = 900;
    const { mask } = await extractBrain(holed, new StandIn(byBrightness));
    expect(mask.data[inside]).toBe(1);
    expect(mask.data[corner]).toBe(0);
    expect(dice(mask, truth)).toBeGreaterThan(0.97);
  });

  it('calls a network without logits a failure of ours', async () => {
    const { volume } = brainOnly(IDENTITY);
    await expect(extractBrain(volume, new StandIn(() => new Float32Array(0)))).rejects.toThrow(Failure);
  });
});
