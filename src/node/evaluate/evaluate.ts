/**
 * An evaluation from a BIDS folder to report.html, results.json, results.tsv and a map of regions for each method.
 *
 * @example
 * const { files } = await evaluate(options, { signal, extractBrain, makeHead, makeNetworks, progress });
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BRAIN_MODEL } from '../../brain/extract.js';
import type { DeidentifyServices } from '../../deidentify/pipeline.js';
import { parseSeed } from '../../deidentify/seed.js';
import { VERSION } from '../../deidentify/version.js';
import { Failure, isRefusal, Refusal } from '../../errors/errors.js';
import { reportPage, type ShownHead } from '../../evaluate/report-page.js';
import { regionMapFiles } from '../../evaluate/report-region-map.js';
import { resultsTsv } from '../../evaluate/report-tsv.js';
import { type Absent, type Evaluation, evaluationJson } from '../../evaluate/results.js';
import type { Method } from '../../methods/registry.js';
import type { ModelDescription } from '../../networks/catalogue.js';
import { readModel } from '../../networks/node-models.js';
import type { NetworkRunner } from '../../networks/runner.js';
import { Random } from '../../volume/random.js';
import { nodeDeflate } from '../deflate.js';
import { codeOf } from '../error-code.js';
import { findInstruments, type Instruments } from './instruments.js';
import type { EvaluateOptions, SectionName } from './plan.js';
import { renderingPath } from './products.js';
import { forget, type Gathered, gather } from './run.js';
import { sectionsOf } from './sections.js';
import { ShapeScores } from './shape-scores.js';
import { FeatureStore } from './store.js';
import { ORIGINAL } from './variants.js';

export interface EvaluateEnvironment extends Pick<DeidentifyServices, 'extractBrain' | 'makeHead'> {
  readonly signal: AbortSignal;
  /** @param threads what each job may use */
  makeNetworks(threads: number): NetworkRunner & { readonly peakMemoryMb?: number };
  progress(done: number, total: number, what: string): void;
  /** Starts the lanes 1 to `count` - 1 of the same evaluation in further processes. */
  startLanes?(count: number): { readonly finished: Promise<void>; stop(): void };
  /** For tests; otherwise those that there are. */
  readonly instruments?: Instruments;
}

export interface Written {
  readonly files: readonly string[];
  readonly patients: number;
  readonly absent: readonly Absent[];
}

/** Cores of the machines that this is made for; each job's networks take an equal share. */
const THREADS = 2;

/**
 * @throws {Refusal} dataset-invalid, option-invalid, output-unwritable, and what was asked for by name and is not there
 */
export async function evaluate(options: EvaluateOptions, environment: EvaluateEnvironment): Promise<Written> {
  const instruments = environment.instruments ?? (await findInstruments(options));
  try {
    requireInstruments(options, instruments);
    const services = {
      ...environment,
      instruments,
      makeNetworks: () => environment.makeNetworks(Math.max(1, Math.floor(THREADS / options.jobs))),
      modelsKey: (method: Method) => modelsKey(method, options.models),
      brainKey: await brainKey(options.models),
    };
    const { lane, jobs } = options;
    const work = (part: EvaluateOptions, share = 1): Promise<Gathered> =>
      gather(part, services, (done, total, patient, variant) =>
        environment.progress(share * done, share * total, `${patient} ${variant}`),
      );
    if (lane !== undefined) {
      const { patients } = await work({ ...options, jobs: 1 });
      return { files: [], patients: patients.length, absent: [] };
    }
    let rest = options;
    if (environment.startLanes !== undefined && jobs > 1) {
      if (options.force) await forget(options.out);
      const lanes = environment.startLanes(jobs);
      try {
        await work({ ...options, force: false, jobs: 1, lane: { index: 0, count: jobs } }, jobs);
        await lanes.finished;
      } finally {
        lanes.stop();
      }
      rest = { ...options, force: false, jobs: 1 };
    }
    return await write(options, await work(rest), instruments);
  } finally {
    await instruments.close?.();
  }
}

async function modelsKey(method: Method, folder: string | undefined): Promise<string> {
  const models = await installed(method.models, folder);
  return models.map(({ name, sha256 }) => `${name} ${sha256}`).join(' ');
}

async function brainKey(folder: string | undefined): Promise<string> {
  return (await installed([BRAIN_MODEL], folder)).map(({ sha256 }) => sha256).join('');
}

/** Descriptions of the models that are there: a resolution that is not asked for may lack its own. */
async function installed(names: readonly string[], folder: string | undefined): Promise<ModelDescription[]> {
  const found: ModelDescription[] = [];
  for (const name of names)
    try {
      found.push(await readModel(name, folder));
    } catch (error) {
      if (!isRefusal(error, 'model-unavailable')) throw error;
    }
  return found;
}

