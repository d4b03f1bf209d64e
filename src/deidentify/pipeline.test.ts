import { describe, expect, it } from 'vitest';
import { craniumMask } from '../brain/cranium.js';
import { decodeImage, type StoredImage } from '../formats/stored-image.js';
import type { RemovalMethod } from '../methods/method.js';
import type { Method } from '../methods/registry.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { nodeGzip } from '../node/gzip.js';
import { quantile, valuesInside } from '../volume/statistics.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Mask } from '../volume/volume.js';
import { type Deidentified, type DeidentifyOptions, deidentify } from './pipeline.js';
import { parseSeed } from './seed.js';
import { type FileContent, fakeServices, niftiBytes } from './testing/fixtures.js';

const grid = headGrid({ spacing: [5, 5, 5] });
const head = syntheticHead({ grid });
const tagged = (tag: string): object => expect.objectContaining({ tag });

const read = (content: Partial<FileContent> = {}): Promise<StoredImage> =>
  decodeImage(
    { name: 'a.nii', bytes: niftiBytes({ grid, volumes: [head.volume.data], ...content }) },
    nodeGzip,
  );
const maskImage = (mask: Mask): Promise<StoredImage> =>
  decodeImage(
    {
      name: 'm.nii',
      bytes: niftiBytes({ grid: mask.grid, volumes: [Float32Array.from(mask.data)], datatype: 'uint8' }),
    },
    nodeGzip,
  );

async function run(
  content: Partial<FileContent> = {},
  options: Partial<DeidentifyOptions> = {},
  method: Method = fakeMethod(),
): Promise<Deidentified> {
  return deidentify(
    { image: await read(content), outputName: 'out.nii' },
    { method, resolution: 128, seed: parseSeed(1), ...options },
    fakeServices(nodeGzip, head.brainMask),
  );
}

