/**
 * A cohort of heads that are nobody on disk, a method that blanks, instruments that measure something, and `evaluate` over them: what
 * tests of evaluations share.
 *
 * @example
 * beforeAll(makeCohort); afterAll(removeCohort);
 * const { code } = await run('out', ['--sections', 'times']);
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../../../../src/cli/program.js';
import { niftiBytes, simpleHead } from '../../../../../src/deidentify/testing/fixtures.js';
import { Refusal } from '../../../../../src/errors/errors.js';
import type { RemovalMethod } from '../../../../../src/methods/method.js';
import { MethodRegistry } from '../../../../../src/methods/registry.js';
import { fakeMethod } from '../../../../../src/methods/testing/fake-method.js';
import type { BatchWorker } from '../../../../../src/node/batch.js';
import { multiply, translation } from '../../../../../src/volume/affine.js';
import { Random } from '../../../../../src/volume/random.js';
import { headGrid, syntheticHead } from '../../../../../src/volume/testing/synthetic-head.js';
import type { Mask, Volume } from '../../../../../src/volume/volume.js';
import type { Evaluation } from '../../report/results.js';
import type { Instruments } from '../../run/instruments.js';
import { missing } from '../../run/instruments.js';
import { createRuler } from '../ruler.js';

export const grid = headGrid({ spacing: [8, 8, 8] });
const SUBJECTS = 5;
export const heads = Array.from({ length: SUBJECTS }, (_, variant) =>
  syntheticHead({ grid, variant: variant + 1, noise: 2 }),
);

let folder = '';
/** Within the folder of this test file. */
export const at = (...names: string[]): string => path.join(folder, ...names);
export async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  const to = path.join(folder, name);
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, bytes);
}

/** Writes the data sets; for `beforeAll`. */
export async function makeCohort(): Promise<void> {
  folder = await mkdtemp(path.join(tmpdir(), 'evaluate-'));
  const rows = ['participant_id\tage\tsplit'];
  for (const [i, { volume, brainMask }] of heads.entries()) {
    const id = `sub-${i + 1}`;
    rows.push(`${id}\t${30 + 5 * i}\ttest`);
    await put(`bids/${id}/anat/${id}_T1w.nii`, niftiBytes({ grid, volumes: [volume.data] }));
    await put(
      `bids/derivatives/atlas/${id}/anat/${id}_dseg.nii`,
      niftiBytes({ grid, volumes: [Float32Array.from(brainMask.data)], datatype: 'uint8' }),
    );
  }
  await put('bids/participants.tsv', `${rows.join('\n')}\n`);
  await put('bids/derivatives/atlas/dseg.tsv', 'index\tname\ttissue\n1\tBrain\tgm\n');
  const moved = { ...grid, affine: multiply(translation(30, 0, 0), grid.affine) };
  await put(
    'moved/sub-1/anat/sub-1_T1w.nii',
    niftiBytes({ grid, volumes: [heads[0]?.volume.data ?? new Float32Array()] }),
  );
  await put(
    'moved/sub-2/anat/sub-2_T1w.nii',
    niftiBytes({ grid, volumes: [heads[1]?.volume.data ?? new Float32Array()] }),
  );
  await put(
    'moved/derivatives/atlas/sub-1/anat/sub-1_dseg.nii',
    niftiBytes({
      grid: moved,
      volumes: [Float32Array.from(heads[0]?.brainMask.data ?? [])],
      datatype: 'uint8',
    }),
  );
  await put('empty/readme', 'nothing');
}

export const removeCohort = (): Promise<void> => rm(folder, { recursive: true, force: true });

/** Replaces all that is not brain by a pattern. */
export const blank: RemovalMethod = {
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
export const brain = (heads[0] as (typeof heads)[0]).brainMask;

export function instruments(names: readonly [string, string] = ['bright', 'dark']): Instruments {
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

/** Says that it has done everything, and has not. */
export const fakeWorker = (told: string[]): BatchWorker => ({
  run: async ({ id }) => {
    told.push(id);
    return { status: 'done', value: null };
  },
  stop: async () => undefined,
});

/** How often a brain was looked for; tests set it back. */
export const brains = { asked: 0 };
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
export async function run(
  out: string,
  args: readonly string[],
  more: {
    signal?: AbortSignal;
    onBrain?: () => void;
    dataset?: string;
    startWorker?: () => BatchWorker;
  } = {},
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
        describe: async () => {
          throw new Error('not asked');
        },
        close: async () => undefined,
      }),
      async extractBrain(volume: Volume): Promise<{ mask: Mask }> {
        brains.asked++;
        more.onBrain?.();
        return { mask: { grid: volume.grid, data: brain.data } };
      },
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      loadRuler: async () => createRuler(instruments()),
      ...(more.startWorker === undefined ? {} : { startWorker: more.startWorker }),
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    },
  );
  return { code, out: stdout, err: stderr };
}

export async function results(out: string): Promise<Evaluation> {
  return JSON.parse(await readFile(path.join(folder, out, 'results.json'), 'utf8')) as Evaluation;
}
/** Times differ between runs, as they should. */
export function withoutTimes(evaluation: Evaluation): unknown {
  return { ...evaluation, sections: evaluation.sections.filter(({ id }) => id !== 'times') };
}
