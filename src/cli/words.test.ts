/** Sentences that a newcomer reads: what was wrong with the words of a command, and what was found. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mghBytes, niftiBytes, simpleHead } from '../deidentify/testing/fixtures.js';
import { MethodRegistry } from '../methods/registry.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { voxelMillilitres } from '../volume/volume.js';
import { runCli } from './program.js';
import type { Environment } from './session.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
const mask = { grid, data: head.brainMask.data };
let dir = '';
const at = (name: string): string => path.join(dir, name);
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'words-'));
  const brain = Float32Array.from(mask.data);
  await writeFile(at('in.nii'), niftiBytes({ grid, volumes: [head.volume.data] }));
  await writeFile(at('mask.nii'), niftiBytes({ grid, volumes: [brain], datatype: 'uint8' }));
  await writeFile(at('in.mgh'), mghBytes({ grid, volumes: [head.volume.data] }));
  await writeFile(at('mask.mgh'), mghBytes({ grid, volumes: [brain] }));
  const mirrored = niftiBytes({ grid, volumes: [head.volume.data] });
  const view = new DataView(mirrored.buffer);
  view.setInt16(252, 1, true);
  view.setFloat32(76, -1, true);
  await writeFile(at('mirrored.nii'), mirrored);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const environment: Partial<Environment> = {
    methods: new MethodRegistry().register(fakeMethod()),
    makeHead: simpleHead,
    extractBrain: async () => ({ mask }),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  };
  const code = await runCli(args, environment);
  return { code, out, err };
}

it('brain says how large a brain it found, in words and in JSON', async () => {
  const ml = Math.round(mask.data.reduce((sum, v) => sum + v, 0) * voxelMillilitres(grid));
  const { code, out } = await run('brain', at('in.nii'), at('found.nii'));
  expect([code, out]).toEqual([0, `done: a brain of ${ml} ml\n`]);
  const json = JSON.parse((await run('brain', at('in.nii'), at('found.nii'), '--force', '--json')).out);
  expect(json.results).toEqual({ millilitres: ml });
});

it('a mask in another format than the image is refused by its option, before any work', async () => {
  const given = ['--brain-mask', at('mask.mgh'), '--save-brain-mask', at('kept.nii.gz')];
  const { code, err } = await run('deid', at('in.mgh'), at('out.mgz'), ...given);
  expect(code).toBe(2);
  expect(err).toBe(
    "prosopon: expected a name at --save-brain-mask of the input's format (.mgh or .mgz), found one of NIfTI\n",
  );
  expect((await run('brain', at('in.mgh'), at('found.nii.gz'))).err).toContain(
    "a name of the mask of the input's format (.mgh or .mgz)",
  );
  expect(await readdir(dir)).not.toContain('out.mgz');
});

it('a word after "models" that is none of its commands is answered with those', async () => {
  const { code, err } = await run('models', 'somebody', '--models', path.resolve('models'));
  expect(code).toBe(2);
  expect(err).toMatch(
    /^prosopon: expected list, verify or card NAME after "models", found another word; networks are .*texture/,
  );
  expect(err).not.toContain('somebody');
  expect((await run('models', 'texture')).err).toContain('prosopon models card texture');
});

it('a header whose two forms are mirrored is treated, with a warning', async () => {
  const { code, err } = await run(
    'deid',
    at('mirrored.nii'),
    at('out.nii'),
    '--brain-mask',
    at('mask.nii'),
    '--trust-mask',
  );
  expect(code).toBe(0);
  expect(err).toMatch(/^prosopon: warning: the header says twice .* left and right are in doubt/);
  expect(
    (await run('deid', at('in.nii'), at('out2.nii'), '--brain-mask', at('mask.nii'), '--trust-mask')).err,
  ).toBe('');
});
