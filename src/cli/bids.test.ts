/** A data set from end to end: what is treated, what is not, what nobody may find in it, and runs that were ended. */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTsv } from '../bids/tsv.js';
import { niftiBytes } from '../deidentify/testing/fixtures.js';
import { Records } from '../node/bids/records.js';
import { lockFolder } from '../node/lock.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { type Ran, runFake } from './testing/run-fake.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
const WITNESS = 'Qzwitness';
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);

async function put(name: string, content: Uint8Array | string): Promise<void> {
  await mkdir(path.dirname(at(name)), { recursive: true });
  await writeFile(at(name), content);
}

/** With an owner in the gzip header, the NIfTI header, and behind it. */
function scan(scale = 1): Buffer {
  const bytes = Buffer.from(niftiBytes({ grid, volumes: [head.volume.data.map((v) => v * scale)] }));
  bytes.write(WITNESS, 148);
  bytes.write(WITNESS, 228);
  const zip = gzipSync(bytes);
  const named = Buffer.concat([zip.subarray(0, 10), Buffer.from(`${WITNESS}\0`), zip.subarray(10)]);
  named[3] = 8;
  return named;
}

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'bids-')));
  const json = (content: object): string => JSON.stringify(content);
  await put(
    'ds/dataset_description.json',
    json({ Name: WITNESS, BIDSVersion: '1.9.0', Authors: [WITNESS], License: 'CC0' }),
  );
  await put('ds/README', WITNESS);
  await put(
    'ds/participants.tsv',
    `participant_id\tage\tname\nsub-1\t95\t${WITNESS}\nsub-2\t30\t${WITNESS}\nsub-3\t30\tx\n`,
  );
  await put('ds/T1w.json', json({ RepetitionTime: 2.3, InstitutionName: WITNESS, [WITNESS]: 1 }));
  await put('ds/sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz', scan());
  await put('ds/sub-1/ses-a/anat/sub-1_ses-a_T1w.json', json({ EchoTime: 0.003, PatientName: WITNESS }));
  await put('ds/sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz', scan(2));
  await put(
    'ds/sub-1/ses-a/sub-1_ses-a_scans.tsv',
    `filename\tacq_time\nanat/sub-1_ses-a_T1w.nii.gz\t2021-03-04T10:11:12\n`,
  );
  await put('ds/sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.nii.gz', scan());
  await put(
    'ds/sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.json',
    json({ TaskName: WITNESS, RepetitionTime: 2 }),
  );
  await put('ds/sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz', scan(3));
  await put('ds/sub-2/ses-a/anat/sub-2_ses-a_T1map.nii.gz', scan());
  await put('ds/sub-3/ses-a/anat/sub-3_ses-a_T1w.nii.gz', 'junk');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = (args: readonly string[]): Promise<Ran> => runFake(head.brainMask.data, ['bids', ...args]);

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function bytesIn(folder: string): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>();
  for (const name of await filesIn(folder)) all.set(name, await readFile(path.join(folder, name)));
  return all;
}

const RESULTS = [
  'CHANGES',
  'README',
  'dataset_description.json',
  'participants.json',
  'participants.tsv',
  'sub-1/ses-a/anat/sub-1_ses-a_T1w.json',
  'sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz',
  'sub-1/ses-b/anat/sub-1_ses-b_T1w.json',
  'sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz',
  'sub-2/ses-a/anat/sub-2_ses-a_T1w.json',
  'sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz',
];

