/** A head with NaN and infinities in a rim of its field of view is the same head to every command. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadVolume } from '../../packages/ruler/src/run/subject.js';
import { templateBrain } from '../brain/testing/template-brain.js';
import { niftiBytes, simpleHead } from '../deidentify/testing/fixtures.js';
import { finiteVolume } from '../formats/stored-image.js';
import { MethodRegistry } from '../methods/registry.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { loadImage } from '../node/image-files.js';
import { translation } from '../volume/affine.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Volume } from '../volume/volume.js';
import { runCli } from './program.js';

const grid = headGrid({ spacing: [6, 6, 6] });
const brain = templateBrain(grid, translation(0, 8, 4));
const { data } = syntheticHead({ grid }).volume;
const [nx, ny] = grid.shape;
const inRim = (o: number): boolean => {
  const [i, j] = [o % nx, Math.floor(o / nx) % ny];
  return i < 2 || j < 2 || i >= nx - 2;
};

let folder = '';
const at = (...names: string[]): string => path.join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'prosopon-rim-'));
  const broken = data.map((v, o) => (inRim(o) ? ([Number.NaN, Number.POSITIVE_INFINITY][o % 2] ?? 0) : v));
  await mkdir(at('bids/sub-1/anat'), { recursive: true });
  for (const [name, values] of [
    ['rim.nii', broken],
    ['bids/sub-1/anat/sub-1_T1w.nii', broken],
    ['air.nii', data.map((v, o) => (inRim(o) ? 0 : v))],
  ] as const)
    await writeFile(
      at(name),
      niftiBytes({ grid, volumes: [Float32Array.from(values)], datatype: 'float32' }),
    );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; err: string; asked: Volume[] }> {
  const asked: Volume[] = [];
  let err = '';
  const code = await runCli(args, {
    methods: new MethodRegistry().register(fakeMethod()),
    makeHead: simpleHead,
    async extractBrain(volume) {
      asked.push({ grid: volume.grid, data: volume.data.slice() });
      return { mask: { grid: volume.grid, data: brain.data } };
    },
    stdout: { write: () => undefined },
    stderr: { write: (text) => (err += text) },
  });
  return { code, err, asked };
}

it.each([
  ['deid', ['rim.nii', 'out.nii', '--force']],
  ['brain', ['rim.nii', 'mask.nii']],
  ['inspect', ['rim.nii']],
  ['verify', ['rim.nii']],
  ['prepare', ['bids', 'prepared']],
])('%s', async (command, args) => {
  const { code, asked } = await run(command, ...args.map((arg) => (arg.startsWith('--') ? arg : at(arg))));
  expect(code).toBe(0);
  const expected = finiteVolume(await loadImage(at('air.nii'))).data;
  expect(asked.length).toBe(1);
  expect(asked[0]?.data).toEqual(expected);
});

it('render draws the same picture, and the ruler reads the same values', async () => {
  for (const name of ['rim', 'air'])
    expect((await run('render', at(`${name}.nii`), at(`${name}.png`))).code).toBe(0);
  expect((await readFile(at('rim.png'))).equals(await readFile(at('air.png')))).toBe(true);
  expect((await loadVolume(at('rim.nii'))).data).toEqual((await loadVolume(at('air.nii'))).data);
});

it('air is the lowest value of a scan that has values below 0', async () => {
  const shifted = Float32Array.from(data, (v, o) => (inRim(o) ? Number.NaN : v - 1024));
  await writeFile(at('shifted.nii'), niftiBytes({ grid, volumes: [shifted], datatype: 'float32' }));
  const read = finiteVolume(await loadImage(at('shifted.nii'))).data;
  const lowest = shifted.reduce((least, v) => (v < least ? v : least), 0);
  expect(lowest).toBeLessThan(-900);
  read.forEach((v, o) => {
    if (v !== (inRim(o) ? lowest : shifted[o])) throw new Error(`voxel ${o} is ${v}`);
  });
});
