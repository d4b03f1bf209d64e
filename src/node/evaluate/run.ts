/**
 * The work of an evaluation: patients one after the other (or `jobs` at a time), every variant of each, with progress
 * and resume. What comes out of here is numbers per patient; `sections.ts` makes tables of them.
 *
 * @example
 * const gathered = await gather(options, services, progress);
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeidentifyServices } from '../../deidentify/pipeline.js';
import { isRefusal, Refusal } from '../../errors/errors.js';
import type { HeadShape } from '../../evaluate/geometry.js';
import { MASK_ERRORS } from '../../evaluate/mask-errors.js';
import { compareSegmentations, type HeadUtility, type LabelClass } from '../../evaluate/utility.js';
import type { Method } from '../../methods/registry.js';
import type { NetworkRunner } from '../../networks/runner.js';
import { sameGrid, voxelMillilitres } from '../../volume/volume.js';
import { type LabelName, type Patient, readCohort, readLabelNames, selectPatients } from './cohort.js';
import type { Instruments } from './instruments.js';
import { type Measured, measureVariant, type Product } from './measure.js';
import { labelsElsewhere, loadVolume, PatientContext, type Workplace } from './patient.js';
import { type EvaluateOptions, isWanted, requireEnough } from './plan.js';
import { keptTreated, renderingOf } from './products.js';
import { FeatureStore, keyOf } from './store.js';
import { AGAIN, BLURRED, BRAIN_ONLY, ORIGINAL, type PartName, treated, type Variant } from './variants.js';

export interface EvaluateServices extends Required<Pick<DeidentifyServices, 'extractBrain' | 'makeHead'>> {
  readonly signal: AbortSignal;
  readonly instruments: Instruments;
  /** One inference process per job. */
  makeNetworks(): NetworkRunner & { readonly peakMemoryMb?: number };
  /** Hash of a method's weights. */
  modelsKey(method: Method): Promise<string>;
  /** Of brain extraction. */
  readonly brainKey: string;
}

/** Told after each variant of each patient. */
export type Progress = (done: number, total: number, patient: string, variant: string) => void;

/** Columns of results, aligned with `patients`; undefined where it was not measured on this patient. */
export interface Group {
  readonly patients: readonly Patient[];
  readonly results: ReadonlyMap<string, readonly (Measured | undefined)[]>;
}

export interface Gathered extends Group {
  readonly variants: readonly Variant[];
  readonly refused: ReadonlyMap<string, number>;
  /** Training heads that were treated too, for the memorisation section. */
  readonly train: Group | undefined;
  /** Faces of training heads: all for memorisation, a few for an average. */
  readonly gallery: readonly HeadShape[];
  /** Our segmentation against reference labels, by patient; null where the segmenter failed. */
  readonly reference: readonly (HeadUtility | null)[] | { readonly missing: string };
}

/** Training faces in the average that closeness is measured against. */
const AVERAGE_OF = 20;

interface Job {
  readonly patient: Patient;
  readonly variants: readonly Variant[];
}

export async function gather(
  options: EvaluateOptions,
  services: EvaluateServices,
  progress: Progress,
): Promise<Gathered> {
  const everybody = readCohort(options.dataset);
  const chosen = selectPatients(everybody, {
    ...(options.splits === undefined ? {} : { splits: options.splits }),
    ...(options.subjects === undefined ? {} : { subjects: options.subjects }),
  });
  requireEnough(options, chosen.length);
  const labelNames = readLabelNames(options.dataset);
  await requireLabels(options, chosen, labelNames);
  if (options.force) await forget(options.out);
  const store = FeatureStore.open(options.out);

  const modelsKeys = new Map<string, string>();
  for (const method of [...options.methods, ...(options.warnings ?? [])])
    modelsKeys.set(method.name, await services.modelsKey(method));
  const plan = plannedVariants(options, modelsKeys);
  const inTrain = everybody.filter(({ split, id }) => split === 'train' && !chosen.some((p) => p.id === id));
  const remembers = isWanted(options, 'memorisation') && options.trainHeads > 0;
  // An average of 20 faces has settled; who asks about memorisation needs all of them.
  const inGallery = remembers ? inTrain : isWanted(options, 'closeness') ? inTrain.slice(0, AVERAGE_OF) : [];
  const trainJobs = remembers ? inTrain.slice(0, options.trainHeads) : [];
  const jobs: Job[] = chosen.map((patient, i) => ({ patient, variants: plan.of(i) }));
  const treatedTrain: Job[] = trainJobs.map((patient) => ({ patient, variants: plan.train }));
  const gallery: Job[] = inGallery.map((patient) => ({ patient, variants: [SHAPE_ONLY] }));

  const { lane } = options;
  const mine = (i: number): boolean => lane === undefined || i % lane.count === lane.index;
  const total = [jobs, treatedTrain, gallery]
    .flatMap((list) => list.filter((_, i) => mine(i)))
    .reduce((sum, job) => sum + job.variants.length, 0);
  let done = 0;
  const work = async (list: readonly Job[], source: 'network' | 'labels'): Promise<GroupWork> => {
    const found: GroupWork = {
      results: list.map(() => new Map()),
      reasons: list.map(() => undefined),
      reference: list.map(() => undefined),
    };
    await pool(list.length, options.jobs, services, store, async (i, place) => {
      if (!mine(i)) return;
      const { patient, variants } = list[i] as Job;
      const context = new PatientContext(patient, place, source);
      try {
        for (const variant of variants) {
          const measured = await measureVariant(
            context,
            variant,
            productsOf(options, context, variant, source),
          );
          found.results[i]?.set(variant.name, measured);
          progress(++done, total, patient.id, variant.name);
        }
        if (source === 'network' && list === jobs && isWanted(options, 'reference'))
          found.reference[i] = await againstReference(context, labelNames);
      } catch (error) {
        if (!isRefusal(error) || error.tag === 'option-invalid') throw error;
        found.reasons[i] = error.message;
        done += variants.length - (found.results[i]?.size ?? 0);
        found.results[i]?.clear();
      }
    });
    return found;
  };
  const main = await work(jobs, 'network');
  const train = trainJobs.length === 0 ? undefined : await work(treatedTrain, 'network');
  const faces = gallery.length === 0 ? undefined : await work(gallery, 'labels');

  const kept = jobs.map((_, i) => i).filter((i) => main.reasons[i] === undefined);
  if (lane === undefined) requireEnough(options, kept.length);
  const refused = new Map<string, number>();
  for (const reason of main.reasons)
    if (reason !== undefined) refused.set(reason, (refused.get(reason) ?? 0) + 1);
  return {
    ...groupOf(jobs, main),
    variants: plan.all,
    refused,
    train: train === undefined ? undefined : groupOf(treatedTrain, train),
    gallery: (faces?.results ?? [])
      .map((r) => r.get(SHAPE_ONLY.name)?.shape)
      .filter((s): s is HeadShape => s != null),
    reference: referenceOf(
      options,
      services.instruments,
      chosen,
      kept.map((i) => main.reference[i]),
    ),
  };
}

