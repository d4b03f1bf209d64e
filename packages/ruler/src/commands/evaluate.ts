/**
 * An evaluation from a BIDS folder to report.html, results.json, results.tsv and a map of regions for each method.
 *
 * @example
 * const { files } = await evaluate(options, { signal, extractBrain, makeHead, makeNetworks, progress });
 */
import { mkdir, readFile } from 'node:fs/promises';
import {
  isRefusal,
  type Method,
  type ModelDescription,
  type NetworkRunner,
  parseSeed,
  Refusal,
  VERSION,
} from 'prosopon';
import { BRAIN_MODEL, type PipelineServices, Random } from 'prosopon/imaging';
import {
  type BatchOutcome,
  type BatchTask,
  type BatchWorker,
  codeOf,
  lockFolder,
  type ModelFolders,
  nodeDeflate,
  readModel,
  runBatch,
  type SectionName,
  threadsOf,
} from 'prosopon/node';
import { reportPage, type ShownHead } from '../report/report-page.js';
import { regionMapFiles } from '../report/report-region-map.js';
import { resultsTsv } from '../report/report-tsv.js';
import { type Absent, type Evaluation, evaluationJson } from '../report/results.js';
import { findInstruments, type Instruments } from '../run/instruments.js';
import { renderingPath } from '../run/kept-files.js';
import type { EvaluateOptions } from '../run/plan.js';
import {
  type EvaluateServices,
  type Gathered,
  gather,
  measurePiece,
  type Plan,
  piecesOf,
  planEvaluation,
} from '../run/run.js';
import { ShapeScores } from '../run/shape-scores.js';
import { FeatureStore } from '../run/store.js';
import { ORIGINAL } from '../run/variants.js';
import { sectionsOf } from '../sections/sections.js';
import { requireOwnReport, writeReport } from './report-files.js';

export interface EvaluateEnvironment extends Required<Pick<PipelineServices, 'extractBrain' | 'makeHead'>> {
  readonly signal: AbortSignal;
  /** @param threads what each job may use */
  makeNetworks(threads: number): NetworkRunner & { readonly peakMemoryMb?: number };
  /** Told to the user, once. */
  warn?(text: string): void;
  progress(done: number, total: number, what: string): void;
  /** Starts a further process of the same evaluation; absent where there is none to start. */
  startWorker?(): BatchWorker;
  /** For tests; otherwise those that there are. */
  readonly instruments?: Instruments;
}

export interface Written {
  readonly files: readonly string[];
  readonly subjects: number;
  readonly absent: readonly Absent[];
}

/**
 * @throws {Refusal} dataset-invalid, option-invalid, output-unwritable, output-in-use, output-exists, and what was asked for by
 *   name and is not there
 */
export async function evaluate(options: EvaluateOptions, environment: EvaluateEnvironment): Promise<Written> {
  requireOwnReport(options.out, options.command, options.force);
  const instruments = environment.instruments ?? (await findInstruments(options));
  try {
    requireInstruments(options, instruments);
    const services = await servicesOf(options, environment, instruments);
    const plan = await planEvaluation(options, services);
    await mkdir(options.out, { recursive: true }).catch((cause: unknown) => {
      throw new Refusal('output-unwritable', `the output folder cannot be made (${codeOf(cause)})`, {
        cause,
      });
    });
    const lock = lockFolder(options.out);
    try {
      if (options.forget) FeatureStore.remove(options.out);
      FeatureStore.open(options.out);
      await overWorkers(plan, options, environment);
      const gathered = await gather(plan, options, services, (done, total, subject, variant) =>
        environment.progress(done, total, `${subject} ${variant}`),
      );
      return await write(options, gathered, instruments);
    } finally {
      lock.release();
    }
  } finally {
    await instruments.close?.();
  }
}

/** What a worker process does: pieces that it is told, left where `evaluate` finds them. */
export async function evaluatePieces(
  options: EvaluateOptions,
  environment: EvaluateEnvironment,
  serve: (work: (task: BatchTask) => Promise<BatchOutcome>) => Promise<'idle' | 'busy'>,
): Promise<'idle' | 'busy'> {
  const instruments = environment.instruments ?? (await findInstruments(options));
  const services = await servicesOf(options, environment, instruments);
  const plan = await planEvaluation({ ...options, checked: true }, services);
  const networks = services.makeNetworks();
  const { brainKey, signal } = services;
  const store = FeatureStore.open(options.out);
  const place = { store, networks, instruments, services, brainKey, signal };
  try {
    return await serve(async ({ id }) => {
      const { reason } = await measurePiece(plan, id, options, place);
      return reason === undefined
        ? { status: 'done', value: null }
        : { status: 'refused', reason: 'dataset-invalid', message: reason };
    });
  } finally {
    await networks.close();
    await instruments.close?.();
  }
}

async function servicesOf(
  options: EvaluateOptions,
  environment: EvaluateEnvironment,
  instruments: Instruments,
): Promise<EvaluateServices> {
  return {
    ...environment,
    instruments,
    makeNetworks: () => environment.makeNetworks(threadsOf(options.jobs)),
    modelsKey: (method) => modelsKey(method, options.models),
    brainKey: await brainKey(options.models),
  };
}

/** Measures over further processes. What fails there is met again, with words, when this process reads what they left. */
async function overWorkers(
  plan: Plan,
  options: EvaluateOptions,
  { startWorker, signal, progress }: EvaluateEnvironment,
): Promise<void> {
  if (startWorker === undefined || options.jobs < 2) return;
  const pieces = piecesOf(plan);
  let done = 0;
  await runBatch(pieces, {
    workers: options.jobs,
    startWorker,
    signal,
    onOutcome: () => progress(++done, pieces.length, 'heads'),
  });
}

async function modelsKey(method: Method, folders: ModelFolders | undefined): Promise<string> {
  const models = await installed(method.models, folders);
  return models.map(({ name, sha256 }) => `${name} ${sha256}`).join(' ');
}

async function brainKey(folders: ModelFolders | undefined): Promise<string> {
  return (await installed([BRAIN_MODEL], folders)).map(({ sha256 }) => sha256).join('');
}

/** Descriptions of the models that are there: a resolution that is not asked for may lack its own. */
async function installed(
  names: readonly string[],
  folders: ModelFolders | undefined,
): Promise<ModelDescription[]> {
  const found: ModelDescription[] = [];
  for (const name of names)
    try {
      found.push(await readModel(name, folders));
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
      n: gathered.subjects.length,
      splits: [...new Set(gathered.subjects.map(({ split }) => split).filter((s) => s !== ''))].sort(),
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
  const maps = [...regionMapFiles(sections, nodeDeflate)].map(
    ([name, content]) => [name, { content }] as const,
  );
  const paths = await writeReport(options.out, {
    'results.json': { content: evaluationJson(evaluation) },
    'results.tsv': { content: resultsTsv(evaluation) },
    ...Object.fromEntries(maps),
    'report.html': { content: html, identifies: options.showHeads.length > 0 },
    ...(options.renderings ? { 'renderings/README': { content: RENDERINGS_README } } : {}),
  });
  return { files: paths, subjects: gathered.subjects.length, absent: absentBlocks };
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
    if (!gathered.subjects.some((subject) => subject.id === id))
      throw new Refusal(
        'option-invalid',
        'expected --show-heads to name subjects of the cohort, found another',
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