describe('prosopon bids', { timeout: 240_000 }, () => {
  it('treats what can be treated, leaves out what cannot, and nobody finds an owner in anything it wrote or said', async () => {
    const { code, out, err } = await run([
      at('ds'),
      at('raw'),
      '--copy',
      'bold',
      '--dates',
      'shift',
      '--seed',
      '5',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('1 of 5 scans refused, 0 failed');
    expect(out).toMatch(/refused {2}sub-3\/ses-a\/anat\/sub-3_ses-a_T1w\.nii\.gz {2}not-an-image: /);
    expect(out).toContain('4 done, 1 refused, 0 failed, 1 left out by kind');
    const copied = [
      'sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.json',
      'sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.nii.gz',
    ];
    expect(await filesIn(at('raw'))).toEqual(
      [...RESULTS, ...copied, 'sub-1/ses-a/sub-1_ses-a_scans.tsv'].sort(),
    );
    expect(await readdir(at('raw'))).not.toContain('sub-3');
    expect(await readFile(at('raw/participants.tsv'), 'utf8')).toBe(
      'participant_id\tage\nsub-1\t89\nsub-2\t30\n',
    );
    expect(JSON.parse(await readFile(at('raw/sub-1/ses-a/anat/sub-1_ses-a_T1w.json'), 'utf8'))).toEqual({
      RepetitionTime: 2.3,
      EchoTime: 0.003,
      DeidentificationMethod: [expect.stringContaining('Prosopon')],
      DeidentificationMethodCodeSequence: [
        expect.objectContaining({ CodeValue: '113102', CodingSchemeDesignator: 'DCM' }),
      ],
    });
    const [time] = parseTsv(await readFile(at('raw/sub-1/ses-a/sub-1_ses-a_scans.tsv'), 'utf8'));
    expect(time?.filename).toBe('anat/sub-1_ses-a_T1w.nii.gz');
    expect(Number(time?.acq_time?.slice(0, 4))).toBeLessThan(1925);
    // Everything that was written or said, also inflated, also in wide characters.
    const said = Buffer.from(out + err);
    for (const folder of ['raw', 'raw-work', 'raw-report'])
      for (const [name, bytes] of [...(await bytesIn(at(folder))), ['said', said] as const]) {
        const inflated = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
        for (const encoding of ['latin1', 'utf16le'] as const)
          for (const text of [WITNESS, WITNESS.toLowerCase(), WITNESS.toUpperCase()])
            for (const where of [bytes, inflated])
              expect(where.includes(Buffer.from(text, encoding)), `${folder}/${name}`).toBe(false);
      }
    expect((await stat(at('raw-work'))).mode & 0o777).toBe(0o700);
    // The records name the part that each image had.
    const records = [...new Records(at('raw-work/records')).all()];
    expect(records.map(({ path: p, status, role }) => [p.split('/').at(-1), status, role])).toEqual([
      ['sub-1_ses-a_T1w.nii.gz', 'done', 'anchor'],
      ['sub-1_ses-a_task-rest_bold.nii.gz', 'done', 'copied'],
      ['sub-1_ses-b_T1w.nii.gz', 'done', 'same head'],
      ['sub-2_ses-a_T1w.nii.gz', 'done', 'anchor'],
      ['sub-3_ses-a_T1w.nii.gz', 'refused', undefined],
    ]);
    const summary = JSON.parse(await readFile(at('raw-report/summary.json'), 'utf8'));
    expect(summary.counts).toMatchObject({ done: 4, refused: 1, failed: 0, leftOut: 1 });
    const page = await readFile(at('raw-report/index.html'), 'utf8');
    expect(page).toContain('sub-2_ses-a_T1map.nii.gz');
    expect(page).not.toContain('src="http');
  });

  it('goes on where it was: the same bytes with a seed, whatever was there before', async () => {
    const args = [at('ds'), at('again'), 'participant', '--seed', '5'];
    expect((await run(args)).code).toBe(1);
    const whole = await bytesIn(at('again'));
    const before = (await stat(at('again/sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz'))).mtimeMs;
    // One lost, one that a kill has left as begun, a result of which nothing is known.
    await rm(at('again/sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz'));
    const records = new Records(at('again-work/records'));
    const one = records.get('sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz');
    if (one === undefined) throw new Error('no record');
    records.put({ path: one.path, key: one.key, status: 'begun' });
    expect((await run(args)).code).toBe(1);
    expect(await bytesIn(at('again'))).toEqual(whole);
    expect((await stat(at('again/sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz'))).mtimeMs).toBe(before);
    // Without results nothing is remembered as done: another input is another result.
    const other = await run([...args.slice(0, 3), '--seed', '6']);
    expect(other.code).toBe(1);
    const changed = await bytesIn(at('again'));
    for (const name of RESULTS.filter((n) => n.endsWith('.nii.gz')))
      expect(changed.get(name)).not.toEqual(whole.get(name));
  });

  it('draws a person anew as a whole where no seed was given: never two heads of one person', async () => {
    const args = [at('ds'), at('fresh'), 'participant', '--participant-label', '1'];
    expect((await run(args)).code).toBe(0);
    const first = await bytesIn(at('fresh'));
    expect((await run(args)).code).toBe(0);
    expect(await bytesIn(at('fresh'))).toEqual(first);
    await rm(at('fresh/sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz'));
    expect((await run(args)).code).toBe(0);
    const second = await bytesIn(at('fresh'));
    for (const ses of ['a', 'b']) {
      const name = `sub-1/ses-${ses}/anat/sub-1_ses-${ses}_T1w.nii.gz`;
      expect(second.get(name)).not.toEqual(first.get(name));
    }
  });

  it('shifts the times of a person by the same days in every run, with and without a seed', async () => {
    const table = 'sub-1/ses-a/sub-1_ses-a_scans.tsv';
    for (const seed of [[], ['--seed', '5']]) {
      const out = `times${seed.length}`;
      const args = [
        at('ds'),
        at(out),
        'participant',
        '--participant-label',
        '1',
        '--dates',
        'shift',
        ...seed,
      ];
      expect((await run(args)).code).toBe(0);
      const first = await readFile(at(out, table), 'utf8');
      expect(first).toMatch(/T1w\.nii\.gz\t(18|19[01])\d+-\d\d-\d\dT10:11:00/);
      expect((await run(args)).code).toBe(0);
      expect((await run([at('ds'), at(out), 'group', '--refusals-ok'])).code).toBe(0);
      expect(await readFile(at(out, table), 'utf8')).toBe(first);
    }
    expect(await readFile(at('times2', table), 'utf8')).toBe(await readFile(at('raw', table), 'utf8'));
  });

  it('takes a result away when its input has changed and is refused', async () => {
    await put('moody/dataset_description.json', '{"BIDSVersion":"1.9.0","Name":"x"}');
    await put('moody/sub-1/anat/sub-1_T1w.nii.gz', scan());
    const args = [at('moody'), at('moody-out'), 'participant'];
    expect((await run(args)).code).toBe(0);
    await put('moody/sub-1/anat/sub-1_T1w.nii.gz', 'junk');
    expect((await run(args)).code).toBe(1);
    expect((await filesIn(at('moody-out'))).filter((name) => name.startsWith('sub-'))).toEqual([]);
    // And a file that no run has made is said.
    await put('moody-out/sub-9/anat/sub-9_T1w.nii.gz', scan());
    const { err } = await run([at('moody'), at('moody-out'), 'group', '--refusals-ok']);
    expect(err).toContain('made by no run here');
  });

  it('takes everything away that came with a result: masks, copies, and where the input cannot even be read', async () => {
    await put('gone/dataset_description.json', '{"BIDSVersion":"1.9.0","Name":"x"}');
    await put('gone/sub-1/anat/sub-1_T1w.nii.gz', scan());
    await put('gone/sub-2/anat/sub-2_T1w.nii.gz', scan());
    await put('gone/sub-1/func/sub-1_task-rest_bold.nii.gz', scan());
    const args = [at('gone'), at('gone-out'), 'participant', '--defacemask', '--copy', 'bold'];
    expect((await run(args)).code).toBe(0);
    const results = async () => (await filesIn(at('gone-out'))).filter((name) => name.startsWith('sub-'));
    expect(await results()).toHaveLength(10);
    await put('gone/sub-1/anat/sub-1_T1w.nii.gz', 'junk');
    await put('gone/sub-1/func/sub-1_task-rest_bold.nii.gz', 'junk');
    await rm(at('gone/sub-2/anat/sub-2_T1w.nii.gz'));
    await symlink(at('ds/sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz'), at('gone/sub-2/anat/sub-2_T1w.nii.gz'));
    expect((await run(args)).code).toBe(1);
    expect(await results()).toEqual([]);
  });

  it('does an acquisition anew when an echo has come, and leaves what is not ours', async () => {
    const echo = (n: number): string => `echoes/sub-1/anat/sub-1_echo-${n}_MEGRE.nii.gz`;
    await put('echoes/dataset_description.json', '{"BIDSVersion":"1.9.0","Name":"x"}');
    await put(echo(1), scan());
    const args = [at('echoes'), at('echoes-out'), 'participant'];
    expect((await run(args)).code).toBe(0);
    await put(echo(2), scan(2));
    const { code, out } = await run(args);
    expect([code, out]).toEqual([0, expect.stringContaining('2 done, 0 refused, 0 failed')]);
    // Somebody else's file in the place of a result: refused, and there after that, whatever is asked for next.
    await put('echoes/sub-2/anat/sub-2_T1w.nii.gz', scan());
    await put('echoes-out/sub-2/anat/sub-2_T1w.nii.gz', 'theirs');
    for (const seed of ['5', '6']) {
      const other = await run([...args, '--seed', seed]);
      expect([other.code, other.out]).toEqual([1, expect.stringContaining('output-exists')]);
      expect(await readFile(at('echoes-out/sub-2/anat/sub-2_T1w.nii.gz'), 'utf8')).toBe('theirs');
    }
  });

  it('names derivatives as derivatives, with masks of what is new', async () => {
    const args = [
      at('ds'),
      at('derived'),
      'participant',
      '--layout',
      'derivative',
      '--defacemask',
      '--participant-label',
      'sub-2',
    ];
    expect((await run(args)).code).toBe(0);
    const files = await filesIn(at('derived'));
    expect(files.filter((name) => name.startsWith('sub-'))).toEqual([
      'sub-2/ses-a/anat/sub-2_ses-a_desc-remodelled_T1w.json',
      'sub-2/ses-a/anat/sub-2_ses-a_desc-remodelled_T1w.nii.gz',
      'sub-2/ses-a/anat/sub-2_ses-a_mod-T1w_desc-remodelled_defacemask.json',
      'sub-2/ses-a/anat/sub-2_ses-a_mod-T1w_desc-remodelled_defacemask.nii.gz',
    ]);
    const sidecar = JSON.parse(
      await readFile(at('derived', files.find((n) => n.endsWith('_T1w.json')) ?? ''), 'utf8'),
    );
    expect(sidecar).toMatchObject({
      SkullStripped: false,
      Sources: ['bids:raw:sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz'],
    });
    expect(JSON.parse(await readFile(at('derived/dataset_description.json'), 'utf8'))).toMatchObject({
      DatasetType: 'derivative',
    });
    // One data set, one layout.
    const other = await run([at('ds'), at('derived'), 'participant', '--participant-label', '2']);
    expect([other.code, other.err]).toEqual([2, expect.stringContaining('expected --layout derivative')]);
  });

  it('takes the mask of a derivative where it has one, and does the scan anew when the mask has changed', async () => {
    // With some voxels less than the brain that is found has.
    const mask = Float32Array.from(head.brainMask.data, (v, i) => (i % 37 === 0 ? 0 : v));
    await put(
      'masks/sub-2/ses-a/anat/sub-2_ses-a_desc-brain_mask.nii.gz',
      gzipSync(niftiBytes({ grid, volumes: [mask] })),
    );
    await put('masks/sub-2/ses-a/anat/sub-2_ses-a_space-MNI_desc-brain_mask.nii.gz', 'junk');
    await put('masks/sub-2/ses-a/anat/sub-2_ses-a_label-lesion_mask.nii.gz', 'junk');
    const args = [at('ds'), at('masked'), 'participant', '--seed', '5', '--participant-label', '2'];
    expect((await run([...args, '--brain-masks', at('masks')])).code).toBe(0);
    const result = at('masked/sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz');
    const given = await readFile(result);
    expect((await run(args)).code).toBe(0);
    expect(await readFile(result)).not.toEqual(given);
    await put('masks/sub-2/ses-a/anat/sub-2_ses-a_desc-brain_mask.nii.gz', gzipSync('junk'));
    const bad = await run([...args, '--brain-masks', at('masks')]);
    expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('not-an-image')]);
    expect(await filesIn(at('masked'))).not.toContain('sub-2/ses-a/anat/sub-2_ses-a_T1w.nii.gz');
  });

  it('says what it would do and writes nothing', async () => {
    const { code, out } = await run([at('ds'), at('dry'), '--dry-run']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^treat {6}sub-1\/ses-a\/anat\/sub-1_ses-a_T1w\.nii\.gz {2}\(the head is drawn for it/m,
    );
    expect(out).toMatch(
      /^leave out {2}sub-2\/ses-a\/anat\/sub-2_ses-a_T1map\.nii\.gz {2}\(a map of values shows the face/m,
    );
    expect((await readdir(dir)).filter((name) => name.startsWith('dry'))).toEqual([]);
  });

  it('refuses folders in one another, folders of others, links out of the data set, and two runs at a time', async () => {
    for (const [input, output] of [
      ['ds', 'ds/derivatives/p'],
      ['ds/sub-1', 'ds'],
      ['ds', 'ds'],
    ] as const) {
      const { code, err } = await run([at(input), at(output), 'participant', '--skip-bids-validation']);
      expect([code, err]).toEqual([2, expect.stringContaining('apart from one another')]);
    }
    expect(await readdir(at('ds'))).not.toContain('derivatives');
    await put('theirs/thesis.txt', 'mine');
    expect((await run([at('ds'), at('theirs'), 'participant'])).err).toContain(
      'empty or was made by an earlier run',
    );
    expect(await readdir(at('theirs'))).toEqual(['thesis.txt']);

    await put('linked/dataset_description.json', '{"BIDSVersion":"1.9.0"}');
    await put('linked/sub-2/anat/.keep', '');
    await mkdir(at('linked/sub-1/anat'), { recursive: true });
    await symlink(at('ds/sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz'), at('linked/sub-1/anat/sub-1_T1w.nii.gz'));
    const linked = await run([at('linked'), at('linked-out'), 'participant']);
    expect([linked.code, linked.out]).toEqual([1, expect.stringContaining('a link that leads out of it')]);

    await mkdir(at('busy'));
    const lock = lockFolder(at('busy'));
    const { code, err } = await run([at('ds'), at('busy'), 'participant', '--shard', '1/2']);
    expect([code, err]).toEqual([1, expect.stringContaining('divides the work in another way')]);
    lock.release();
    expect((await run([at('nowhere'), at('x')])).code).toBe(1);
    expect((await run([at('ds'), at('x'), '--copy', 'T1w'])).code).toBe(2);
    expect((await run([at('ds'), at('x'), '--participant-label', '77'])).code).toBe(2);
    expect((await run([at('ds'), at('x'), '--shard', '3/2'])).code).toBe(2);
  });

  it('divides the people among shares, and the group level sees all of them', async () => {
    const shares = [];
    for (const share of ['1/2', '2/2'])
      shares.push(
        await run([at('ds'), at('shared'), 'participant', '--seed', '5', '--shard', share, '--refusals-ok']),
      );
    expect(shares.map(({ code }) => code)).toEqual([0, 0]);
    expect(shares[0]?.out).toContain('2 done, 1 refused');
    expect(shares[1]?.out).toContain('1 done, 0 refused');
    expect((await run([at('ds'), at('shared'), 'group', '--refusals-ok'])).code).toBe(0);
    const alone = await bytesIn(at('raw'));
    for (const [name, bytes] of await bytesIn(at('shared')))
      if (name.endsWith('.nii.gz')) expect(bytes).toEqual(alone.get(name));
  });
});
