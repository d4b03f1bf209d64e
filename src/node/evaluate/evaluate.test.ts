/** A cohort of heads that are nobody, from folder to report: refusals, resume, and numbers that do not depend on either. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../cli/program.js';
import { niftiBytes, simpleHead } from '../../deidentify/testing/fixtures.js';
import { Refusal } from '../../errors/errors.js';
import type { Evaluation, Table } from '../../evaluate/results.js';
import type { RemovalMethod } from '../../methods/method.js';
import { MethodRegistry } from '../../methods/registry.js';
import { fakeMethod } from '../../methods/testing/fake-method.js';
import { multiply, translation } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { headGrid, syntheticHead } from '../../volume/testing/synthetic-head.js';
import type { Mask, Volume } from '../../volume/volume.js';
import type { Instruments } from './instruments.js';
import { missing } from './instruments.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const PATIENTS = 5;
const heads = Array.from({ length: PATIENTS }, (_, variant) =>
  syntheticHead({ grid, variant: variant + 1, noise: 2 }),
);

let folder = '';
async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  const to = path.join(folder, name);
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, bytes);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evaluate-'));
  const rows = ['participant_id\tage\tsplit'];
  for (const [i, { volume, brainMask }] of heads.entries()) {
    const id = `sub-${i + 1}`;
    rows.push(`${id}\t${30 + 5 * i}\ttest`);
    await put(`bids/${id}/anat/${id}_T1w.nii`, niftiBytes({ grid, frames: [volume.data] }));
    await put(
      `bids/derivatives/atlas/${id}/anat/${id}_dseg.nii`,
      niftiBytes({ grid, frames: [Float32Array.from(brainMask.data)], datatype: 'uint8' }),
    );
  }
  await put('bids/participants.tsv', `${rows.join('\n')}\n`);
  await put('bids/derivatives/atlas/dseg.tsv', 'index\tname\ttissue\n1\tBrain\tgm\n');
  const moved = { ...grid, affine: multiply(translation(30, 0, 0), grid.affine) };
  await put(
    'moved/sub-1/anat/sub-1_T1w.nii',
    niftiBytes({ grid, frames: [heads[0]?.volume.data ?? new Float32Array()] }),
  );
  await put(
    'moved/sub-2/anat/sub-2_T1w.nii',
    niftiBytes({ grid, frames: [heads[1]?.volume.data ?? new Float32Array()] }),
  );
  await put(
    'moved/derivatives/atlas/sub-1/anat/sub-1_dseg.nii',
    niftiBytes({
      grid: moved,
      frames: [Float32Array.from(heads[0]?.brainMask.data ?? [])],
      datatype: 'uint8',
    }),
  );
  await put('empty/readme', 'nothing');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Replaces all that is not brain by a pattern. */
const blank: RemovalMethod = {
  kind: 'remove',
  name: 'blank',
  reference: 'nowhere',
  models: [],
  async alter({ volume, brainMask }) {
    const altered = Uint8Array.from(brainMask.data, (v) => (v === 0 ? 1 : 0));
    return {
      values: {
        grid: volume.grid,
        data: new Float32Array(volume.data.length).map((_, o) => (o % 7 === 0 ? 40 : 0)),
      },
      altered: { grid: volume.grid, data: altered },
    };
  },
};

/** The brain of a synthetic head is where its brightest voxels' mask says; the same for every version. */
const brain = (heads[0] as (typeof heads)[0]).brainMask;

function instruments(names: readonly [string, string] = ['bright', 'dark']): Instruments {
  // A vector from the outside of the head: the same head gives the same one, whatever the camera.
  const vector = (volume: Volume): Float32Array => {
    const random = new Random(new Uint32Array(8));
    const out = new Float32Array(8);
    for (let o = 0; o < volume.data.length; o += 5)
      out[o % 8] = (out[o % 8] as number) + (volume.data[o] as number) * (random.uniform() - 0.5);
    const length = Math.hypot(...out) || 1;
    return out.map((v) => v / length);
  };
  return {
    faces: missing('not in this test'),
    sqn: new Map([
      [
        'transfer',
        { ready: true, key: 'fake sqn', models: [], measure: async (view) => vector(view.volume) },
      ],
    ]),
    segment: {
      ready: true,
      key: 'fake segmenter',
      models: [],
      async measure({ volume, brainMask }) {
        return {
          labels: volume.data.map((v, o) => ((brainMask.data[o] as number) === 0 ? 0 : v > 500 ? 1 : 2)),
          classes: [
            { id: 1, name: names[0], group: 'white' },
            { id: 2, name: names[1], group: 'grey' },
          ],
        };
      },
    },
    classNames: new Map([
      [1, names[0]],
      [2, names[1]],
    ]),
    age: {
      ready: true,
      key: 'fake age',
      models: [],
      measure: async (view) => 40 + 10 * (vector(view.volume)[0] as number),
    },
  };
}