/** A section asked for by name must be measurable. @throws {Refusal} model-unavailable, option-invalid */
function requireInstruments(options: EvaluateOptions, instruments: Instruments): void {
  const needs: Partial<Record<SectionName, { ready: boolean; reason?: string }>> = {
    utility: instruments.segment,
    reference: instruments.segment,
    'brain-age': instruments.age,
  };
  for (const section of options.sections ?? []) {
    const need = needs[section];
    if (need !== undefined && !need.ready)
      throw new Refusal(
        'model-unavailable',
        `expected what the section "${section}" needs, found none: ${need.reason}`,
      );
  }
  if (options.sections?.includes('averaging') === true && options.seedsPerHead < 2)
    throw new Refusal(
      'option-invalid',
      'expected --seeds-per-head of 2 or more for the section "averaging", found 1',
    );
  if (options.sections?.includes('mask-errors') === true && options.maskErrorHeads === 0)
    throw new Refusal(
      'option-invalid',
      'expected --mask-error-heads for the section "mask-errors", found none',
    );
  if (options.sections?.includes('memorisation') === true && options.trainHeads === 0)
    throw new Refusal('option-invalid', 'expected --train-heads for the section "memorisation", found none');
}

async function write(
  options: EvaluateOptions,
  gathered: Gathered,
  instruments: Instruments,
): Promise<Written> {
  // Not the seed of the faces: intervals must be the same whatever was drawn.
  const random = new Random(parseSeed('intervals of the evaluation'));
  const sections = sectionsOf({
    gathered,
    options,
    instruments,
    random,
    scores: new ShapeScores(FeatureStore.open(options.out)),
  });
  const absentBlocks = sections.flatMap(({ blocks }) =>
    blocks.filter((b): b is Absent => b.kind === 'absent'),
  );
  const evaluation: Evaluation = {
    format: 'prosopon evaluation 1',
    version: VERSION,
    command: options.command,
    models: await modelsUsed(options, instruments),
    cohort: {
      n: gathered.patients.length,
      splits: [...new Set(gathered.patients.map(({ split }) => split).filter((s) => s !== ''))].sort(),
      refused: [...gathered.refused].map(([reason, count]) => ({ reason, count })),
    },
    options: {
      methods: options.methods.map(({ name }) => name).join(', '),
      resolution: options.resolution,
      'face recognition': instruments.faces.ready ? instruments.faces.key : 'not installed',
      'segmenter of the user': options.segmenter !== undefined,
    },
    sections,
  };
  const html = reportPage(evaluation, await shownHeads(options, gathered), nodeDeflate);
  const files = {
    'results.json': evaluationJson(evaluation),
    'results.tsv': resultsTsv(evaluation),
    ...Object.fromEntries(regionMapFiles(sections, nodeDeflate)),
    'report.html': html,
    ...(options.renderings ? { 'renderings/README': RENDERINGS_README } : {}),
  };
  const paths: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    const path = join(options.out, ...name.split('/'));
    try {
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(`${path}.part`, content);
      await rename(`${path}.part`, path);
    } catch (cause) {
      throw new Failure('write-failed', `the report could not be written (${codeOf(cause)})`, { cause });
    }
    paths.push(path);
  }
  return { files: paths, patients: gathered.patients.length, absent: absentBlocks };
}

const RENDERINGS_README = `These pictures show REAL PEOPLE: original/ their own faces. For the people who answer a human study
(prosopon study build), under whatever terms the scans have.
`;

async function modelsUsed(options: EvaluateOptions, instruments: Instruments): Promise<Evaluation['models']> {
  const names = new Set([BRAIN_MODEL, ...options.methods.flatMap((method) => method.models)]);
  const ofMethods = await installed([...names], options.models);
  const ofInstruments = [instruments.segment, instruments.age, ...instruments.sqn.values()].flatMap((i) =>
    i.ready ? i.models : [],
  );
  const seen = new Map<string, Evaluation['models'][number]>();
  for (const { name, version, sha256 } of [...ofMethods, ...ofInstruments])
    seen.set(sha256, { name, version, sha256 });
  return [...seen.values()];
}

/** Pictures of the heads that the user named, from what this run or an earlier one rendered. */
async function shownHeads(options: EvaluateOptions, gathered: Gathered): Promise<ShownHead[]> {
  const folder = options.renderings ? 'renderings' : 'private/shown';
  const shown: ShownHead[] = [];
  for (const id of options.showHeads) {
    if (!gathered.patients.some((patient) => patient.id === id))
      throw new Refusal(
        'option-invalid',
        'expected --show-heads to name patients of the cohort, found another',
      );
    const pictures: ShownHead['pictures'][number][] = [];
    for (const variant of [ORIGINAL.name, ...options.methods.map(({ name }) => name)]) {
      const png = await readFile(renderingPath(options.out, folder, variant, id)).catch((error: unknown) => {
        // A method that refused this head has no picture of it.
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (png !== undefined) pictures.push({ name: variant, png });
    }
    shown.push({ title: id, pictures });
  }
  return shown;
}
