/** From a BIDS data set of synthetic heads to the files that training reads. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { templateBrain } from '../brain/testing/template-brain.js';
import { niftiBytes } from '../deidentify/testing/fixtures.js';
import { isRefusal } from '../errors/errors.js';
import { multiply, scaling, translation } from '../volume/affine.js';
import { canonicalGrid } from '../volume/canonical-grid.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Mask, Volume } from '../volume/volume.js';
import { type PrepareEvent, type PrepareServices, prepareDataset } from './prepare-dataset.js';

const grid = headGrid({ spacing: [5, 5, 5] });
const brain = templateBrain(grid, translation(0, 8, 4));
const volume = syntheticHead({ grid }).volume;

let folder = '';
let asked = 0;
const services: PrepareServices = {
  async extractBrain(given: Volume): Promise<{ mask: Mask }> {
    asked++;
    return { mask: { grid: given.grid, data: brain.data } };
  },
  signal: new AbortController().signal,
  resolution: 128,
};

async function run(
  dataset: string,
  out: string,
  changed: Partial<PrepareServices> = {},
): Promise<PrepareEvent[]> {
  const events: PrepareEvent[] = [];
  for await (const event of prepareDataset(path.join(folder, dataset), path.join(folder, out), {
    ...services,
    ...changed,
  }))
    events.push(event);
  return events;
}

const idOf = (event: PrepareEvent): string =>
  event.kind === 'done' ? event.row.id : event.kind === 'refused' ? event.id : event.text;

async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  const to = path.join(folder, name);
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, bytes);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'prosopon-prepare-'));
  const scan = niftiBytes({ grid, volumes: [volume.data] });
  const labels = Float32Array.from(brain.data, (v, i) => (v === 0 ? 0 : 1 + (i % 200)));
  await put('bids/sub-01/anat/sub-01_T1w.nii', scan);
  await put('bids/sub-02/anat/sub-02_T1w.nii', scan);
  await put(
    'bids/derivatives/labels/sub-02/anat/sub-02_dseg.nii',
    niftiBytes({ grid, volumes: [labels], datatype: 'uint8' }),
  );
  await put('bids/sub-03/anat/sub-03_T1w.nii', scan);
  await put(
    'bids/derivatives/labels/sub-03/anat/sub-03_dseg.nii',
    niftiBytes({
      grid: { ...grid, affine: multiply(grid.affine, scaling(1.1, 1, 1)) },
      volumes: [labels],
      datatype: 'uint8',
    }),
  );
  await put('bids/sub-04/anat/sub-04_T2w.nii', scan);
  await put(
    'bids/participants.tsv',
    'participant_id\tage\tsex\tsplit\r\nsub-01\t41.5\tF\tval\r\nsub-02\tn/a\tM\ttrain\r\nsub-03\t\t\ttest\r\n',
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('preparing a data set', { timeout: 120_000 }, () => {
  it('writes each head once, says whom it refused, and leaves an index', async () => {
    const events = await run('bids', 'out');
    expect(events.map((e) => [e.kind, idOf(e)])).toEqual([
      ['done', 'sub-01'],
      ['done', 'sub-02'],
      ['refused', 'sub-03'],
    ]);
    expect(events[2]).toMatchObject({ reason: expect.stringContaining('on the grid of the scan') });
    expect(asked).toBe(1);
    expect((await readdir(path.join(folder, 'out'))).sort()).toEqual([
      'index.json',
      'sub-01_flags.npy',
      'sub-01_image.npy',
      'sub-02_flags.npy',
      'sub-02_image.npy',
      'sub-02_labels.npy',
    ]);
    const index = JSON.parse(await readFile(path.join(folder, 'out/index.json'), 'utf8'));
    expect(index).toMatchObject({ version: 1, resolution: 128 });
    expect(index.heads).toMatchObject([
      { id: 'sub-01', split: 'val', age: 41.5, sex: 'F' },
      { id: 'sub-02', split: 'train', age: null, sex: 'M' },
    ]);
    // Whole heads are for their owner alone.
    expect((await stat(path.join(folder, 'out'))).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(folder, 'out/sub-01_image.npy'))).mode & 0o777).toBe(0o600);
    const image = await readFile(path.join(folder, 'out/sub-01_image.npy'));
    expect(image.length).toBe(128 + 128 ** 3);
    // The brain's median is 100; its centre lies 11 voxels behind and 15 above the middle.
    const brainBytes = image.subarray(128).filter((_, i) => i % 128 === 64 && ((i >> 7) & 127) === 53);
    expect(brainBytes[79]).toBeGreaterThan(60);
    expect(brainBytes[79]).toBeLessThan(140);
  });

  it('resumes: what stands is not done again', async () => {
    const before = (await stat(path.join(folder, 'out/sub-01_image.npy'))).mtimeMs;
    const asksBefore = asked;
    const events = await run('bids', 'out');
    expect(events.map((e) => e.kind)).toEqual(['refused']);
    expect(asked).toBe(asksBefore);
    expect((await stat(path.join(folder, 'out/sub-01_image.npy'))).mtimeMs).toBe(before);
  });

  it('refuses to mix resolutions in one folder', async () => {
    const error = await run('bids', 'out', { resolution: 256 }).catch((e: unknown) => e);
    expect(isRefusal(error, 'dataset-invalid')).toBe(true);
    expect((error as Error).message).toMatch(/256.*128/);
  });

  it('writes the scan as it stands, in shape and order of its 2 mm grid, and refuses to mix grids', async () => {
    await put('native/sub-8/anat/sub-8_T1w.nii', niftiBytes({ grid, volumes: [volume.data] }));
    expect(await run('native', 'out5', { grid: 'native' })).toMatchObject([{ kind: 'done' }]);
    const image = await readFile(path.join(folder, 'out5/sub-8_image.npy'));
    const [nx, ny, nz] = canonicalGrid(grid).shape;
    expect(image.toString('latin1', 0, 128)).toContain(`'shape': (${nz}, ${ny}, ${nx},)`);
    expect(image.length).toBe(128 + nx * ny * nz);
    const error = await run('native', 'out5').catch((e: unknown) => e);
    expect(isRefusal(error, 'dataset-invalid')).toBe(true);
    expect((error as Error).message).toMatch(/model grid.*native grid/);
  });

  it('draws hulls when asked, each its own, the same again, and refuses to mix their number', async () => {
    await put('hulls/sub-7/anat/sub-7_T1w.nii', niftiBytes({ grid, volumes: [volume.data] }));
    expect(await run('hulls', 'out6', { hulls: 3 })).toMatchObject([{ kind: 'done' }]);
    const bytes = await readFile(path.join(folder, 'out6/sub-7_hulls.npy'));
    const flags = await readFile(path.join(folder, 'out6/sub-7_flags.npy'));
    expect(bytes.length).toBe(128 + 128 ** 3);
    const draws = [0, 0, 0, 0];
    const inside = [0, 0, 0, 0];
    let brainVoxels = 0;
    let [alike, other] = [0, 0];
    for (let v = 128; v < bytes.length; v++) {
      const value = bytes[v] as number;
      const isBrain = (flags[v] as number) & 1;
      brainVoxels += isBrain;
      for (let k = 0; k < 4; k++) {
        const bit = (value >> k) & 1;
        draws[k] = (draws[k] as number) + bit;
        inside[k] = (inside[k] as number) + bit * isBrain;
      }
      if (value === 7) alike++;
      else if (value > 0) other++;
    }
    for (const k of [0, 1, 2]) expect((inside[k] as number) / brainVoxels).toBeGreaterThan(0.99);
    expect(draws[3]).toBe(0);
    expect(new Set(draws).size).toBe(4);
    expect(other / alike).toBeLessThan(0.2);
    const index = JSON.parse(await readFile(path.join(folder, 'out6/index.json'), 'utf8'));
    expect(index.hulls).toBe(3);
    await run('hulls', 'out7', { hulls: 1 });
    const first = await readFile(path.join(folder, 'out7/sub-7_hulls.npy'));
    expect(bytes.subarray(128).every((v, o) => (v & 1) === first[o + 128])).toBe(true);

    const mixed = await run('hulls', 'out6').catch((e: unknown) => e);
    expect(isRefusal(mixed, 'dataset-invalid')).toBe(true);
    expect((mixed as Error).message).toMatch(/0 hulls.*3/);
    const native = await run('hulls', 'out8', { hulls: 1, grid: 'native' }).catch((e: unknown) => e);
    expect(isRefusal(native, 'option-invalid')).toBe(true);
  });

  it('takes the first scan of the first session, its own labels, and says what it leaves', async () => {
    const scan = niftiBytes({ grid, volumes: [volume.data] });
    const labels = niftiBytes({ grid, volumes: [Float32Array.from(brain.data)], datatype: 'uint8' });
    for (const session of ['ses-1', 'ses-2'])
      await put(`sessions/sub-5/${session}/anat/sub-5_${session}_T1w.nii`, scan);
    await put('sessions/derivatives/labels/sub-5/ses-1/anat/sub-5_ses-1_dseg.nii', labels);
    await put('sessions/participants.tsv', 'participant_id\tage\nsub-5\t33\n');
    const before = asked;
    expect(await run('sessions', 'out9')).toMatchObject([
      { kind: 'note', text: expect.stringContaining('1 further scan of 1 subject left out') },
      { kind: 'done', row: { id: 'sub-5', age: 33 } },
    ]);
    expect(asked).toBe(before);
  });

  it('replaces nobody else’s file, follows no link, and finishes what a killed run began', async () => {
    await put('lone/sub-9/anat/sub-9_T1w.nii', niftiBytes({ grid, volumes: [volume.data] }));
    await put('precious', 'precious');
    await mkdir(path.join(folder, 'out10'));
    await symlink('../precious', path.join(folder, 'out10/sub-9_image.npy'));
    expect(await run('lone', 'out10')).toMatchObject([
      { kind: 'refused', id: 'sub-9', reason: expect.stringContaining('something stands') },
    ]);
    await put(
      'out10/index.json',
      JSON.stringify({ version: 1, resolution: 128, writing: 'sub-9', heads: [] }),
    );
    expect(await run('lone', 'out10')).toMatchObject([{ kind: 'done' }]);
    expect(await readFile(path.join(folder, 'precious'), 'utf8')).toBe('precious');
    expect((await lstat(path.join(folder, 'out10/sub-9_image.npy'))).isSymbolicLink()).toBe(false);
    expect((await readdir(path.join(folder, 'out10'))).sort()).toEqual([
      'index.json',
      'sub-9_flags.npy',
      'sub-9_image.npy',
    ]);
    expect(JSON.parse(await readFile(path.join(folder, 'out10/index.json'), 'utf8')).writing).toBeUndefined();
    await put('out11/index.json', 'not ours');
    expect(isRefusal(await run('lone', 'out11').catch((e: unknown) => e), 'dataset-invalid')).toBe(true);
  });

  it('refuses a folder that is no data set, stops when told', async () => {
    const none = await run('nowhere', 'out2').catch((e: unknown) => e);
    expect(isRefusal(none, 'dataset-invalid')).toBe(true);
    const stopped = await run('bids', 'out3', { signal: AbortSignal.abort() }).catch((e: unknown) => e);
    expect((stopped as Error).name).toBe('AbortError');
  });

  it('keeps a missing age missing', async () => {
    await put('lone/sub-9/anat/sub-9_T1w.nii', niftiBytes({ grid, volumes: [volume.data] }));
    await put('lone/participants.tsv', 'participant_id\tage\nsub-9\t\n');
    const events = await run('lone', 'out4');
    expect(events).toMatchObject([{ kind: 'done', row: { age: null, split: 'train', sex: 'n/a' } }]);
  });
});