describe('deidentify', () => {
  it('keeps every brain voxel and replaces every other part of the head', async () => {
    const original = await read();
    const { images, checks, altered } = await run();
    const { result } = images[0];
    let changed = 0;
    let outside = 0;
    for (let o = 0; o < original.stored.length; o++) {
      if (head.brainMask.data[o] === 1) expect(result.stored[o]).toBe(original.stored[o]);
      else {
        outside++;
        if (result.stored[o] !== original.stored[o]) changed++;
      }
    }
    expect(changed / outside).toBeGreaterThan(0.95);
    expect(altered.data.every((v, o) => v === 1 - (head.brainMask.data[o] as number))).toBe(true);
    expect(Object.values(checks).every(({ passed }) => passed)).toBe(true);
  });

  it('has overwritten the original when the synthesis begins', async () => {
    const image = await read();
    const method = fakeMethod();
    let seen: number | undefined;
    await deidentify(
      { image, outputName: 'out.nii' },
      {
        method: {
          ...method,
          condition: async (given, context) => {
            const gamma = await method.condition(given, context);
            return Object.assign(gamma, { smuggled: given.volume.data });
          },
          synthesize: async (gamma, seed, context) => {
            const smuggled = (gamma as unknown as { smuggled: Float32Array }).smuggled;
            seen = 0;
            for (let o = 0; o < smuggled.length; o++)
              if (head.brainMask.data[o] === 0 && (smuggled[o] !== 0 || image.stored[o] !== 0)) seen++;
            return method.synthesize(gamma as Awaited<ReturnType<typeof method.condition>>, seed, context);
          },
        },
        resolution: 128,
      },
      fakeServices(nodeGzip, head.brainMask),
    );
    expect(seen).toBe(0);
  });

  it('gives the same face to every volume, each in its own intensity', async () => {
    const dim = head.volume.data.map((v) => v / 4);
    const { images } = await run({ volumes: [head.volume.data, dim] }, { noise: false });
    const { result } = images[0];
    const n = head.volume.data.length;
    for (let o = 0; o < n; o += 17) {
      if (head.brainMask.data[o] === 1) continue;
      expect(Math.abs(Number(result.stored[o]) / 4 - Number(result.stored[n + o]))).toBeLessThanOrEqual(1.5);
    }
  });

  it('gives co-registered images the same face in their own intensity', async () => {
    const bright = head.volume.data.map((v) => v * 3);
    const done = await deidentify(
      {
        image: await read(),
        outputName: 'out.nii',
        coregistered: [
          { image: await read({ volumes: [bright], datatype: 'float64' }), outputName: 'other.nii.gz' },
        ],
      },
      { method: fakeMethod(), resolution: 128, seed: parseSeed(1), noise: false },
      fakeServices(nodeGzip, head.brainMask),
    );
    const [a, b] = done.images.map(({ result }) => result.stored);
    for (let o = 0; o < head.volume.data.length; o += 17)
      if (head.brainMask.data[o] === 0) expect(Math.abs(Number(b?.[o]) - 3 * Number(a?.[o]))).toBeLessThan(4);
    expect(done.checks['keptVoxelsIdentical.2']?.passed).toBe(true);
  });

  it('keeps a margin around the brain when asked', async () => {
    const original = await read();
    const { images, altered } = await run({}, { brainMarginMm: 8 });
    const kept = altered.data.filter((v) => v === 0).length;
    expect(kept).toBeGreaterThan(head.brainMask.data.filter((v) => v === 1).length * 1.2);
    altered.data.forEach((v, o) => {
      if (v === 0) expect(images[0].result.stored[o]).toBe(original.stored[o]);
    });
  });

  it('refuses a scale with a method that has none, and one beyond the limits', async () => {
    await expect(run({}, { scale: 1.1 })).rejects.toThrow(tagged('option-invalid'));
    const scalable = { ...fakeMethod(), options: { scale: [0.85, 1.15] as const } };
    await expect(run({}, { scale: 1.2 }, scalable)).rejects.toThrow(tagged('option-invalid'));
    await expect(run({}, { scale: 1.1 }, scalable)).resolves.toBeDefined();
  });

  it.each([64, '128', Number.NaN, null])(
    'refuses a resolution of %s, which a program without types may give',
    async (resolution) => {
      await expect(run({}, JSON.parse(`{"resolution":${JSON.stringify(resolution)}}`))).rejects.toThrow(
        /expected a resolution of 128 or 256/,
      );
    },
  );

  it('keeps the cranium when asked, with a method that can join a head to it', async () => {
    const original = await read();
    const { altered, images, pose } = await run(
      {},
      { keep: 'cranium' },
      { ...fakeMethod(), options: { keep: ['brain', 'cranium'] } },
    );
    const cranium = craniumMask(pose, grid).data;
    altered.data.forEach((v, o) => {
      expect(v).toBe(cranium[o] === 1 || head.brainMask.data[o] === 1 ? 0 : 1);
      if (v === 0) expect(images[0].result.stored[o]).toBe(original.stored[o]);
    });
  });

  it('takes a brain mask exactly as given', async () => {
    const odd: Mask = { grid, data: head.brainMask.data.slice() };
    odd.data[5] = 1;
    const original = await read();
    const done = await deidentify(
      { image: await read(), outputName: 'o.nii', brainMask: await maskImage(odd) },
      { method: fakeMethod(), resolution: 128 },
      fakeServices(nodeGzip),
    );
    expect(done.brainMask.data).toEqual(odd.data);
    expect(done.images[0].result.stored[5]).toBe(original.stored[5]);
  });

  it('runs removal methods, which keep all that they do not alter', async () => {
    const blank: RemovalMethod = {
      kind: 'remove',
      name: 'blank',
      reference: '-',
      models: [],
      alter: async ({ volume }) => ({
        values: { grid, data: volume.data.map(() => 0) },
        altered: { grid, data: Uint8Array.from(volume.data, (_, o) => (o % 3 === 0 ? 1 : 0)) },
      }),
    };
    const original = await read();
    const { images } = await run({}, {}, blank);
    images[0].result.stored.forEach((v, o) => {
      const altered = o % 3 === 0 && head.brainMask.data[o] === 0;
      expect(v).toBe(altered ? 0 : original.stored[o]);
    });
  });
});

