/** `verify` finds good what `deid` made, by every method, with the mask that `deid` itself saved; and finds the original in itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../src/cli/program.js';
import { demoHead } from '../src/deidentify/testing/demo-head.js';
import { niftiBytes } from '../src/deidentify/testing/fixtures.js';
import { createMethods } from '../src/methods/registry.js';
import { listModels } from '../src/node/networks/node-models.js';

const installed = await listModels();
const methods = createMethods().all.filter(({ models }) => models.every((name) => installed.includes(name)));
let dir = '';
const at = (name: string): string => path.join(dir, name);

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli([...args, '--json'], {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'verify-'));
  // The demo head at 2 mm: at 1 mm, as it is bundled, each method takes 10 s here.
  await writeFile(at('head.nii.gz'), gzipSync(niftiBytes({ grid: demoHead.grid, volumes: [demoHead.data] })));
  // Found once: what `deid` would find each time, and keeps with 2 mm round it.
  expect((await run('brain', at('head.nii.gz'), at('found.nii.gz'))).code).toBe(0);
}, 300_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each(methods.map(({ name, kind }) => ({ name, kind })))('$name', ({ name, kind }) => {
  it('passes with the saved mask, and with the mask of what is new', { timeout: 600_000 }, async () => {
    const [out, mask, altered] = ['out', 'mask', 'altered'].map((what) => at(`${name}-${what}.nii.gz`));
    const made = await run(
      ...[
        'deid',
        at('head.nii.gz'),
        out ?? '',
        '--method',
        name,
        '--brain-mask',
        at('found.nii.gz'),
        '--trust-mask',
      ],
      ...['--brain-margin-mm', '2', '--save-brain-mask', mask ?? '', '--save-altered', altered ?? ''],
      ...(kind === 'remodel' ? ['--resolution', '128', '--seed', '1'] : []),
    );
    expect([made.code, made.err.includes('refused')]).toEqual([0, false]);
    for (const more of [[], ['--altered', altered ?? '']]) {
      const found = await run('verify', at('head.nii.gz'), out ?? '', '--brain-mask', mask ?? '', ...more);
      expect([found.code, found.err]).toEqual([0, '']);
    }
  });
});

it('fails the original given as its own result', { timeout: 300_000 }, async () => {
  expect(
    (await run('verify', at('head.nii.gz'), at('head.nii.gz'), '--brain-mask', at('found.nii.gz'))).code,
  ).toBe(1);
});
