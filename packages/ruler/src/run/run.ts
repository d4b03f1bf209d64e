/**
 * The work of an evaluation: subjects one after the other, every variant of each, with progress and resume. What comes out of
 * here is numbers per subject; `sections.ts` makes tables of them.
 *
 * @example
 * const gathered = await gather(await planEvaluation(options, services), options, services, progress);
 */

import { Failure, isRefusal, type Method, type NetworkRunner, Refusal } from 'prosopon';
import { type PipelineServices, sameGrid, voxelMillilitres } from 'prosopon/imaging';
import type { HeadShape } from '../privacy/geometry.js';
import { MASK_ERRORS } from '../utility/mask-errors.js';
import {
  compareSegmentations,
  type LabelClass,
  type SegmentationAgreement,
} from '../utility/segmentation-agreement.js';
import { type LabelName, readCohort, type Subject, selectSubjects } from './cohort.js';
import type { Instruments } from './instruments.js';
import { keptTreated, renderingOf } from './kept-files.js';
import { type KeptFile, type Measured, measureVariant } from './measure.js';
import { type EvaluateOptions, isWanted, requireEnough } from './plan.js';
import { FeatureStore, keyOf } from './store.js';
import { labelsElsewhere, loadVolume, SubjectContext, type Workplace } from './subject.js';
import { AGAIN, BLURRED, BRAIN_ONLY, ORIGINAL, type PartName, treated, type Variant } from './variants.js';

export interface EvaluateServices extends Required<Pick<PipelineServices, 'extractBrain' | 'makeHead'>> {
  readonly signal: AbortSignal;
  readonly instruments: Instruments;
  /** One inference process. */
  makeNetworks(): NetworkRunner & { readonly peakMemoryMb?: number };
  /** Told to the user, once. */
  warn?(text: string): void;
  /** Hash of a method's weights. */
  modelsKey(method: Method): Promise<string>;
  /** Of brain extraction. */
  readonly brainKey: string;
}

/** Told after each variant of each subject. */
export type Progress = (done: number, total: number, subject: string, variant: string) => void;

/** Columns of results, aligned with `subjects`; undefined where it was not measured on this subject. */
export interface Group {
  readonly subjects: readonly Subject[];
  readonly results: ReadonlyMap<string, readonly (Measured | undefined)[]>;
}

export interface Gathered extends Group {
  readonly variants: readonly Variant[];
  readonly refused: ReadonlyMap<string, number>;
  /** Training heads that were treated too, for the memorisation section. */
  readonly train: Group | undefined;
  /** Faces of training heads: all for memorisation, a few for an average. */
  readonly gallery: readonly HeadShape[];
  /** Our segmentation against reference labels, by subject; null where the segmenter failed. */
  readonly reference: readonly (SegmentationAgreement | null)[] | { readonly missing: string };
}

/** Training faces in the average that closeness is measured against. */
const AVERAGE_OF = 20;

interface Job {
  readonly subject: Subject;
  readonly variants: readonly Variant[];
}

/** What is to be measured, worked out once: whose heads, in which variants. */
export interface Plan {
  readonly chosen: readonly Subject[];
  readonly variants: readonly Variant[];
  readonly labelNames: readonly LabelName[];
  /** Subjects; training heads that are treated too; training heads for their faces alone. */
  readonly lists: Readonly<Record<ListName, readonly Job[]>>;
}
export const LISTS = ['main', 'train', 'gallery'] as const;
export type ListName = (typeof LISTS)[number];

/** Every piece of a plan as a name, `main 3`: what a worker process is told. */
export function piecesOf({ lists }: Plan): string[] {
  return LISTS.flatMap((list) => lists[list].map((_, i) => `${list} ${i}`));
}