let asked = 0;
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
async function run(
  out: string,
  args: readonly string[],
  more: { signal?: AbortSignal; onBrain?: () => void; dataset?: string } = {},
): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await runCli(
    [
      'evaluate',
      path.join(folder, more.dataset ?? 'bids'),
      path.join(folder, out),
      '--methods',
      'fake,blank',
      '--jobs',
      '1',
      ...args,
    ],
    {
      methods: new MethodRegistry().register(fakeMethod()).register(blank),
      makeHead: simpleHead,
      makeNetworks: () => ({
        run: async () => {
          throw new Refusal('model-unavailable', 'none in this test');
        },
        close: async () => undefined,
      }),
      async extractBrain(volume: Volume): Promise<{ mask: Mask }> {
        asked++;
        more.onBrain?.();
        return { mask: { grid: volume.grid, data: brain.data } };
      },
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      evaluationInstruments: instruments(),
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    },
  );
  return { code, out: stdout, err: stderr };
}

async function results(out: string): Promise<Evaluation> {
  return JSON.parse(await readFile(path.join(folder, out, 'results.json'), 'utf8')) as Evaluation;
}
/** Times differ between runs, as they should. */
function withoutTimes(evaluation: Evaluation): unknown {
  return { ...evaluation, sections: evaluation.sections.filter(({ id }) => id !== 'times') };
}

