/**
 * Data sets of results before the living validator of BIDS (`bids-validator-deno` of PyPI): no error in either layout. It sees less
 * than it seems to (docs/bids.md), so the rest of what must hold stands in tests of our own.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFake } from '../src/cli/testing/run-fake.js';
import { niftiBytes } from '../src/deidentify/testing/fixtures.js';
import { headGrid, syntheticHead } from '../src/volume/testing/synthetic-head.js';

const VALIDATOR = 'bids-validator-deno';
const missing = spawnSync(VALIDATOR, ['--version']).error !== undefined;
if (missing) process.stderr.write(`bids-valid.test.ts skipped: ${VALIDATOR} is not installed\n`);

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);

async function put(name: string, content: Uint8Array | string): Promise<void> {
  await mkdir(path.dirname(at(name)), { recursive: true });
  await writeFile(at(name), content);
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'bids-valid-'));
  const scan = niftiBytes({ grid, volumes: [head.volume.data] });
  await put('ds/dataset_description.json', '{"Name":"x","BIDSVersion":"1.9.0"}');
  await put('ds/participants.tsv', 'participant_id\tage\tsex\nsub-01\t91\tM\nsub-02\t30\tF\nsub-03\t30\tF\n');
  await put('ds/task-rest_bold.json', '{"TaskName":"rest","RepetitionTime":2}');
  for (const sub of ['01', '02']) {
    const name = `ds/sub-${sub}/ses-a/anat/sub-${sub}_ses-a`;
    for (const what of ['T1w', 'run-2_T1w', 'acq-x_T2w', 'echo-1_MEGRE', 'echo-2_MEGRE']) {
      await put(`${name}_${what}.nii`, scan);
      const echo = /echo-(\d)/.exec(what)?.[1];
      await put(
        `${name}_${what}.json`,
        JSON.stringify({ EchoTime: 0.003 * Number(echo ?? 1), MagneticFieldStrength: 3 }),
      );
    }
    await put(
      `ds/sub-${sub}/ses-a/sub-${sub}_ses-a_scans.tsv`,
      `filename\tacq_time\nanat/sub-${sub}_ses-a_T1w.nii\t2021-03-04T10:11:12\n`,
    );
  }
  await put('ds/sub-03/ses-a/anat/sub-03_ses-a_T1w.nii', 'junk');
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function treat(output: string, ...args: readonly string[]): Promise<number> {
  const options = ['participant', '--defacemask', '--dates', 'shift', ...args];
  return (await runFake(head.brainMask.data, ['bids', at('ds'), at(output), ...options])).code;
}

interface Issue {
  readonly code: string;
  readonly severity: string;
  readonly location?: string;
}

function issuesOf(folder: string): readonly Issue[] {
  const { stdout } = spawnSync(VALIDATOR, [at(folder), '--format', 'json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return (JSON.parse(stdout) as { issues: { issues: readonly Issue[] } }).issues.issues;
}

/** What docs/bids.md explains. */
const EXPLAINED = new Set([
  'TOO_FEW_AUTHORS',
  'NO_AUTHORS',
  'JSON_KEY_RECOMMENDED',
  'SIDECAR_KEY_RECOMMENDED',
  'NIFTI_UNIT',
  'README_FILE_SMALL',
]);

describe.skipIf(missing)('the BIDS validator', { timeout: 240_000 }, () => {
  it.each(['raw', 'derivative'])(
    'finds no error in a %s data set of results, and no warning that is not explained',
    async (layout) => {
      expect(await treat(layout, '--layout', layout)).toBe(1);
      const issues = issuesOf(layout);
      expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      const others = issues.filter(({ code, severity }) => severity !== 'error' && !EXPLAINED.has(code));
      expect(others.map(({ code, location }) => `${code} ${location ?? ''}`)).toEqual([]);
    },
  );

  it('would find a name that is none of BIDS: the check is awake', async () => {
    await put(
      'raw/sub-01/ses-a/anat/sub-01_ses-a_T1w_defaced.nii',
      niftiBytes({ grid, volumes: [head.volume.data] }),
    );
    expect(issuesOf('raw').some(({ severity }) => severity === 'error')).toBe(true);
  });
});
