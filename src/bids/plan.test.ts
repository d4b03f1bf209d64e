/** What is done with each image: the table of kinds, the order, and the names of results. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BidsSubject, readDataset } from './dataset.js';
import { withEntity } from './entities.js';
import { listedTree } from './file-tree.js';
import { parseFilter, passes } from './filter.js';
import { formatBidsName, parseBidsName } from './names.js';
import { defaceMaskOf, type PlanOptions, planSubject } from './plan.js';
import { ANCHOR_SUFFIXES, copyable, policyOf } from './policy.js';

async function subjectOf(files: readonly string[]): Promise<BidsSubject> {
  const bytes = async () => new Uint8Array();
  const { subjects } = await readDataset(listedTree(files.map((path) => ({ path: `ds/${path}`, bytes }))));
  return subjects[0] as BidsSubject;
}
const options: PlanOptions = { layout: 'raw', removes: false, copy: new Set() };
const a = (name: string): string => `sub-1/ses-a/anat/sub-1_ses-a_${name}.nii.gz`;
const b = (name: string): string => `sub-1/ses-b/anat/sub-1_ses-b_${name}.nii.gz`;

describe('the plan of a subject', () => {
  it('draws the head for the first T1w, without contrast agent where there is one', async () => {
    const plan = planSubject(
      await subjectOf([b('T1w'), a('FLAIR'), a('ce-gad_T1w'), a('run-2_T1w'), a('T2w'), b('PDw')]),
      options,
    );
    expect(plan.treat.map(([{ image }]) => image.path)).toEqual([
      a('run-2_T1w'),
      b('T1w'),
      a('ce-gad_T1w'),
      a('T2w'),
      a('FLAIR'),
      b('PDw'),
    ]);
    expect(plan.left).toEqual([]);
  });

  it('treats echoes and inversions as one, the second inversion first, and leaves phase out by name', async () => {
    const plan = planSubject(
      await subjectOf([
        a('inv-1_part-mag_MP2RAGE'),
        a('inv-2_part-mag_MP2RAGE'),
        a('inv-2_part-phase_MP2RAGE'),
        a('UNIT1'),
        a('echo-1_MEGRE'),
        a('echo-2_MEGRE'),
        b('echo-1_MEGRE'),
      ]),
      options,
    );
    expect(plan.treat.map((group) => group.map(({ image }) => image.path))).toEqual([
      [a('UNIT1')],
      [a('inv-2_part-mag_MP2RAGE'), a('inv-1_part-mag_MP2RAGE')],
      [a('echo-1_MEGRE'), a('echo-2_MEGRE')],
      [b('echo-1_MEGRE')],
    ]);
    expect(plan.left).toEqual([
      { path: a('inv-2_part-phase_MP2RAGE'), why: expect.stringContaining('phase') },
    ]);
  });

  it('leaves out what is not known and what was not asked for, and copies on the word alone', async () => {
    const files = [
      'sub-1/func/sub-1_task-rest_bold.nii.gz',
      'sub-1/dwi/sub-1_dwi.nii.gz',
      'sub-1/pet/sub-1_pet.nii.gz',
      'sub-1/ct/sub-1_ct.nii.gz',
      'sub-1/anat/sub-1_T1map.nii.gz',
      'sub-1/anat/sub-1_angio.nii.gz',
      'sub-1/anat/sub-1_somethingnew.nii.gz',
    ];
    const subject = await subjectOf(files);
    const without = planSubject(subject, options);
    expect(without.treat).toEqual([]);
    expect(without.copy).toEqual([]);
    expect(without.left.map(({ path }) => path).sort()).toEqual([...files].sort());
    const asked = planSubject(subject, { ...options, copy: new Set(['bold', 'pet', 'T1map', 'ct']) });
    // The word goes for what shows little of a face: PET and maps do, and stay out whatever is asked.
    expect(asked.copy.map(({ output }) => output)).toEqual([files[0]]);
  });

  it('names results of a derivative by what was done, in the order of BIDS', async () => {
    const subject = await subjectOf([a('echo-1_MEGRE'), 'sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.nii']);
    const derivative = planSubject(subject, { ...options, layout: 'derivative', copy: new Set(['func']) });
    expect(derivative.treat[0]?.[0].output).toBe(
      'sub-1/ses-a/anat/sub-1_ses-a_echo-1_desc-remodelled_MEGRE.nii.gz',
    );
    expect(derivative.copy[0]?.output).toBe(
      'sub-1/ses-a/func/sub-1_ses-a_task-rest_desc-headercleaned_bold.nii',
    );
    const removed = planSubject(subject, { ...options, layout: 'derivative', removes: true });
    expect(removed.treat[0]?.[0].output).toContain('desc-defaced_MEGRE');
    const [lead] = derivative.treat[0] ?? [];
    if (lead === undefined) throw new Error('no image');
    expect(defaceMaskOf(lead, 'raw', false)).toBe('sub-1/ses-a/anat/sub-1_ses-a_mod-MEGRE_defacemask.nii.gz');
    expect(defaceMaskOf(lead, 'derivative', false)).toContain('mod-MEGRE_desc-remodelled_defacemask.nii.gz');
  });

  it('takes no image twice and forgets none, whatever the names are', async () => {
    const suffix = fc.constantFrom('T1w', 'T2w', 'MEGRE', 'MP2RAGE', 'bold', 'T1map', 'x');
    const file = fc.tuple(
      fc.constantFrom('anat', 'func', 'fmap'),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      suffix,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { maxLength: 20, selector: (f) => f.join(' ') }),
        async (files) => {
          const paths = files.map(
            ([type, run, echo, s]) => `sub-1/${type}/sub-1_run-${run}_echo-${echo}_${s}.nii.gz`,
          );
          if (paths.length === 0) return;
          const plan = planSubject(await subjectOf(paths), { ...options, copy: new Set(['func']) });
          const all = [
            ...plan.treat.flat().map(({ image }) => image.path),
            ...plan.copy.map(({ image }) => image.path),
            ...plan.left.map(({ path }) => path),
          ];
          expect(all.sort()).toEqual([...paths].sort());
        },
      ),
    );
  });
});

describe('the table of kinds', () => {
  it('offers nothing to copy that is treated or shows a face', () => {
    for (const what of copyable())
      expect([...ANCHOR_SUFFIXES, 'anat', 'pet', 'T1map', 'angio']).not.toContain(what);
    expect(policyOf('anat', 'T1w').action).toBe('treat');
    expect(policyOf('perf', 'asl').action).toBe('ask');
    for (const [type, suffix] of [
      ['anat', 'new'],
      ['new', 'T1w'],
      ['micr', 'TEM'],
      ['eeg', 'eeg'],
    ] as const)
      expect(policyOf(type, suffix).action).toBe('leave out');
  });
});

describe('an entity put into a name', () => {
  it('stands where BIDS has it, and reads back', () => {
    const name = parseBidsName('sub-1_ses-2_acq-x_run-1_part-mag_T1w.nii.gz');
    if (name === undefined) throw new Error('no name');
    expect(formatBidsName(withEntity(name, 'mod', 'T1w'))).toBe(
      'sub-1_ses-2_acq-x_run-1_mod-T1w_part-mag_T1w.nii.gz',
    );
    expect(formatBidsName(withEntity(name, 'acq', 'y'))).toBe('sub-1_ses-2_acq-y_run-1_part-mag_T1w.nii.gz');
  });
});

describe('filter files', () => {
  const image = async (path: string) => (await subjectOf([path])).images[0] as BidsSubject['images'][number];

  it('are about the kinds of images that their queries name, and no others', async () => {
    const filter = parseFilter({ t1w: { session: 'a', acquisition: null }, flair: { run: [1, 2] } });
    expect(passes(filter, await image(a('T1w')))).toBe(true);
    expect(passes(filter, await image(b('T1w')))).toBe(false);
    expect(passes(filter, await image(a('acq-x_T1w')))).toBe(false);
    expect(passes(filter, await image(a('run-01_FLAIR')))).toBe(true);
    expect(passes(filter, await image(a('run-3_FLAIR')))).toBe(false);
    expect(passes(filter, await image(b('T2w')))).toBe(true);
  });

  it('with words that are not known are refused, not passed over', () => {
    expect(() => parseFilter({ t1w: { sesion: 'a' } })).toThrow(/not known/);
    expect(() => parseFilter([])).toThrow(/expected a filter file/);
    expect(() => parseFilter({ t1w: 'a' })).toThrow(/expected a filter file/);
  });
});