/** @throws {Refusal} dataset-invalid */
export async function planEvaluation(options: EvaluateOptions, services: EvaluateServices): Promise<Plan> {
  const cohort = await readCohort(options.dataset);
  const everybody = cohort.subjects;
  if (cohort.left !== undefined) services.warn?.(cohort.left);
  const chosen = selectSubjects(everybody, {
    ...(options.splits === undefined ? {} : { splits: options.splits }),
    ...(options.subjects === undefined ? {} : { subjects: options.subjects }),
  });
  requireEnough(options, chosen.length);
  await requireLabels(options, chosen, cohort.labelNames);

  const modelsKeys = new Map<string, string>();
  for (const method of [...options.methods, ...(options.warnings ?? [])])
    modelsKeys.set(method.name, await services.modelsKey(method));
  const plan = plannedVariants(options, modelsKeys);
  const inTrain = everybody.filter(({ split, id }) => split === 'train' && !chosen.some((p) => p.id === id));
  const remembers = isWanted(options, 'memorisation') && options.trainHeads > 0;
  // An average of 20 faces has settled; who asks about memorisation needs all of them.
  const inGallery = remembers ? inTrain : isWanted(options, 'closeness') ? inTrain.slice(0, AVERAGE_OF) : [];
  const trainJobs = remembers ? inTrain.slice(0, options.trainHeads) : [];
  return {
    chosen,
    variants: plan.all,
    labelNames: cohort.labelNames,
    lists: {
      main: chosen.map((subject, i) => ({ subject, variants: plan.of(i) })),
      train: trainJobs.map((subject) => ({ subject, variants: plan.train })),
      gallery: inGallery.map((subject) => ({ subject, variants: [SHAPE_ONLY] })),
    },
  };
}

/** What came of one piece; `reason` when its head could not be used. */
interface PieceResult {
  readonly results: Map<string, Measured>;
  readonly reason?: string;
  readonly reference?: SegmentationAgreement | null | undefined;
}

/** Measures one piece, or reads what is remembered of it. */
export async function measurePiece(
  plan: Plan,
  piece: string,
  options: EvaluateOptions,
  place: Workplace,
  onVariant: (subject: string, variant: string) => void = () => undefined,
): Promise<PieceResult> {
  const [name = '', index] = piece.split(' ');
  const list = LISTS.find((known) => known === name);
  const job = list === undefined ? undefined : plan.lists[list][Number(index)];
  if (list === undefined || job === undefined)
    throw new Failure('internal', 'a piece that is not in the plan');
  const source = list === 'gallery' ? 'labels' : 'network';
  const { subject, variants } = job;
  const context = new SubjectContext(subject, place, source);
  const results = new Map<string, Measured>();
  try {
    for (const variant of variants) {
      const kept = keptFilesOf(options, context, variant, source);
      results.set(variant.name, await measureVariant(context, variant, kept));
      onVariant(subject.id, variant.name);
    }
    const wanted = list === 'main' && isWanted(options, 'reference');
    return wanted ? { results, reference: await againstReference(context, plan.labelNames) } : { results };
  } catch (error) {
    if (!isRefusal(error) || error.tag === 'option-invalid') throw error;
    return { results: new Map(), reason: error.message };
  }
}

/** Everything that was measured, in this process, one piece after the other: after workers it is there already and is read. */
export async function gather(
  plan: Plan,
  options: EvaluateOptions,
  services: EvaluateServices,
  progress: Progress,
): Promise<Gathered> {
  const store = FeatureStore.open(options.out);
  const networks = services.makeNetworks();
  const { instruments, brainKey, signal } = services;
  const place: Workplace = { store, networks, instruments, services, brainKey, signal };
  const total = LISTS.flatMap((list) => plan.lists[list]).reduce((sum, job) => sum + job.variants.length, 0);
  let done = 0;
  const work = async (list: ListName): Promise<GroupWork> => {
    const found: PieceResult[] = [];
    for (const [i, { variants }] of plan.lists[list].entries()) {
      signal.throwIfAborted();
      const before = done;
      const result = await measurePiece(plan, `${list} ${i}`, options, place, (subject, variant) =>
        progress(++done, total, subject, variant),
      );
      done = before + variants.length;
      found.push(result);
    }
    return {
      results: found.map(({ results }) => results),
      reasons: found.map(({ reason }) => reason),
      reference: found.map(({ reference }) => reference),
    };
  };
  let [main, train, faces]: (GroupWork | undefined)[] = [];
  try {
    main = await work('main');
    train = plan.lists.train.length === 0 ? undefined : await work('train');
    faces = plan.lists.gallery.length === 0 ? undefined : await work('gallery');
  } finally {
    await networks.close();
  }

  const jobs = plan.lists.main;
  const reached = main;
  const kept = jobs.map((_, i) => i).filter((i) => reached.reasons[i] === undefined);
  requireEnough(options, kept.length);
  const refused = new Map<string, number>();
  for (const reason of main.reasons)
    if (reason !== undefined) refused.set(reason, (refused.get(reason) ?? 0) + 1);
  return {
    ...groupOf(jobs, main),
    variants: plan.variants,
    refused,
    train: train === undefined ? undefined : groupOf(plan.lists.train, train),
    gallery: (faces?.results ?? [])
      .map((r) => r.get(SHAPE_ONLY.name)?.shape)
      .filter((s): s is HeadShape => s != null),
    reference: referenceOf(
      options,
      services.instruments,
      plan.chosen,
      kept.map((i) => reached.reference[i]),
    ),
  };
}

