/** Images of one session on other grids: one head in all of them, from brains alone; another's brain, or none, is refused. */
import { beforeAll, describe, expect, it } from 'vitest';
import { makeHead } from '../brain/head.js';
import { decodeImage, type StoredImage, scaledData } from '../formats/stored-image.js';
import type { MethodContext, RemodellingMethod, Seed } from '../methods/method.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { nodeGzip } from '../node/gzip.js';
import {
  type Affine,
  applyAffine,
  IDENTITY,
  invert,
  multiply,
  rotation,
  translation,
} from '../volume/affine.js';
import { quantile, valuesInside } from '../volume/statistics.js';
import type { Grid, Mask, Volume } from '../volume/volume.js';
import { decodeFaceState, encodeFaceState } from './face-state.js';
import { type Deidentified, type DeidentifyInput, type DeidentifyOptions, deidentify } from './pipeline.js';
import { parseSeed } from './seed.js';
import { carryMask, requireAgreement } from './session.js';
import { fakeServices, niftiBytes } from './testing/fixtures.js';
import { type SessionImage, seriesGrid, sessionImage, surfaceError } from './testing/session-heads.js';

const NOD = multiply(translation(5, -7, 3), rotation([0.1, -0.04, 0.06]));
const tagged = (tag: string): object => expect.objectContaining({ tag });

interface Scan {
  readonly volume: Volume;
  readonly mask: Mask;
}
const scans: Record<string, Scan> = {};

beforeAll(() => {
  const make = (name: string, options: SessionImage): void => {
    scans[name] = sessionImage(options);
  };
  make('t1', { grid: seriesGrid([2.5, 2.5, 2.5]) });
  make('t2', { contrast: 't2w', grid: seriesGrid([2, 2, 3], rotation([0.05, 0.08, 0])), motion: NOD });
  make('stranger', { person: 2, grid: seriesGrid([2.5, 2.5, 2.5]) });
});
const scan = (name: string): Scan => scans[name] as Scan;

const imageOf = (grid: Grid, values: Float32Array): Promise<StoredImage> =>
  decodeImage({ name: 'a.nii', bytes: niftiBytes({ grid, volumes: [values] }) }, nodeGzip);
const read = (name: string, values = scan(name).volume.data): Promise<StoredImage> =>
  imageOf(scan(name).volume.grid, values);

/** Finds the true masks by the grid that it is shown. */
const services = {
  ...fakeServices(nodeGzip),
  makeHead,
  extractBrain: async ({ grid }: Volume) => {
    const found = Object.values(scans).find(({ volume }) =>
      volume.grid.shape.every((n, a) => n === grid.shape[a]),
    );
    if (found === undefined) throw new Error('no such scan');
    return { mask: { grid, data: found.mask.data } };
  },
};

/** Remembers what it drew, and where: the surface that is compared. */
function watched(): { method: RemodellingMethod<unknown>; drawn: Volume[] } {
  const fake = fakeMethod() as RemodellingMethod<unknown>;
  const drawn: Volume[] = [];
  const synthesize = async (gamma: unknown, seed: Seed, context: MethodContext): Promise<Volume> => {
    const head = await fake.synthesize(gamma, seed, context);
    drawn.push(head);
    return head;
  };
  return { method: { ...fake, synthesize }, drawn };
}

function run(
  input: DeidentifyInput,
  options: Partial<DeidentifyOptions> = {},
  method = fakeMethod() as RemodellingMethod<unknown>,
): Promise<Deidentified> {
  return deidentify(
    input,
    {
      method,
      resolution: 128,
      noise: false,
      ...('faceOf' in options ? {} : { seed: parseSeed(4) }),
      ...options,
    },
    services,
  );
}

async function session(t1?: Float32Array, t2?: Float32Array): Promise<Deidentified> {
  return run({
    image: await read('t1', t1),
    outputName: 'a.nii',
    coregistered: [{ image: await read('t2', t2), outputName: 'b.nii' }],
  });
}

const known = new Map<StoredImage, Float32Array>();
function valuesOf(image: StoredImage): Float32Array {
  const values = known.get(image) ?? scaledData(image, 0);
  known.set(image, values);
  return values;
}