describe('deidentify refuses', () => {
  it('a result that still shows the face, whatever else it changes', async () => {
    const dim: RemovalMethod = {
      kind: 'remove',
      name: 'dim',
      reference: '-',
      models: [],
      alter: async ({ volume }) => ({
        values: { grid, data: volume.data.map((v) => 0.6 * v + 20) },
        altered: { grid, data: new Uint8Array(volume.data.length).fill(1) },
      }),
    };
    const dimmed = run({}, {}, dim);
    await expect(dimmed).rejects.toEqual(tagged('face-kept'));
    await expect(dimmed).rejects.toThrow(/found \d+ % of it in its place; .*mask.*--method/);
    // A mask that takes in the whole head keeps the face's bits.
    const everything = { grid, data: Uint8Array.from(head.volume.data, (v) => (v > 40 ? 1 : 0)) };
    const kept = deidentify(
      { image: await read(), brainMask: await maskImage(everything), outputName: 'out.nii' },
      { method: fakeMethod(), resolution: 128, trustMask: true },
      fakeServices(nodeGzip),
    );
    await expect(kept).rejects.toEqual(tagged('face-kept'));
  });

  it('a face in the second volume, where the first shows the brain alone', async () => {
    const [nx, ny] = grid.shape;
    const back: RemovalMethod = {
      kind: 'remove',
      name: 'back',
      reference: '-',
      models: [],
      alter: async ({ volume }) => ({
        values: { grid, data: new Float32Array(volume.data.length) },
        altered: { grid, data: Uint8Array.from(volume.data, (_, o) => (((o / nx) | 0) % ny < 6 ? 1 : 0)) },
      }),
    };
    const bare = head.volume.data.map((v, o) => (head.brainMask.data[o] === 1 ? v : 0));
    await expect(run({ volumes: [bare, head.volume.data] }, {}, back)).rejects.toThrow(
      /found 100 % of it in its place in volume 2 of 2;/,
    );
    const drawn = await run({ volumes: [bare, head.volume.data] });
    expect(drawn.checks.faceGone?.passed).toBe(true);
  });

  it('a mask on another grid, an empty one and a full one', async () => {
    const shifted = { ...grid, affine: grid.affine.map((v, i) => (i === 3 ? v + 1 : v)) };
    const masks: [Mask, string][] = [
      [{ grid: shifted, data: head.brainMask.data }, 'mask-mismatch'],
      [{ grid, data: head.brainMask.data.map((_, o) => (o === 0 ? 1 : 0)) }, 'brain-implausible'],
    ];
    for (const [mask, tag] of masks) {
      const input = { image: await read(), outputName: 'o.nii', brainMask: await maskImage(mask) };
      await expect(
        deidentify(input, { method: fakeMethod(), resolution: 128 }, fakeServices(nodeGzip)),
      ).rejects.toEqual(tagged(tag));
    }
  });

  it.each([
    [{ keep: 'cranium' as const }, 'option-invalid'],
    [{ brainMarginMm: -1 }, 'option-invalid'],
    [{ brainMarginMm: Number.NaN }, 'option-invalid'],
  ])('%j', async (options, tag) => {
    await expect(run({}, options)).rejects.toEqual(tagged(tag));
  });

  it('a brain that is not finite, but not another voxel that is not', async () => {
    const brainAt = head.brainMask.data.indexOf(1);
    const broken = (o: number): Float32Array => head.volume.data.map((v, i) => (i === o ? Number.NaN : v));
    await expect(run({ volumes: [broken(brainAt)], datatype: 'float32' })).rejects.toEqual(
      tagged('values-invalid'),
    );
    await expect(run({ volumes: [broken(0)], datatype: 'float32' })).resolves.toBeDefined();
  });

  it('an output name of another format', async () => {
    await expect(
      deidentify(
        { image: await read(), outputName: 'o.mgz' },
        { method: fakeMethod(), resolution: 128 },
        fakeServices(nodeGzip, head.brainMask),
      ),
    ).rejects.toEqual(tagged('option-invalid'));
  });
});

describe('verification', () => {
  const whole = (face: (o: number) => number): Method => {
    const method = fakeMethod();
    return {
      ...method,
      synthesize: async (gamma, seed, context) => {
        await method.synthesize(gamma as never, seed, context);
        return { grid, data: Float32Array.from(head.volume.data, (_, o) => face(o)) };
      },
    };
  };

  it('finds a constant result', async () => {
    await expect(
      run(
        {},
        { noise: false },
        whole(() => 0),
      ),
    ).rejects.toEqual(tagged('verification-failed'));
  });

  it('finds an original that has come through', async () => {
    // The original in brain levels, as a method that kept a copy would return it.
    const copy = head.volume.data.slice();
    const level = quantile(valuesInside(Float32Array.from(copy, Math.round), head.brainMask.data), 0.5);
    await expect(
      run(
        { datatype: 'int16' },
        { noise: false },
        whole((o) => (copy[o] as number) / level),
      ),
    ).rejects.toEqual(tagged('verification-failed'));
  });
});