interface GroupWork {
  readonly results: Map<string, Measured>[];
  readonly reasons: (string | undefined)[];
  readonly reference: (SegmentationAgreement | null | undefined)[];
}

const SHAPE_ONLY: Variant = { ...ORIGINAL, name: 'gallery', parts: ['shape'] };

function groupOf(jobs: readonly Job[], { results, reasons }: GroupWork): Group {
  const kept = jobs.map((_, i) => i).filter((i) => reasons[i] === undefined);
  const names = new Set(kept.flatMap((i) => [...(results[i]?.keys() ?? [])]));
  return {
    subjects: kept.map((i) => (jobs[i] as Job).subject),
    results: new Map([...names].map((name) => [name, kept.map((i) => results[i]?.get(name))])),
  };
}

interface Planned {
  readonly all: readonly Variant[];
  /** Variants of the i-th subject: the costly sections take the first few. */
  of(i: number): readonly Variant[];
  readonly train: readonly Variant[];
}

function plannedVariants(options: EvaluateOptions, modelsKeys: ReadonlyMap<string, string>): Planned {
  const parts = partsWanted(options);
  const only = (variant: Variant): Variant => ({
    ...variant,
    parts: variant.parts.filter((p) => parts.has(p)),
  });
  const treating = (method: Method) => ({
    resolution: options.resolution,
    seed: options.seed,
    modelsKey: modelsKeys.get(method.name) ?? '',
  });
  const base = [ORIGINAL, AGAIN, BLURRED, BRAIN_ONLY].map(only).filter(({ parts: own }) => own.length > 0);
  const methods = options.methods.map((method) =>
    only(treated(method, { ...treating(method), parts: ['faces', 'sqn', 'shape', 'utility', 'age'] })),
  );
  const warnings = (options.warnings ?? [])
    .map((method) =>
      only(treated(method, { ...treating(method), kind: 'warning', parts: ['faces', 'sqn', 'shape'] })),
    )
    .filter(({ parts: own }) => own.length > 0);
  const remodelling = options.methods.filter(({ kind }) => kind === 'remodel');
  const draws = isWanted(options, 'averaging')
    ? remodelling.flatMap((method) =>
        Array.from({ length: options.seedsPerHead - 1 }, (_, k) =>
          treated(method, { ...treating(method), draw: k + 1, parts: ['shape'] }),
        ),
      )
    : [];
  const errors = isWanted(options, 'mask-errors')
    ? options.methods.flatMap((method) =>
        MASK_ERRORS.flatMap((kind) =>
          options.maskErrorMm.map((mm) =>
            treated(method, {
              ...treating(method),
              maskError: { kind, mm },
              // Surfaces are for the attack, which needs five heads.
              parts: options.maskErrorHeads >= 5 ? ['shape', 'sqn', 'utility'] : ['utility'],
            }),
          ),
        ),
      )
    : [];
  return {
    all: [...base, ...methods, ...warnings, ...draws, ...errors],
    of: (i) => [
      ...base,
      ...methods,
      ...warnings,
      ...(i < options.averagingHeads ? draws : []),
      ...(i < options.maskErrorHeads ? errors : []),
    ],
    train: [
      { ...ORIGINAL, parts: ['shape'] },
      ...options.methods.map((method) => treated(method, { ...treating(method), parts: ['shape'] })),
    ],
  };
}