/** Removes what earlier runs left to go on with. */
export async function forget(out: string): Promise<void> {
  await rm(join(out, 'private'), { recursive: true, force: true });
}

interface GroupWork {
  readonly results: Map<string, Measured>[];
  readonly reasons: (string | undefined)[];
  readonly reference: (HeadUtility | null | undefined)[];
}

const SHAPE_ONLY: Variant = { ...ORIGINAL, name: 'gallery', parts: ['shape'] };

function groupOf(jobs: readonly Job[], { results, reasons }: GroupWork): Group {
  const kept = jobs.map((_, i) => i).filter((i) => reasons[i] === undefined);
  const names = new Set(kept.flatMap((i) => [...(results[i]?.keys() ?? [])]));
  return {
    patients: kept.map((i) => (jobs[i] as Job).patient),
    results: new Map([...names].map((name) => [name, kept.map((i) => results[i]?.get(name))])),
  };
}

/** `jobs` patients at a time, each lane with an inference process of its own: while one waits for a network, another computes. */
async function pool(
  count: number,
  lanes: number,
  services: EvaluateServices,
  store: FeatureStore,
  task: (i: number, place: Workplace) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    const networks = services.makeNetworks();
    const { instruments, brainKey, signal } = services;
    const place: Workplace = { store, networks, instruments, services, brainKey, signal };
    try {
      while (next < count) {
        signal.throwIfAborted();
        await task(next++, place);
      }
    } finally {
      await networks.close();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(lanes, count)) }, lane));
}

interface Planned {
  readonly all: readonly Variant[];
  /** Variants of the i-th patient: the costly sections take the first few. */
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

function productsOf(
  options: EvaluateOptions,
  context: PatientContext,
  variant: Variant,
  source: 'network' | 'labels',
): Product[] {
  const out: Product[] = [];
  if (source === 'labels') return out;
  const plain = options.methods.some(({ name }) => name === variant.name);
  if (options.keepTreated !== undefined && plain)
    out.push(keptTreated(options.keepTreated, context.patient, variant));
  const show = options.showHeads.includes(context.patient.id);
  if ((options.renderings || show) && (plain || variant.name === ORIGINAL.name))
    out.push(
      renderingOf(options.out, context.patient, variant, options.renderings ? 'renderings' : 'private/shown'),
    );
  return out;
}

/** Refused early: labels that cannot be compared are found out before hours of work, not after. */
async function requireLabels(
  options: EvaluateOptions,
  patients: readonly Patient[],
  names: readonly LabelName[],
): Promise<void> {
  const asked = options.sections?.includes('reference') === true;
  const without = patients.filter(({ labels }) => labels === undefined).length;
  if (asked && (without === patients.length || names.length === 0))
    throw new Refusal(
      'dataset-invalid',
      `expected reference labels (derivatives/*/sub-ID/anat/*_dseg.nii.gz and a dseg.tsv) for the section "reference", found ${without === patients.length ? 'no label map' : 'no dseg.tsv'}`,
    );
  if (!isWanted(options, 'reference')) return;
  for (const { scan, labels } of patients) {
    if (labels === undefined) continue;
    const [a, b] = [await loadVolume(scan), await loadVolume(labels, true)];
    if (!sameGrid(a.grid, b.grid)) throw labelsElsewhere();
  }
}

function referenceOf(
  options: EvaluateOptions,
  instruments: Instruments,
  patients: readonly Patient[],
  found: readonly (HeadUtility | null | undefined)[],
): Gathered['reference'] {
  if (!isWanted(options, 'reference')) return { missing: 'not asked for' };
  if (!instruments.segment.ready) return { missing: instruments.segment.reason };
  if (patients.every(({ labels }) => labels === undefined))
    return { missing: 'the data set has no reference labels' };
  return found.map((head) => head ?? null);
}

/** The segmentation of the original against the reference; undefined without labels or segmenter. */
async function againstReference(
  context: PatientContext,
  names: readonly LabelName[],
): Promise<HeadUtility | null | undefined> {
  const { patient, place } = context;
  const { segment } = place.instruments;
  if (patient.labels === undefined || !segment.ready || names.length === 0) return undefined;
  const key = keyOf(await context.key(), segment.key, 'reference', names);
  const path = [patient.id, 'original', 'reference'];
  const known = place.store.read<{ value: HeadUtility | null }>(path, key);
  if (known !== undefined) return known.value;
  const segmented = await context.originalLabels();
  let value: HeadUtility | null = null;
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
