/** What of a data set's free text may come through: nothing that was not on a list. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataset } from './dataset.js';
import { derivativeKeys, rootFiles } from './describe.js';
import { listedTree } from './file-tree.js';
import { inheritedSidecar } from './inheritance.js';
import { participantsTable, scansTable } from './people.js';
import { personalIn, personalLabel } from './personal.js';
import { safeSidecar, sayable } from './sidecar.js';
import { parseTsv } from './tsv.js';

const WITNESS = 'Qzwitness';

describe('sidecars', () => {
  it('keep how a scan was made and nothing else, each value of its kind', () => {
    const { kept, left } = safeSidecar({
      RepetitionTime: 2.3,
      EchoTime: [0.002, 0.004],
      FlipAngle: '9',
      Manufacturer: 'SIEMENS Healthineers for Dr. Smith',
      ManufacturersModelName: 'Prisma_fit',
      ScanningSequence: ['GR', 'IR', WITNESS],
      ScanOptions: 'FS_Smith',
      ImageType: ['ORIGINAL', 'PRIMARY', 'M', WITNESS],
      MagneticFieldStrength: 19_610_302,
      MTState: true,
      PhaseEncodingDirection: 'j-',
      SeriesDescription: 'x',
      AcquisitionTime: '10:11:12.5',
      [WITNESS]: 1,
    });
    expect(kept).toEqual({
      RepetitionTime: 2.3,
      EchoTime: [0.002, 0.004],
      Manufacturer: 'Siemens',
      ManufacturersModelName: 'Prisma_fit',
      ScanningSequence: ['GR', 'IR'],
      ScanOptions: 'FS',
      ImageType: ['ORIGINAL', 'PRIMARY', 'M'],
      MTState: true,
      PhaseEncodingDirection: 'j-',
    });
    expect(sayable(left)).toEqual([
      'FlipAngle',
      'MagneticFieldStrength',
      'SeriesDescription',
      'AcquisitionTime',
    ]);
  });

  it('let no text through that is on no list, under any key', () => {
    const keys = [
      'Manufacturer',
      'ScanOptions',
      'ImageType',
      'PulseSequenceType',
      'BodyPartExamined',
      'RepetitionTime',
      'SliceTiming',
      'Units',
      'Anything',
    ];
    const value = fc.oneof(
      fc.string().map((s) => `${s}${WITNESS}`),
      fc.array(fc.string().map((s) => `${WITNESS}${s}`)),
      fc.constant({ a: WITNESS }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value), (sidecar) => {
        expect(JSON.stringify(safeSidecar(sidecar).kept)).not.toContain(WITNESS);
      }),
    );
  });

  it('keep a key on request unless its value looks personal', () => {
    const asked = ['ProtocolName', 'SeriesDescription', 'SequenceName', 'PatientBirthDate'];
    const { kept } = safeSidecar(
      {
        ProtocolName: 't1_mprage',
        SeriesDescription: 'MPRAGE Smith',
        SequenceName: 'tfl 2021-03-04',
        PatientBirthDate: 19_610_302,
      },
      asked,
    );
    expect(kept).toEqual({ ProtocolName: 't1_mprage' });
  });

  it('are inherited from above, the nearer one first, and never from another image', async () => {
    const file = (path: string, content: unknown) => ({
      path: `ds/${path}`,
      bytes: async () =>
        new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content)),
    });
    const tree = listedTree([
      file('T1w.json', { RepetitionTime: 1, EchoTime: 0.1, FlipAngle: 5 }),
      file('acq-x_T1w.json', { FlipAngle: 99 }),
      file('T2w.json', { MTState: true }),
      file('sub-1/sub-1_T1w.json', { EchoTime: 0.2 }),
      file('sub-1/ses-a/anat/sub-1_ses-a_T1w.json', { RepetitionTime: 3 }),
      file('sub-1/ses-a/anat/sub-1_ses-a_run-1_T1w.json', 'no json'),
      file('sub-1/ses-a/anat/sub-1_ses-a_run-1_T1w.nii.gz', ''),
      file('sub-1/ses-a/anat/sub-1_ses-a_run-2_T1w.json', { RepetitionTime: 7 }),
    ]);
    const { subjects } = await readDataset(tree);
    const image = subjects[0]?.images[0];
    if (image === undefined) throw new Error('no image');
    expect(await inheritedSidecar(tree, image)).toEqual({
      values: { RepetitionTime: 3, EchoTime: 0.2, FlipAngle: 5 },
      unreadable: 1,
    });
  });
});

describe('tables of people', () => {
  const rows = parseTsv(
    `participant_id\tage\tsex\thandedness\tname\tgroup\nsub-1\t93.4\tfemale\tR\t${WITNESS}\tcontrol\nsub-2\t41.257\tM\t${WITNESS}\t${WITNESS}\t1961-03-02\nsub-3\t${WITNESS}\t${WITNESS}\tL\tx\tpatient`,
  );

  it('hold ages up to 89, sexes and hands, of those who have results', () => {
    const { tsv, json, left } = participantsTable(rows, ['sub-1', 'sub-2', 'sub-3', 'sub-4'], []);
    expect(tsv).toBe(
      'participant_id\tage\tsex\thandedness\nsub-1\t89\tF\tR\nsub-2\t41.26\tM\tn/a\nsub-3\tn/a\tn/a\tL\nsub-4\tn/a\tn/a\tn/a\n',
    );
    expect(left).toBe(2);
    expect(JSON.parse(json).age.Description).toContain('89');
    expect(tsv + json).not.toContain(WITNESS);
  });

  it('keep a column on request, without cells that look personal', () => {
    const { tsv } = participantsTable(rows, ['sub-1', 'sub-2'], ['group', 'nowhere']);
    expect(parseTsv(tsv).map(({ group }) => group)).toEqual(['control', 'n/a']);
  });

  it('shift times by whole days, so that intervals stay', () => {
    const scans = parseTsv(
      `filename\tacq_time\toperator\nanat/a.nii.gz\t2021-03-04T10:11:12.5\t${WITNESS}\nanat/b.nii.gz\t2021-03-05T10:11:00\tx\nanat/c.nii.gz\t${WITNESS}\tx\nanat/gone.nii.gz\t2021-03-05T10:11:00\tx`,
    );
    const outputs = new Map(['a', 'b', 'c'].map((n) => [`anat/${n}.nii.gz`, `anat/${n}.nii.gz`]));
    const table = scansTable(scans, outputs, 45_000);
    expect(table).toBe(
      'filename\tacq_time\nanat/a.nii.gz\t1897-12-19T10:11:00\nanat/b.nii.gz\t1897-12-20T10:11:00\n',
    );
  });
});

describe('the description', () => {
  const made = {
    layout: 'derivative',
    method: 'cp-mae',
    reference: 'R',
    removes: false,
    version: '1',
    today: '2026-01-01',
  } as const;

  it('takes over a licence and a DOI in their forms, and no free text', () => {
    const original = {
      Name: WITNESS,
      Authors: [WITNESS],
      License: 'CC0',
      DatasetDOI: 'doi:10.18112/openneuro.ds000117.v1.0.0',
      Funding: [WITNESS],
      [WITNESS]: WITNESS,
    };
    const files = rootFiles(made, original);
    expect(JSON.stringify(files)).not.toContain(WITNESS);
    const json = JSON.parse(files[0]?.[1] ?? '');
    expect(json).toMatchObject({
      DatasetType: 'derivative',
      License: 'CC0',
      DatasetLinks: { raw: 'doi:10.18112/openneuro.ds000117.v1.0.0' },
      GeneratedBy: [{ Name: 'Prosopon', Version: '1' }],
    });
    expect(
      JSON.stringify(rootFiles(made, { License: WITNESS, DatasetDOI: `10.1/${WITNESS}` })),
    ).not.toContain(WITNESS);
    expect(derivativeKeys('sub-1/anat/x', 'd')).toMatchObject({
      SkullStripped: false,
      Sources: ['bids:raw:sub-1/anat/x'],
    });
  });
});

describe('what looks personal', () => {
  it.each([
    ['1961-03-02', 'a date'],
    ['scan19610302', 'a date'],
    ['02.03.61', 'a date'],
    ['1.2.840.10008.5', 'a UID'],
    ['4711234', 'a long number'],
    ['Doe^Jane', 'a name'],
    ['JohnSmith', 'a name'],
    ['a@b.org', 'an address'],
    ['t1_mprage_sag_p2_iso', undefined],
    ['CC0', undefined],
  ])('%s: %s', (text, what) => expect(personalIn(text)).toBe(what));

  it.each([
    ['Mayer', 'a name'],
    ['Xyzabeth', 'a name'],
    ['01', undefined],
    ['IXI014', undefined],
    ['pilot', undefined],
    ['20210304', 'a date'],
  ])('label %s: %s', (text, what) => expect(personalLabel(text)).toBe(what));
});
