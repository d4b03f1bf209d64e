/** Data sets as people have them: sessions, runs, derivatives, and names that are none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivativeOf, firstScans, readDataset, sayLeft } from './dataset.js';
import { listedTree } from './file-tree.js';
import { formatBidsName, parseBidsName } from './names.js';
import { parseTsv } from './tsv.js';

const bytes = (text: string) => async (): Promise<Uint8Array> => new TextEncoder().encode(text);
function tree(files: readonly string[], tables: Readonly<Record<string, string>> = {}) {
  return listedTree([
    ...files.map((path) => ({ path: `chosen/${path}`, bytes: bytes('') })),
    ...Object.entries(tables).map(([path, text]) => ({ path: `chosen/${path}`, bytes: bytes(text) })),
  ]);
}

const alphabet = [...'abcXYZ019+'];
const label = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 6 });
const entities = fc.uniqueArray(
  fc.tuple(fc.constantFrom('sub', 'ses', 'acq', 'run', 'echo', 'desc'), label),
  {
    selector: ([key]) => key,
  },
);

describe('names', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(
        entities,
        fc.constantFrom('T1w', 'T2w', 'dseg'),
        fc.constantFrom('', '.nii', '.nii.gz'),
        (e, s, x) => {
          const name = { entities: e, suffix: s, extension: x };
          expect(parseBidsName(formatBidsName(name))).toEqual(name);
        },
      ),
    );
  });

  it('of any kind are read as what they say, or not at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('-', '_', '.', 'a', '1', '/', '\n') })),
        (s) => {
          const name = parseBidsName(s);
          if (name !== undefined) expect(formatBidsName(name)).toBe(s);
          if (/[\p{Cc}/\\]/u.test(s.split('.')[0] ?? '')) expect(name).toBeUndefined();
        },
      ),
    );
    for (const none of ['T1w-', 'sub-01_sub-02_T1w', 'sub-_T1w', '-01_T1w', '', 'sub-01_', 'sub-../x_T1w'])
      expect(parseBidsName(none)).toBeUndefined();
  });
});

describe('tables', () => {
  it('are records, whatever ends their lines', () => {
    for (const end of ['\n', '\r\n', '\r'])
      expect(parseTsv(`\ufeffparticipant_id\tage${end}sub-01\t41${end}sub-02${end}${end}`)).toEqual([
        { participant_id: 'sub-01', age: '41' },
        { participant_id: 'sub-02', age: 'n/a' },
      ]);
    expect(parseTsv('')).toEqual([]);
  });
});

describe('a data set', () => {
  const files = [
    'README',
    'sub-02/anat/sub-02_run-2_T1w.nii.gz',
    'sub-02/anat/sub-02_run-1_T1w.nii.gz',
    'sub-02/anat/sub-02_run-1_T1w.json',
    'sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz',
    'sub-01/ses-a/anat/sub-01_ses-a_acq-mprage_T1w.nii',
    'sub-01/ses-a/anat/sub-01_ses-a_T2w.nii.gz',
    'sub-01/ses-a/anat/sub-02_ses-a_T1w.nii.gz',
    'sub-01/ses-a/anat/sub-01_ses-b_run-2_T1w.nii.gz',
    'sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.nii.gz',
    'sub-03/anat/scan of Mrs Smith_T1w.nii.gz',
    'sub-03/anat/sub-03_FLAIR.nii.gz',
    'sub-04/sub-04_sessions.tsv',
    'sub-\u001b[2J/anat/x_T1w.nii',
    'sourcedata/sub-09/anat/sub-09_T1w.nii.gz',
    'derivatives/labels/sub-02/anat/sub-02_desc-x_dseg.nii.gz',
    'derivatives/labels/sub-02/anat/sub-02_run-2_dseg.nii.gz',
    'derivatives/labels/sub-01/ses-a/anat/sub-01_ses-a_acq-mprage_desc-y_dseg.nii.gz',
    'derivatives/other/sub-01/ses-b/anat/sub-01_ses-b_acq-mprage_dseg.nii.gz',
    'derivatives/dataset_description.json',
  ];
  const dataset = readDataset(tree(files, { 'participants.tsv': 'participant_id\tage\nsub-02\t30\n' }));

  it('has subjects with their sessions, images and lines', async () => {
    const { subjects, derivatives, unknown } = await dataset;
    expect(
      subjects.map(({ id, sessions, images }) => [id, sessions, images.map(({ path }) => path)]),
    ).toEqual([
      ['sub-01', ['ses-a', 'ses-b'], [files[6], files[5], files[9], files[4]]],
      ['sub-02', [], [files[2], files[1]]],
      ['sub-03', [], [files[11]]],
      ['sub-04', [], []],
    ]);
    expect(subjects[1]?.participant).toEqual({ participant_id: 'sub-02', age: '30' });
    expect(subjects[0]?.images[2]).toMatchObject({ session: 'ses-a', datatype: 'func', suffix: 'bold' });
    expect(derivatives).toEqual(['labels', 'other']);
    expect([...unknown].sort()).toEqual(['sub-\u001b[2J', files[8], files[7], files[10]].sort());
  });

  it('gives one scan a subject and says how many it leaves', async () => {
    const scans = firstScans(await dataset, 'T1w');
    expect(scans.chosen.map(({ image }) => image.path)).toEqual([files[5], files[2]]);
    expect(sayLeft(scans)).toMatch(
      /2 further scans of 2 subjects left out; 4 files or folders left out by names/,
    );
    expect(sayLeft({ left: [], unknown: [] })).toBeUndefined();
  });

  it('finds the derivative of a scan, never that of another run, acquisition or session', async () => {
    const data = await dataset;
    const of = async (path: string | undefined): Promise<string | undefined> => {
      const image = data.subjects.flatMap(({ images }) => images).find((i) => i.path === path);
      return image === undefined ? 'no such image' : derivativeOf(data, image, 'dseg');
    };
    expect(await of(files[2])).toBe(files[15]);
    expect(await of(files[1])).toBe(files[16]);
    expect(await of(files[5])).toBe(files[17]);
    expect(await of(files[4])).toBeUndefined();
  });
});
