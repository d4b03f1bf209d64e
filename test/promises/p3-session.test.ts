/** P3 of a session: the results of all its images and the state of its face appear together, or none does. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiBytes } from '../../src/deidentify/testing/fixtures.js';
import { seriesGrid, sessionImage } from '../../src/deidentify/testing/session-heads.js';
import { rotation } from '../../src/volume/affine.js';
import { type Finished, fakeProgram, start } from './support.js';

let root = '';
let program = '';
const at = (...names: string[]): string => path.join(root, ...names);

/** The fake program, whose networks know the masks of these two images by their shapes. */
async function sessionProgram(waitMs: number): Promise<string> {
  const folder = at(`program-${waitMs}`);
  const entry = await fakeProgram(folder, waitMs);
  const dist = new URL('../../dist/', import.meta.url).href;
  const text = (await readFile(entry, 'utf8')).replace(
    'makeHead: simpleHead }',
    `extractBrain: async ({ grid }) => {
      const mask = await loadImage('${root}/mask-' + grid.shape.join('x') + '.nii', { allowConstant: true });
      return { mask: { grid, data: Uint8Array.from(scaledData(mask, 0)) } };
    } }`,
  );
  await writeFile(
    entry,
    `import { scaledData } from '${dist}formats/stored-image.js';\nimport { loadImage } from '${dist}node/image-files.js';\n${text}`,
  );
  return entry;
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'p3-session-'));
  for (const [name, contrast, spacing] of [
    ['t1', 't1w', [3, 3, 3]],
    ['t2', 't2w', [2.5, 2.5, 4]],
  ] as const) {
    const { volume, mask } = sessionImage({ contrast, grid: seriesGrid(spacing, rotation([0.03, 0, 0])) });
    const { grid } = volume;
    await writeFile(at(`${name}.nii`), niftiBytes({ grid, volumes: [volume.data] }));
    const bytes = niftiBytes({ grid, volumes: [Float32Array.from(mask.data)], datatype: 'uint8' });
    await writeFile(at(`mask-${grid.shape.join('x')}.nii`), bytes);
  }
  program = await sessionProgram(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function folders(): Promise<{ out: string; secret: string }> {
  const out = await mkdtemp(at('out-'));
  const secret = await mkdtemp(at('secret-'));
  return { out, secret };
}
const args = (entry: string, out: string, secret: string): string[] => [
  ...[entry, 'deid', at('t1.nii'), path.join(out, 't1.nii'), '--json', '--seed', '3', '--resolution', '128'],
  ...['--with', `${at('t2.nii')}=${path.join(out, 't2.nii')}`, '--save-face', path.join(secret, 'a.face')],
];
const run = (...given: string[]): Promise<Finished> => start(process.execPath, given).done;

describe('P3 of a session', () => {
  it('writes both results and the state, and the face is there again with the state', async () => {
    const { out, secret } = await folders();
    const finished = await run(...args(program, out, secret));
    expect(finished.err).toBe('');
    expect((await readdir(out)).sort()).toEqual(['t1.nii', 't2.nii']);
    const state = path.join(secret, 'a.face');
    expect((await stat(state)).mode & 0o777).toBe(0o600);
    // A secret: named by no list.
    expect(finished.out).not.toContain('a.face');
    expect(JSON.parse(finished.out).outputs).toHaveLength(2);
    const again = path.join(out, 'again.nii');
    const later = await run(program, 'deid', at('t2.nii'), again, '--json', '--face-of', state);
    expect(later.code, later.out + later.err).toBe(0);
    expect(JSON.parse(later.out).checks.sameBrain.passed).toBe(true);
    const typed = await run(program, 'deid', at('t2.nii'), `${again}.nii`, '--face-of', state, '--seed', '1');
    expect(typed.code).toBe(2);
  });

  it('refuses a state beside results', async () => {
    const { out } = await folders();
    const finished = await run(...args(program, out, out));
    expect(finished.code).toBe(2);
    expect(await readdir(out)).toEqual([]);
  });

  it('leaves nothing when it is stopped in the middle', async () => {
    const { out, secret } = await folders();
    const slow = await sessionProgram(120_000);
    const { child, done } = start(process.execPath, args(slow, out, secret));
    // Long enough for the synthesis to have begun on a quiet machine, and to be on the way there on any other.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    child.kill('SIGTERM');
    expect((await done).code).toBe(130);
    expect(await readdir(out)).toEqual([]);
    expect(await readdir(secret)).toEqual([]);
  });
});
