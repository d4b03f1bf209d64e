/** P3: a result appears whole and under its final name, or not at all; the work folder is private and wiped. */
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { niftiBytes } from '../../src/deidentify/testing/fixtures.js';
import { Random } from '../../src/volume/random.js';
import { sha256 } from '../../src/volume/sha256.js';
import { headGrid, syntheticHead } from '../../src/volume/testing/synthetic-head.js';
import { type Finished, fakeProgram, start } from './support.js';

let root = '';
let program = '';
let slowProgram = '';
let out = '';

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'p3-'));
  await chmod(root, 0o755);
  program = await fakeProgram(path.join(root, 'program'));
  slowProgram = await fakeProgram(path.join(root, 'slow'), 30_000);
  const grid = headGrid({ spacing: [4, 4, 4] });
  const { volume, brainMask } = syntheticHead({ grid });
  await writeFile(at('in.nii'), niftiBytes({ grid, volumes: [volume.data] }));
  await writeFile(
    at('mask.nii'),
    niftiBytes({ grid, volumes: [Float32Array.from(brainMask.data)], datatype: 'uint8' }),
  );
}, 240_000);
afterAll(async () => {
  await chmod(path.join(root, 'read-only'), 0o700).catch(() => undefined);
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  out = await mkdtemp(path.join(root, 'out-'));
  await chmod(out, 0o777);
});

const at = (name: string): string => path.join(root, name);
const args = (target: string, entry = program, ...more: string[]): string[] => [
  entry,
  ...['deid', at('in.nii'), target, '--brain-mask', at('mask.nii'), '--seed', '1', ...more],
];
const deid = (target: string, ...more: string[]): Promise<Finished> =>
  start(process.execPath, args(target, program, ...more)).done;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('P3', () => {
  it('leaves the whole result or nothing when killed at any moment', async () => {
    const began = performance.now();
    expect((await deid(path.join(out, 'whole.nii'))).code).toBe(0);
    const took = performance.now() - began;
    const whole = await readFile(path.join(out, 'whole.nii'));
    const random = new Random(sha256(Uint8Array.of(3)));
    let unfinished = 0;
    for (let i = 0; i < 10; i++) {
      const folder = await mkdtemp(path.join(root, 'kill-'));
      const target = path.join(folder, 'out.nii');
      const { child, done } = start(process.execPath, args(target));
      await sleep(took * (0.3 + 0.75 * random.uniform()));
      child.kill('SIGKILL');
      await done;
      for (const name of await readdir(folder)) {
        if (name === 'out.nii') {
          expect(Buffer.compare(await readFile(target), whole)).toBe(0);
          continue;
        }
        // What SIGKILL leaves no time to wipe is private, and holds nothing but the result.
        expect(name).toMatch(/^\.prosopon-[0-9a-f]{24}$/);
        expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o700);
      }
      if (!(await readdir(folder)).includes('out.nii')) unfinished++;
    }
    expect(unfinished).toBeGreaterThan(0);
  }, 180_000);

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 130 on %s and leaves nothing', async (signal) => {
    const { child, done } = start(process.execPath, args(path.join(out, 'out.nii'), slowProgram));
    await sleep(4000);
    const before = performance.now();
    child.kill(signal);
    const finished = await done;
    expect(finished.code).toBe(130);
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(await readdir(out)).toEqual([]);
  });

  it('fails with exit 3 on a full disk and leaves nothing', async () => {
    // A limit on file size makes write() fail as a full disk does, wherever the tests run; 64 blocks are 64 kB.
    const line = ['ulimit -f 64; exec "$0" "$@"', process.execPath, ...args(path.join(out, 'out.nii'))];
    const finished = await start('bash', ['-c', ...line]).done;
    expect(finished.code).toBe(3);
    expect(finished.err).toContain('could not be written');
    expect(finished.err).not.toContain(root);
    expect(await readdir(out)).toEqual([]);
  });

  it('refuses a folder that cannot be written to', async () => {
    const folder = at('read-only');
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o555);
    // Root may write anywhere: become nobody.
    const who = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const finished = await start(process.execPath, args(path.join(folder, 'out.nii')), who).done;
    expect(finished).toMatchObject({ code: 1, err: expect.stringContaining('cannot be written') });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses an output that is the input, by whatever name, and leaves the input alone', async () => {
    const before = await readFile(at('in.nii'));
    await symlink(at('in.nii'), path.join(out, 'soft.nii'));
    await link(at('in.nii'), path.join(out, 'hard.nii'));
    for (const target of [at('in.nii'), path.join(out, 'soft.nii'), path.join(out, 'hard.nii')]) {
      const finished = await deid(target, '--force', '--json');
      expect(JSON.parse(finished.out)).toMatchObject({ reason: 'output-is-input' });
    }
    expect(Buffer.compare(await readFile(at('in.nii')), before)).toBe(0);
    expect((await readdir(out)).sort()).toEqual(['hard.nii', 'soft.nii']);
  });

  it('writes none of several outputs when one cannot be written', async () => {
    const finished = await deid(path.join(out, 'out.nii'), '--save-altered', path.join(out, 'none', 'a.nii'));
    expect(finished.code).toBe(1);
    expect(await readdir(out)).toEqual([]);
  });
});
