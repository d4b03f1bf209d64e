/** Streams that break, terminals that go: the exit code says how the work ended, whoever listens. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiBytes } from '../src/deidentify/testing/fixtures.js';
import { headGrid, syntheticHead } from '../src/volume/testing/synthetic-head.js';
import { fakeProgram } from './promises/support.js';

let root = '';
let program = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'streams-'));
  program = await fakeProgram(path.join(root, 'program'), 1500);
  const grid = headGrid({ spacing: [8, 8, 8] });
  const { volume, brainMask } = syntheticHead({ grid });
  await writeFile(at('in.nii'), niftiBytes({ grid, volumes: [volume.data] }));
  const mask = Float32Array.from(brainMask.data);
  await writeFile(at('mask.nii'), niftiBytes({ grid, volumes: [mask], datatype: 'uint8' }));
}, 240_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const at = (name: string): string => path.join(root, name);

/** Runs a line of bash in which `deid` is the command with its input, mask and output. */
function bash(line: string): { code: number | null; there: boolean } {
  const command = `"${process.execPath}" "${program}" deid in.nii`;
  const script = `deid() { ${command} "$@" --brain-mask mask.nii; }; wrong() { ${command} "$@"; }; ${line}`;
  const { status } = spawnSync('bash', ['-c', script], { cwd: root });
  const there = existsSync(at('o.nii'));
  if (there) spawnSync('rm', [at('o.nii')]);
  return { code: status, there };
}

describe.runIf(process.platform === 'linux')('streams', { timeout: 240_000 }, () => {
  it.each([
    ['a full stdout', 'deid o.nii --json >/dev/full 2>err', true, 0],
    ['a reader that has gone', 'deid o.nii --json 2>err > >(exec true)', true, 0],
    ['both full', 'deid o.nii >/dev/full 2>/dev/full', true, 0],
    ['all closed', 'deid o.nii --json >&- 2>&- <&-', true, 0],
    ['a refusal with both full', 'wrong o.nii --brain-mask none.nii >/dev/full 2>/dev/full', false, 1],
    ['wrong usage with both full', 'wrong o.nii --nonsense >/dev/full 2>/dev/full', false, 2],
  ])('%s', async (name, line, written, code) => {
    expect(bash(line)).toEqual({ code, there: written });
    if (name === 'a full stdout')
      expect(await readFile(at('err'), 'utf8')).toMatch(
        /^prosopon: warning: stdout could not be .*ENOSPC.*\n$/,
      );
  });

  it('outlives its terminal under nohup', () => {
    const line =
      'nohup bash -c \'exec "$0" "$@"\' "$N" "$E" deid in.nii o.nii --brain-mask mask.nii >/dev/null 2>&1 & P=$!; sleep 2; kill -HUP $P; wait $P';
    const script = `N="${process.execPath}"; E="${program}"; ${line}`;
    expect(bash(script)).toEqual({ code: 0, there: true });
  });
});