describe('prosopon evaluate', { timeout: 120_000 }, () => {
  it('goes from a cohort to a report in which every number has its count', async () => {
    const args = [
      '--methods',
      'fake',
      '--split',
      'test',
      '--seeds-per-head',
      '2',
      '--averaging-heads',
      '5',
      '--mask-error-heads',
      '1',
      '--mask-error-mm',
      '8',
    ];
    const { code, err } = await run('whole', args);
    expect(err).not.toContain('prosopon:');
    expect(code).toBe(0);
    const evaluation = await results('whole');
    expect(evaluation.cohort).toEqual({ n: 5, splits: ['test'], refused: [] });
    const blocks = evaluation.sections.flatMap((s) => s.blocks);
    const absent = blocks.filter((b) => b.kind === 'absent');
    expect(absent.find(({ id }) => id === 'regions-map-fixed-fake')).toMatchObject({
      reason: expect.stringContaining('"bright" is none of them'),
    });
    await expect(stat(path.join(folder, 'whole/region-map-fake.png'))).rejects.toThrow();
    expect(absent.find(({ id }) => id === 'faces')).toMatchObject({ reason: 'not in this test' });
    for (const table of blocks.filter((b): b is Table => b.kind === 'table'))
      for (const row of table.rows)
        for (const cell of Object.values(row.cells)) {
          expect(cell?.n).toBeGreaterThan(0);
          expect(cell?.n).toBeLessThanOrEqual(5);
        }
    const html = await readFile(path.join(folder, 'whole/report.html'), 'utf8');
    for (const cell of html.match(/<td>.*?<\/td>/g) ?? [])
      if (!cell.includes('<code>')) expect(cell).toContain('n = ');
    expect(html).not.toContain('sub-1');
    // The fake segmenter looks at brain voxels alone, which no method changes.
    const dice = blocks.find((b): b is Table => b.kind === 'table' && b.id === 'dice-fixed');
    expect(dice?.rows.find(({ id }) => id === 'fake')?.cells.classes).toEqual({
      value: 1,
      low: 1,
      high: 1,
      n: 5,
    });
    const errors = blocks.find((b): b is Table => b.kind === 'table' && b.id === 'mask-errors-fake');
    const of = (kind: string) => errors?.rows.find(({ id }) => id === `fake!${kind}-8`)?.cells;
    expect(of('erode')?.lost?.value).toBeGreaterThan(0.1);
    expect(of('dilate')?.lost?.value).toBe(0);
    expect(of('dilate')?.kept?.value).toBeGreaterThan(50);
    // Attacks on what a wrong mask gave need five heads; one was asked for.
    expect(errors?.columns.map(({ id }) => id)).toEqual(['lost', 'kept', 'dice', 'face', 'sqn']);
    expect(of('erode')?.sqn).toBeUndefined();
    expect((await stat(path.join(folder, 'whole/private'))).mode & 0o777).toBe(0o700);
  });

  it('goes on where it was interrupted, to the same results', async () => {
    // Surfaces are what takes time.
    const quick = ['--sections', 'utility,reference,brain-age,times'];
    const stop = new AbortController();
    let brains = 0;
    const first = await run('resumed', quick, {
      signal: stop.signal,
      onBrain: () => {
        if (++brains === 6) stop.abort(new Error('enough'));
      },
    });
    expect(first.code).toBe(130);
    expect(first.err).toContain('goes on where this one stopped');
    await expect(stat(path.join(folder, 'resumed/results.json'))).rejects.toThrow();
    // Whatever the first run still had in hand is over.
    await new Promise((resolve) => setTimeout(resolve, 200));
    asked = 0;
    expect((await run('resumed', quick)).code).toBe(0);
    const afterResume = asked;
    asked = 0;
    expect((await run('straight', quick)).code).toBe(0);
    expect(afterResume).toBeLessThan(asked);
    expect(withoutTimes(await results('resumed'))).toEqual(withoutTimes(await results('straight')));
    asked = 0;
    expect((await run('straight', quick)).code).toBe(0);
    expect(asked).toBe(0);
  });

  it('refuses what cannot be evaluated, in one sentence', async () => {
    const refused = async (
      out: string,
      args: string[],
      dataset: string,
      words: string,
      as = 1,
    ): Promise<void> => {
      const { code, err } = await run(out, args, { dataset });
      expect([code, err]).toEqual([as, expect.stringContaining(words)]);
      await expect(stat(path.join(folder, out, 'results.json'))).rejects.toThrow();
    };
    await refused('r', [], 'nowhere', 'found none at that path');
    await refused('r', [], 'empty', 'T1w');
    await refused('r', ['--subjects', '1,2,3'], 'bids', 'at least 5 patients for a five-way choice');
    await refused('r', ['--subjects', '1,9'], 'bids', 'subject asked for');
    await refused('r', ['--split', 'train'], 'bids', 'the split "train"');
    await refused('r', ['--sections', 'reference'], 'moved', 'dseg.tsv');
    await refused('r', ['--sections', 'colour'], 'bids', 'expected sections', 2);
    await refused('r', ['--sections', 'averaging'], 'bids', '--seeds-per-head', 2);
    await refused('r', ['--sections', 'memorisation'], 'bids', '--train-heads', 2);
    await refused('r', ['--methods', 'other'], 'bids', 'expected a method', 2);
    await refused('r', ['--segmenter', 'tool {in}'], 'bids', '{out}', 2);
  });

  it('refuses labels on another grid, and does with fewer patients what needs no five', async () => {
    await put('moved/derivatives/atlas/dseg.tsv', 'index\tname\ttissue\n1\tBrain\tgm\n');
    const { code, err } = await run('r', ['--sections', 'reference'], { dataset: 'moved' });
    expect([code, err]).toEqual([1, expect.stringContaining('on the grid of their scan')]);
    expect((await run('two', ['--sections', 'utility,times'], { dataset: 'moved' })).code).toBe(0);
    const { sections } = await results('two');
    expect(sections.map(({ id }) => id)).toEqual(['utility', 'times']);
  });

  it('keeps a method that refuses a head out of its rates', async () => {
    // Told apart by one voxel of air that only the third head has.
    const marked = Float32Array.from(heads[2]?.volume.data ?? []);
    marked[0] = 77;
    await put('picky/sub-3/anat/sub-3_T1w.nii', niftiBytes({ grid, frames: [marked] }));
    for (const i of [1, 2, 4, 5])
      await put(
        `picky/sub-${i}/anat/sub-${i}_T1w.nii`,
        niftiBytes({ grid, frames: [heads[i - 1]?.volume.data ?? marked] }),
      );
    let out = '';
    const code = await runCli(
      [
        'evaluate',
        path.join(folder, 'picky'),
        path.join(folder, 'p'),
        '--methods',
        'blank',
        '--sections',
        'utility',
        '--quiet',
      ],
      {
        methods: new MethodRegistry().register({
          ...blank,
          async alter(head, context) {
            if (head.volume.data[0] === 77)
              throw new Refusal('contrast-unsupported', 'expected another contrast');
            return blank.alter(head, context);
          },
        }),
        makeHead: simpleHead,
        makeNetworks: () => ({ run: async () => ({}), close: async () => undefined }),
        extractBrain: async (volume: Volume) => ({ mask: { grid: volume.grid, data: brain.data } }),
        stdout: { write: (text) => (out += text) },
        stderr: { write: (text) => (out += text) },
        // Numbers and names of our own segmentation: a map of regions is drawn.
        evaluationInstruments: instruments(['csf', 'third-ventricle']),
      },
    );
    expect([code, out]).toEqual([0, '']);
    const png = await readFile(path.join(folder, 'p/region-map-blank.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect((await readdir(path.join(folder, 'p'))).filter((name) => name.endsWith('.part'))).toEqual([]);
    const html = await readFile(path.join(folder, 'p/report.html'), 'utf8');
    expect(html.match(/data:image\/png/g)).toHaveLength(2);
    const table = (await results('p')).sections[0]?.blocks.find(
      (b): b is Table => b.kind === 'table' && b.id === 'brain-mask',
    );
    expect(table?.rows.find(({ id }) => id === 'blank')).toMatchObject({
      note: expect.stringContaining('1 heads refused'),
      cells: { dice: { n: 4 } },
    });
  });
});