/** Outermost place along a ray from the brain's centre at which an image is bright, mm; brain frame to world `pose`. */
function skinAt(
  image: StoredImage,
  level: number,
  pose: Affine,
  direction: readonly [number, number, number],
): number {
  const { shape, affine } = image.grid;
  const values = valuesOf(image);
  const toVoxel = multiply(invert(affine), pose);
  const linear = (r: number): number => {
    const p = applyAffine(toVoxel, [direction[0] * r, direction[1] * r, direction[2] * r]);
    const [i, j, k] = p.map(Math.floor) as [number, number, number];
    if (p.some((v, a) => v < 0 || v >= (shape[a] as number) - 1)) return 0;
    let sum = 0;
    for (let c = 0; c < 8; c++) {
      const w = [0, 1, 2].reduce((m, a) => {
        const f = (p[a] as number) - Math.floor(p[a] as number);
        return m * (c & (1 << a) ? f : 1 - f);
      }, 1);
      sum +=
        w * (values[i + (c & 1) + shape[0] * (j + ((c >> 1) & 1) + shape[1] * (k + (c >> 2)))] as number);
    }
    return sum;
  };
  for (let r = 150; r > 40; r -= 0.1) if (linear(r) > level) return r;
  return Number.NaN;
}

describe('a session', () => {
  it('shows one head in every image, within 0.5 mm, whatever grid and contrast', async () => {
    const { images, checks } = await session();
    expect(checks['sameBrain.2']?.passed).toBe(true);
    expect(checks['keptVoxelsIdentical.2']?.passed).toBe(true);
    expect(checks['faceGone.2']?.passed).toBe(true);
    const pose = makeHead(scan('t1').volume, scan('t1').mask).pose;
    const directions = Array.from({ length: 60 }, (_, a) => {
      const z = -0.7 + (1.5 * a) / 60;
      const r = Math.sqrt(1 - z * z);
      return [r * Math.cos(2.4 * a), r * Math.sin(2.4 * a), z] as const;
    });
    // Half of the darkest skin that the method draws, in each image's own brightness.
    const levels = ['t1', 't2'].map((name) => {
      const { volume, mask } = scan(name);
      return 0.3 * quantile(valuesInside(volume.data, mask.data), 0.5);
    }) as [number, number];
    const [one, two] = images as unknown as [{ result: StoredImage }, { result: StoredImage }];
    const apart = directions.map((d) =>
      Math.abs(
        skinAt(one.result, levels[0], pose, d) - skinAt(two.result, levels[1], multiply(NOD, pose), d),
      ),
    );
    const known = apart.filter((d) => !Number.isNaN(d)).sort((a, b) => a - b);
    expect(known.length).toBeGreaterThan(40);
    const at = (share: number): number => known[Math.floor(share * known.length)] as number;
    expect(at(0.5)).toBeLessThan(0.25);
    expect(at(0.95)).toBeLessThan(0.5);
  });

  it('keeps in each image what is brain there or in the first, bit for bit', async () => {
    const original = await read('t2');
    const { images } = await session();
    const { result, altered } = images[1] as (typeof images)[0];
    const carried = carryMask(scan('t1').mask, NOD, original.grid);
    let lost = 0;
    for (let o = 0; o < original.stored.length; o++) {
      if (scan('t2').mask.data[o] === 1) expect(result.stored[o]).toBe(original.stored[o]);
      if (carried.data[o] === 1 && altered.data[o] === 1) lost++;
    }
    expect(lost / carried.data.reduce((n, v) => n + v, 0)).toBeLessThan(0.002);
  });

  it('changes nothing in either image when voxels outside the brain change (P1)', async () => {
    const before = await session();
    const spoil = (name: string): Float32Array =>
      scan(name).volume.data.map((v, o) =>
        before.images[name === 't1' ? 0 : 1]?.altered.data[o] === 1 ? ((v * 7 + o * 13) % 900) + 100 : v,
      );
    const spoilt = await session(spoil('t1'), spoil('t2'));
    spoilt.images.forEach(({ files }, i) => {
      expect(Buffer.compare(files[0].bytes, before.images[i]?.files[0].bytes as Uint8Array)).toBe(0);
    });
  });

  it('gives the first image the bytes that it has alone', async () => {
    const alone = await run({ image: await read('t1'), outputName: 'a.nii' });
    const { images } = await session();
    expect(Buffer.compare(images[0].files[0].bytes, alone.images[0].files[0].bytes)).toBe(0);
  });

  it("refuses another person's image, an image without a brain, and a method that removes", async () => {
    const coregistered = async (name: string) => [
      { image: await read(name), outputName: 'b.nii', alignment: 'brain' as const },
    ];
    const image = await read('t1');
    const saved = services.extractBrain;
    // Both on one grid: the finder tells them by order.
    let call = 0;
    services.extractBrain = async ({ grid }) => ({
      mask: { grid, data: scan(call++ === 0 ? 't1' : 'stranger').mask.data },
    });
    await expect(
      run({ image, outputName: 'a.nii', coregistered: await coregistered('stranger') }),
    ).rejects.toThrow(tagged('brains-differ'));
    services.extractBrain = saved;
    const empty = {
      image: await imageOf(
        seriesGrid([5, 5, 5]),
        new Float32Array(44 * 52 * 51).map((_, o) => o % 7),
      ),
      outputName: 'b.nii',
    };
    await expect(
      run({ image: await read('t1'), outputName: 'a.nii', coregistered: [empty] }),
    ).rejects.toThrow();
    const remove = {
      kind: 'remove' as const,
      name: 'none',
      reference: '',
      models: [],
      alter: async () => {
        throw new Error();
      },
    };
    await expect(
      deidentify(
        { image: await read('t1'), outputName: 'a.nii', coregistered: await coregistered('t2') },
        { method: remove, resolution: 128 },
        services,
      ),
    ).rejects.toThrow(tagged('option-invalid'));
  });

  it('refuses masks of one brain that disagree badly', () => {
    const { mask } = scan('t1');
    const moved = carryMask(mask, translation(0, 0, 25), mask.grid);
    expect(() => requireAgreement(mask, moved, mask.grid)).toThrow(tagged('brains-differ'));
    expect(requireAgreement(mask, carryMask(mask, IDENTITY, mask.grid), mask.grid)).toBeGreaterThan(0.99);
  });
});