function partsWanted(options: EvaluateOptions): ReadonlySet<PartName> {
  const parts = new Set<PartName>();
  const add = (on: boolean, ...names: PartName[]): void => {
    if (on) for (const name of names) parts.add(name);
  };
  add(isWanted(options, 'identification'), 'faces', 'sqn', 'shape');
  add(isWanted(options, 'closeness') || isWanted(options, 'averaging'), 'shape');
  add(isWanted(options, 'memorisation'), 'shape');
  add(isWanted(options, 'mask-errors'), 'shape', 'sqn');
  add(isWanted(options, 'utility') || isWanted(options, 'mask-errors'), 'utility');
  add(isWanted(options, 'brain-age'), 'age');
  return parts;
}

function keptFilesOf(
  options: EvaluateOptions,
  context: SubjectContext,
  variant: Variant,
  source: 'network' | 'labels',
): KeptFile[] {
  const out: KeptFile[] = [];
  if (source === 'labels') return out;
  const plain = options.methods.some(({ name }) => name === variant.name);
  if (options.keepTreated !== undefined && plain)
    out.push(keptTreated(options.keepTreated, context.subject, variant));
  const show = options.showHeads.includes(context.subject.id);
  if ((options.renderings || show) && (plain || variant.name === ORIGINAL.name))
    out.push(
      renderingOf(options.out, context.subject, variant, options.renderings ? 'renderings' : 'private/shown'),
    );
  return out;
}

/** Refused early: labels that cannot be compared are found out before hours of work, not after. */
async function requireLabels(
  options: EvaluateOptions,
  subjects: readonly Subject[],
  names: readonly LabelName[],
): Promise<void> {
  const asked = options.sections?.includes('reference') === true;
  const without = subjects.filter(({ labels }) => labels === undefined).length;
  if (asked && (without === subjects.length || names.length === 0))
    throw new Refusal(
      'dataset-invalid',
      `expected reference labels (derivatives/*/sub-ID/anat/*_dseg.nii.gz and a dseg.tsv) for the section "reference", found ${without === subjects.length ? 'no label map' : 'no dseg.tsv'}`,
    );
  if (!isWanted(options, 'reference') || options.checked === true) return;
  for (const { scan, labels } of subjects) {
    if (labels === undefined) continue;
    const [a, b] = [await loadVolume(scan), await loadVolume(labels, true)];
    if (!sameGrid(a.grid, b.grid)) throw labelsElsewhere();
  }
}

function referenceOf(
  options: EvaluateOptions,
  instruments: Instruments,
  subjects: readonly Subject[],
  found: readonly (SegmentationAgreement | null | undefined)[],
): Gathered['reference'] {
  if (!isWanted(options, 'reference')) return { missing: 'not asked for' };
  if (!instruments.segment.ready) return { missing: instruments.segment.reason };
  if (subjects.every(({ labels }) => labels === undefined))
    return { missing: 'the data set has no reference labels' };
  return found.map((head) => head ?? null);
}

/** The segmentation of the original against the reference; undefined without labels or segmenter. */
async function againstReference(
  context: SubjectContext,
  names: readonly LabelName[],
): Promise<SegmentationAgreement | null | undefined> {
  const { subject, place } = context;
  const { segment } = place.instruments;
  if (subject.labels === undefined || !segment.ready || names.length === 0) return undefined;
  const key = keyOf(await context.key(), segment.key, 'reference', names);
  const path = [subject.id, 'original', 'reference'];
  const known = place.store.read<{ value: SegmentationAgreement | null }>(path, key);
  if (known !== undefined) return known.value;
  const segmented = await context.originalLabels();
  let value: SegmentationAgreement | null = null;
  if (!('failed' in segmented)) {
    const { volume } = await context.original();
    const given = await context.referenceLabels(volume);
    const { referenceLabels } = place.instruments;
    const labels = referenceLabels === undefined ? given.data : referenceLabels(given.data);
    // An own tool's labels must be those of the reference; ours are groups of them.
    const classes: LabelClass[] = segmented.classes
      .filter(({ id }) => referenceLabels !== undefined || names.some((name) => name.id === id))
      .map(({ id, name, group }) => ({ id, name, group }));
    value = compareSegmentations(
      { labels, classes },
      { labels: segmented.labels, classes },
      voxelMillilitres(volume.grid),
    );
  }
  place.store.write(path, key, { value });
  return value;
}
