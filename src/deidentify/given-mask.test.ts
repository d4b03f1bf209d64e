/** Masks as programs write them: read for what their values mean, refused by name where they mean no mask, and compared. */
import { describe, expect, it } from 'vitest';
import { templateBrain } from '../brain/testing/template-brain.js';
import { Refusal } from '../errors/errors.js';
import type { Datatype } from '../formats/datatypes.js';
import { decodeImage } from '../formats/stored-image.js';
import { nodeGzip } from '../node/gzip.js';
import { multiply, rotation, scaling, translation } from '../volume/affine.js';
import { dice } from '../volume/dice.js';
import { gaussianSmooth } from '../volume/smooth.js';
import type { Grid, Mask } from '../volume/volume.js';
import { leftOut, readMask, requireTogether, shiftMask } from './given-mask.js';
import { niftiBytes } from './testing/fixtures.js';

// Off the middle on every axis, so that a mirrored brain lies elsewhere.
const grid: Grid = { shape: [56, 64, 60], affine: multiply(translation(-95, -110, -80), scaling(4, 4, 4)) };
const truth = templateBrain(grid, multiply(translation(8, 12, 26), rotation([0.2, 0, 0.05])));
const soft = gaussianSmooth(truth, 3).data;

async function read(values: Float32Array, datatype: Datatype = 'float32', on = grid, slope = 0) {
  const bytes = niftiBytes({ grid: on, volumes: [values], datatype, ...(slope === 0 ? {} : { slope }) });
  return readMask(await decodeImage({ name: 'm.nii', bytes }, nodeGzip, { allowConstant: true }), grid);
}

async function refusal(run: Promise<unknown>): Promise<Refusal> {
  const error = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof Refusal)) throw error ?? new Error('not refused');
  return error;
}

function set(mask: Mask): number {
  return mask.data.reduce((a, b) => a + b, 0);
}

function mirrored(mask: Mask, axis: 0 | 1 | 2): Mask {
  const [nx, ny, nz] = grid.shape;
  const data = new Uint8Array(mask.data.length);
  for (let v = 0; v < data.length; v++) {
    const at = [v % nx, ((v / nx) | 0) % ny, (v / (nx * ny)) | 0] as [number, number, number];
    at[axis] = (grid.shape[axis] as number) - 1 - at[axis];
    data[v] = mask.data[at[0] + nx * (at[1] + ny * at[2])] as number;
  }
  expect(nz).toBe(60);
  return { grid, data };
}

describe('readMask', () => {
  it('takes 0 and 1, 0 and 255, one fraction, and label maps as they are', async () => {
    const plain = Float32Array.from(truth.data);
    for (const [values, type] of [
      [plain, 'uint8'],
      [plain.map((v) => 255 * v), 'uint8'],
      [plain.map((v) => 0.02 * v), 'float32'],
      [plain.map((v, o) => v * (1 + ((o * 7) % 95))), 'int16'],
      [plain.map((v, o) => v * (o % 2 === 0 ? 3 : 1007)), 'int16'],
    ] as const) {
      const { mask, note } = await read(values, type);
      expect(mask.data).toEqual(truth.data);
      expect(note).toBeUndefined();
    }
  });

  it('reads probabilities from one half on, whatever weak values lie elsewhere, and says so', async () => {
    const weak = soft.map((v, o) => (v > 0.05 ? v : o % 3 === 0 ? 0.02 : 0));
    for (const [values, type, slope] of [
      [weak, 'float32', 0],
      [weak.map((v) => Math.round(255 * v)), 'uint8', 0],
      [weak, 'uint8', 1 / 255],
      [weak.map((v) => 100 * v), 'float32', 0],
    ] as const) {
      const { mask, note } = await read(values, type, grid, slope);
      expect(note).toMatch(/read .*on/);
      const expected = soft.reduce((n, v) => n + (v > 0.5 ? 1 : 0), 0);
      expect(Math.abs(set(mask) - expected)).toBeLessThan(0.01 * expected);
    }
  });

  it('reads a mask that splines have resampled, with values below 0 and above 1', async () => {
    const rings = soft.map(
      (v, o) => v + (v > 0.1 && v < 0.98 ? 0.12 * Math.sin(o) : 0) + (v > 0.98 ? 0.08 * Math.cos(o) : 0),
    );
    const { mask } = await read(rings.map((v, o) => (o % 11 === 0 ? v - 0.04 : v)));
    const expected = set(truth);
    expect(Math.abs(set(mask) - expected)).toBeLessThan(0.06 * expected);
  });

  it('refuses by name what is no mask: a distance map, an image', async () => {
    const distance = soft.map((v, o) =>
      truth.data[o] === 1 ? 1 + 30 * (v - 0.5) : -40 * (1 - v) - (o % 50),
    );
    const error = await refusal(read(distance));
    expect(error.tag).toBe('mask-values');
    expect(error.message).toMatch(/distance map/);
    const image = soft.map((v, o) => 300 * v * (0.2 + 0.8 * (((o * 13) % 97) / 97)));
    expect((await refusal(read(image))).tag).toBe('mask-values');
  });

  it('says by how much a mask lies elsewhere', async () => {
    const on = { shape: grid.shape, affine: multiply(translation(0, 0, 12), grid.affine) };
    const error = await refusal(read(Float32Array.from(truth.data), 'uint8', on));
    expect(error.tag).toBe('mask-mismatch');
    expect(error.message).toMatch(/12\.0 mm/);
    expect((await refusal(read(new Float32Array(truth.data.length)))).tag).toBe('mask-empty');
  });
});

