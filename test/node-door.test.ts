/** Files, many files and data sets through the door `prosopon/node` alone. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchState,
  type BatchWorker,
  firstScans,
  folderTree,
  loadImage,
  NodeNetworkRunner,
  readDataset,
  runBatch,
  runScanJob,
} from '../src/node.js';

const demo = fileURLToPath(new URL('../demo/head.nii.gz', import.meta.url));
const networks = new NodeNetworkRunner();
const signal = new AbortController().signal;
let folder = '';
const at = (...names: string[]): string => path.join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'prosopon-door-'));
  for (const [subject, session] of [
    ['sub-1', 'ses-a'],
    ['sub-1', 'ses-b'],
    ['sub-2', ''],
  ] as const) {
    const anat = at('bids', subject, session, 'anat');
    await mkdir(anat, { recursive: true });
    const name = [subject, session, 'T1w.nii.gz'].filter(Boolean).join('_');
    if (subject === 'sub-2') await writeFile(path.join(anat, name), 'junk');
    else await cp(demo, path.join(anat, name));
  }
  await writeFile(at('bids/participants.tsv'), 'participant_id\tage\nsub-1\t41\nsub-2\tn/a\n');
});
afterAll(async () => {
  await networks.close();
  await rm(folder, { recursive: true, force: true });
});

describe('runScanJob', () => {
  it('treats a file with defaults and writes its page; both appear, the brain is kept', async () => {
    const stages: string[] = [];
    const report = await runScanJob(
      { input: demo, output: at('out.nii.gz'), qc: at('out.html'), saveBrainMask: at('mask.nii.gz') },
      { method: 'quickshear' },
      { networks, onStage: (stage) => stages.push(stage) },
    );
    expect(report.outputs).toEqual([at('out.nii.gz'), at('mask.nii.gz'), at('out.html')]);
    expect(Object.values(report.checks).every(({ passed }) => passed)).toBe(true);
    expect(stages[0]).toBe('read');
    expect(await readFile(at('out.html'), 'utf8')).toContain('All checks passed.');
    const [before, after, mask] = await Promise.all(
      [demo, at('out.nii.gz'), at('mask.nii.gz')].map((file) => loadImage(file)),
    );
    const differing = (inside: 0 | 1): number => {
      let n = 0;
      mask?.stored.forEach((m, o) => {
        if (m === inside && before?.stored[o] !== after?.stored[o]) n++;
      });
      return n;
    };
    expect(differing(1)).toBe(0);
    expect(differing(0)).toBeGreaterThan(100_000);
  });

  it('refuses what cannot be meant and what stands in its way, and leaves nothing', async () => {
    const job = { input: demo, output: at('no.nii.gz') };
    const tagOf = async (run: Promise<unknown>): Promise<unknown> =>
      run.then(
        () => 'done',
        (error: { tag?: string }) => error.tag,
      );
    expect(await tagOf(runScanJob(job, { method: 'none' }, { networks }))).toBe('option-invalid');
    expect(await tagOf(runScanJob(job, { method: 'quickshear', seed: 1 }, { networks }))).toBe(
      'option-invalid',
    );
    expect(await tagOf(runScanJob({ ...job, output: demo }, {}, { networks }))).toBe('output-is-input');
    await writeFile(at('there.nii.gz'), 'mine');
    expect(await tagOf(runScanJob({ ...job, output: at('there.nii.gz') }, {}, { networks }))).toBe(
      'output-exists',
    );
    expect(await readFile(at('there.nii.gz'), 'utf8')).toBe('mine');
    expect(await readdir(folder)).not.toContain('no.nii.gz');
  });
});

it('readDataset and runBatch treat the first scan of every subject, and one bad scan stops nothing', async () => {
  const dataset = await readDataset(folderTree(at('bids')));
  expect(dataset.subjects.map(({ id, sessions, participant }) => [id, sessions, participant?.age])).toEqual([
    ['sub-1', ['ses-a', 'ses-b'], '41'],
    ['sub-2', [], 'n/a'],
  ]);
  const { chosen, left } = firstScans(dataset, 'T1w');
  expect(left.map((image) => image.session)).toEqual(['ses-b']);
  const paths = new Map(chosen.map(({ subject, image }) => [subject.id, image.path]));
  await mkdir(at('treated'));
  const worker: BatchWorker = {
    async run({ id }) {
      const job = { input: at('bids', paths.get(id) ?? ''), output: at('treated', `${id}.nii.gz`) };
      try {
        return { status: 'done', value: await runScanJob(job, { method: 'quickshear' }, { networks }) };
      } catch (error) {
        return { status: 'refused', reason: (error as { tag: string }).tag, message: '' };
      }
    },
    stop: async () => undefined,
  };
  const told: [string, string, boolean][] = [];
  const run = () =>
    runBatch([...paths.keys()], {
      workers: 1,
      startWorker: () => worker,
      signal,
      state: BatchState.open(at('treated')),
      onOutcome: (id, { status }, remembered) => told.push([id, status, remembered]),
    });
  const outcomes = await run();
  expect(outcomes.get('sub-1')).toMatchObject({ status: 'done' });
  expect(outcomes.get('sub-2')).toMatchObject({ status: 'refused', reason: 'not-an-image' });
  await run();
  expect(told).toEqual([
    ['sub-1', 'done', false],
    ['sub-2', 'refused', false],
    ['sub-1', 'done', true],
    ['sub-2', 'refused', true],
  ]);
  expect((await readdir(at('treated'))).filter((name) => !name.startsWith('.'))).toEqual(['sub-1.nii.gz']);
});