describe('a face that is kept', () => {
  async function firstSession(): Promise<{ done: Deidentified; drawn: Volume }> {
    const { method, drawn } = watched();
    const done = await run({ image: await read('t1'), outputName: 'a.nii' }, { saveFace: true }, method);
    return { done, drawn: drawn[0] as Volume };
  }

  it('is drawn again to the bit, and laid on the brain of the later session', async () => {
    const { done, drawn } = await firstSession();
    const state = await decodeFaceState(done.faceState as Uint8Array, nodeGzip);
    const later = watched();
    const again = await run(
      { image: await read('t2'), outputName: 'b.nii' },
      { faceOf: state },
      later.method,
    );
    expect(later.drawn[0]?.data).toEqual(drawn.data);
    expect(later.drawn[0]?.grid).toEqual(drawn.grid);
    expect(again.checks.sameBrain?.passed).toBe(true);
    // The first session is its own follow-up: the head stands where it stood.
    const same = await run({ image: await read('t1'), outputName: 'a.nii' }, { faceOf: state });
    expect(surfaceError(same.pose, done.pose).most).toBeLessThan(1e-6);
  });

  it('makes a result that is a function of the state and the brain (P1, P5)', async () => {
    const { done } = await firstSession();
    const state = await decodeFaceState(done.faceState as Uint8Array, nodeGzip);
    const before = await run(
      { image: await read('t2'), outputName: 'b.nii' },
      { faceOf: state, noise: true },
    );
    const values = scan('t2').volume.data.map((v, o) => (before.altered.data[o] === 1 ? (o * 29) % 700 : v));
    const spoilt = await run(
      { image: await read('t2', values), outputName: 'b.nii' },
      { faceOf: state, noise: true },
    );
    expect(Buffer.compare(spoilt.images[0].files[0].bytes, before.images[0].files[0].bytes)).toBe(0);
  });

  it('refuses another person, another method, a damaged state and one of another version', async () => {
    const { done } = await firstSession();
    const bytes = done.faceState as Uint8Array;
    const state = await decodeFaceState(bytes, nodeGzip);
    services.extractBrain = async ({ grid }) => ({ mask: { grid, data: scan('stranger').mask.data } });
    await expect(
      run({ image: await read('stranger'), outputName: 'a.nii' }, { faceOf: state }),
    ).rejects.toThrow(tagged('brains-differ'));
    const other = { ...fakeMethod(), name: 'other' } as RemodellingMethod<unknown>;
    await expect(
      run({ image: await read('t1'), outputName: 'a.nii' }, { faceOf: state }, other),
    ).rejects.toThrow(tagged('option-invalid'));
    for (const at of [3, 200, bytes.length >> 1, bytes.length - 1]) {
      const broken = bytes.slice();
      broken[at] = (broken[at] as number) ^ 1;
      await expect(decodeFaceState(broken, nodeGzip)).rejects.toThrow(tagged('state-invalid'));
    }
    await expect(decodeFaceState(bytes.slice(0, 90), nodeGzip)).rejects.toThrow(tagged('state-invalid'));
    expect(await decodeFaceState(await encodeFaceState(state, nodeGzip), nodeGzip)).toEqual(state);
    expect(new TextDecoder().decode(bytes.subarray(0, 80))).toContain('PRIVATE');
  });
});