describe('requireTogether', () => {
  const tag = (given: Mask): string | undefined => {
    try {
      requireTogether(given, truth);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  };

  it('takes the brain, a tighter one and a wider one', () => {
    expect(tag(truth)).toBeUndefined();
    expect(tag({ grid, data: Uint8Array.from(soft, (v) => (v > 0.8 ? 1 : 0)) })).toBeUndefined();
    expect(tag({ grid, data: Uint8Array.from(soft, (v) => (v > 0.2 ? 1 : 0)) })).toBeUndefined();
  });

  it('refuses one that is mirrored, on every axis, by name', () => {
    for (const [axis, name] of ['first', 'second', 'third'].entries())
      expect(tag(mirrored(truth, axis as 0 | 1 | 2))).toMatch(
        new RegExp(`mirrored along its ${name} axis.*--trust-mask`),
      );
  });

  it('refuses one that lies off by 4 mm, 8 mm or 24, with a Dice above the limit or below, by how far', () => {
    // A mask of another program differs as much in Dice, about the same middle.
    const tight = { grid, data: Uint8Array.from(soft, (v) => (v > 0.6 ? 1 : 0)) };
    for (const mask of [truth, tight])
      for (const by of [
        [1, 0, 0],
        [0, -1, 0],
        [0, 0, 1],
      ] as const)
        expect(tag(shiftMask(mask, by))).toMatch(/moved by [34]\.\d mm/);
    expect(dice(shiftMask(truth, [0, 2, 0]).data, truth.data)).toBeGreaterThan(0.85);
    expect(tag(shiftMask(truth, [0, 2, 0]))).toMatch(/moved by 8\.0 mm \(0, -2, 0 voxels; .*--trust-mask/);
    expect(dice(shiftMask(truth, [0, 6, 0]).data, truth.data)).toBeLessThan(0.85);
    expect(tag(shiftMask(truth, [0, 6, 0]))).toMatch(/moved by 24\.0 mm/);
  });

  it('takes one without the brain stem and the cerebellum, whose middle is elsewhere', () => {
    const cut = { grid, data: truth.data.map((v, o) => (o / (56 * 64) < 18 ? 0 : v)) };
    expect(dice(cut.data, truth.data)).toBeGreaterThan(0.85);
    expect(dice(cut.data, truth.data)).toBeLessThan(0.97);
    expect(tag(cut)).toBeUndefined();
  });

  it('refuses half of one, and the whole head', () => {
    expect(tag({ grid, data: truth.data.map((v, o) => (o % 56 < 28 ? v : 0)) })).toMatch(/Dice of at least/);
    expect(
      tag({ grid, data: Uint8Array.from(gaussianSmooth(truth, 14).data, (v) => (v > 0.05 ? 1 : 0)) }),
    ).toMatch(/Dice/);
  });
});

describe('leftOut', () => {
  it('says how much of the brain nothing keeps, above a twelfth', () => {
    expect(leftOut(truth, truth)).toBeUndefined();
    const brain = set(truth);
    const without = (share: number): Mask => {
      let left = Math.round(share * brain);
      return { grid, data: truth.data.map((v) => (v === 1 && left-- > 0 ? 0 : v)) };
    };
    expect(leftOut(without(0.07), truth)).toBeUndefined();
    expect(leftOut(without(0.22), truth)).toMatch(/leaves out 22 % of the brain/);
    expect(leftOut({ grid, data: truth.data.map(() => 1) }, truth)).toBeUndefined();
  });
});
