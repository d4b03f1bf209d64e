/** What commands say of methods comes from the registry that they are given: none is named in the command line. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { templateBrain } from '../brain/testing/template-brain.js';
import { niftiBytes, simpleHead } from '../deidentify/testing/fixtures.js';
import type { RemodellingMethod } from '../methods/method.js';
import { createMethods, type Method, MethodRegistry } from '../methods/registry.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { translation } from '../volume/affine.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { runCli } from './program.js';

const grid = headGrid({ spacing: [6, 6, 6] });
const brain = templateBrain(grid, translation(0, 8, 4));
let folder = '';
let scan = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'prosopon-data-'));
  scan = path.join(folder, 'head.nii');
  await writeFile(scan, niftiBytes({ grid, volumes: [syntheticHead({ grid }).volume.data] }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function said(methods: readonly Method[], ...args: string[]): Promise<string> {
  const registry = new MethodRegistry();
  for (const method of methods) registry.register(method);
  let out = '';
  await runCli(args, {
    methods: registry,
    makeHead: simpleHead,
    extractBrain: async (volume) => ({ mask: { grid: volume.grid, data: brain.data } }),
    stdout: { write: (text) => (out += text) },
    stderr: { write: () => undefined },
  });
  return out;
}

const fake = fakeMethod() as RemodellingMethod<unknown>;
const picky: Method = { ...fake, name: 'picky', contrast: 'flair' };

it('inspect says what the first method would do, and which others take any contrast', async () => {
  expect(await said([fake], 'inspect', scan)).toMatch(/^deid: {5}would draw /m);
  expect(await said([picky, fake, { ...fake, name: 'other' }], 'inspect', scan)).toContain(
    'deid:     picky would refuse it by its contrast; fake, other take any',
  );
  expect(await said([picky], 'inspect', scan)).toContain('contrast; no method takes any');
});

it('prepare says which methods are conditioned on hulls', async () => {
  const hulled: Method = { ...fake, name: 'hulled', conditioning: 'brain and convex hull' };
  expect((await said([fake, hulled], 'prepare', '--help')).replace(/\s+/g, ' ')).toContain(
    'conditioned on it (hulled)',
  );
  expect(await said([fake], 'prepare', '--help')).not.toContain('(fake)');
});

it('no command names a method', async () => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  // The ruler's commands have a row of their own for one method.
  const commands = /^(?!evaluate\.ts$|study\.ts$).*(?<!\.test)\.ts$/;
  const files = (await readdir(here)).filter((name) => commands.test(name));
  const names = createMethods().names.map((name) => (name.includes('-') ? name : `'${name}'`));
  for (const file of files) {
    const code = (await readFile(path.join(here, file), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
    expect(names.filter((name) => code.includes(name))).toEqual([]);
  }
});
