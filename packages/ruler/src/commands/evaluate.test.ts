/** A cohort of heads that are nobody, from folder to report: refusals, resume, and numbers that do not depend on either. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../../../src/cli/program.js';
import { niftiBytes, simpleHead } from '../../../../src/deidentify/testing/fixtures.js';
import { Refusal } from '../../../../src/errors/errors.js';
import { MethodRegistry } from '../../../../src/methods/registry.js';
import type { Volume } from '../../../../src/volume/volume.js';
import type { Table } from '../report/results.js';
import { createRuler } from './ruler.js';
import {
  at,
  blank,
  brain,
  brains as brainsFound,
  grid,
  heads,
  instruments,
  makeCohort,
  put,
  removeCohort,
  results,
  run,
  withoutTimes,
} from './testing/cohort-fixture.js';

beforeAll(makeCohort);
afterAll(removeCohort);

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
    await expect(stat(at('whole/region-map-fake.png'))).rejects.toThrow();
    expect(absent.find(({ id }) => id === 'faces')).toMatchObject({ reason: 'not in this test' });
    for (const table of blocks.filter((b): b is Table => b.kind === 'table'))
      for (const row of table.rows)
        for (const cell of Object.values(row.cells)) {
          expect(cell?.n).toBeGreaterThan(0);
          expect(cell?.n).toBeLessThanOrEqual(5);
        }
    const html = await readFile(at('whole/report.html'), 'utf8');
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
    expect((await stat(at('whole/private'))).mode & 0o777).toBe(0o700);
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
    await expect(stat(at('resumed/results.json'))).rejects.toThrow();
    // Whatever the first run still had in hand is over.
    await new Promise((resolve) => setTimeout(resolve, 200));
    brainsFound.asked = 0;
    expect((await run('resumed', quick)).code).toBe(0);
    const afterResume = brainsFound.asked;
    brainsFound.asked = 0;
    expect((await run('straight', quick)).code).toBe(0);
    expect(afterResume).toBeLessThan(brainsFound.asked);
    expect(withoutTimes(await results('resumed'))).toEqual(withoutTimes(await results('straight')));
    brainsFound.asked = 0;
    expect((await run('straight', quick)).code).toBe(0);
    expect(brainsFound.asked).toBe(0);
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
      await expect(stat(at(out, 'results.json'))).rejects.toThrow();
    };
    await refused('r', [], 'nowhere', 'found none at that path');
    await refused('r', [], 'empty', 'T1w');
    await refused('r', ['--subjects', '1,2,3'], 'bids', 'at least 5 subjects for a five-way choice');
    await refused('r', ['--subjects', '1,9'], 'bids', 'subject asked for');
    await refused('r', ['--split', 'train'], 'bids', 'the split "train"');
    await refused('r', ['--sections', 'reference'], 'moved', 'dseg.tsv');
    await refused('r', ['--sections', 'colour'], 'bids', 'expected sections', 2);
    await refused('r', ['--sections', 'averaging'], 'bids', '--seeds-per-head', 2);
    await refused('r', ['--sections', 'memorisation'], 'bids', '--train-heads', 2);
    await refused('r', ['--methods', 'other'], 'bids', 'expected a method', 2);
    await refused('r', ['--segmenter', 'tool {in}'], 'bids', '{out}', 2);
  });

  it('refuses labels on another grid, and does with fewer subjects what needs no five', async () => {
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
    await put('picky/sub-3/anat/sub-3_T1w.nii', niftiBytes({ grid, volumes: [marked] }));
    for (const i of [1, 2, 4, 5])
      await put(
        `picky/sub-${i}/anat/sub-${i}_T1w.nii`,
        niftiBytes({ grid, volumes: [heads[i - 1]?.volume.data ?? marked] }),
      );
    let out = '';
    const code = await runCli(
      ['evaluate', at('picky'), at('p'), '--methods', 'blank', '--sections', 'utility', '--quiet'],
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
        makeNetworks: () => ({
          run: async () => ({}),
          describe: async () => {
            throw new Error('not asked');
          },
          close: async () => undefined,
        }),
        extractBrain: async (volume: Volume) => ({ mask: { grid: volume.grid, data: brain.data } }),
        stdout: { write: (text) => (out += text) },
        stderr: { write: (text) => (out += text) },
        // Numbers and names of our own segmentation: a map of regions is drawn.
        loadRuler: async () => createRuler(instruments(['csf', 'third-ventricle'])),
      },
    );
    expect([code, out]).toEqual([0, '']);
    const png = await readFile(at('p/region-map-blank.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect((await readdir(at('p'))).filter((name) => name.endsWith('.part'))).toEqual([]);
    const html = await readFile(at('p/report.html'), 'utf8');
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
