/**
 * From a subject and a variant to its parts: what is remembered is read, what is missing is measured and remembered
 * at once. The volume is made only when a part of it is missing.
 *
 * @example
 * const measured = await measureVariant(context, BRAIN_ONLY, {});
 * measured.refused ?? measured.shape;
 */
import { isRefusal } from 'prosopon';
import { type Mask, sameGrid, voxelMillilitres } from 'prosopon/imaging';
import type { HeadShape } from '../privacy/geometry.js';
import { dice } from '../statistics/statistics.js';
import type { MaskErrorCost } from '../utility/mask-errors.js';
import { nearestLabels } from '../utility/regrid.js';
import {
  compareSegmentations,
  failedSegmentation,
  type SegmentationAgreement,
} from '../utility/segmentation-agreement.js';
import type { FaceSeen } from './face-recognition.js';
import type { HeadView } from './head-view.js';
import type { Segmented } from './instruments.js';
import { keyOf } from './store.js';
import type { SubjectContext } from './subject.js';
import type { PartName, Treatment, Variant } from './variants.js';

/** Everything measured of one variant of one subject; what is absent was not asked for or has no instrument. */
export interface Measured {
  /** The method refused this head: it takes part in no rate. */
  readonly refused?: string;
  readonly treatment?: Treatment;
  readonly maskCost?: MaskErrorCost;
  readonly faces?: FaceSeen;
  /** By name of the network. */
  readonly sqn: Readonly<Record<string, Float32Array>>;
  /** Null when the head has no surface. */
  readonly shape?: HeadShape | null;
  readonly utility?: Utility;
  /** Years; null when the network could not say. */
  readonly age?: number | null;
}

/** Both arms. */
export interface Utility {
  /** The original's brain mask given to the segmenter. */
  readonly fixed: SegmentationAgreement | null;
  /** The mask extracted again from the treated head. */
  readonly again: SegmentationAgreement | null;
  /** Dice of the re-extracted brain mask with the original's; NaN when extraction refused. */
  readonly maskDice: number;
}

interface Part {
  /** In the store and in `Measured`. */
  readonly name: string;
  readonly key: string;
  measure(view: HeadView): Promise<unknown>;
}

/** What to call with each volume that is made, and whether it is wanted even if all is remembered. */
export interface KeptFile {
  wanted(): boolean;
  put(view: HeadView): Promise<void>;
}

const MADE = 'made';

export async function measureVariant(
  context: SubjectContext,
  variant: Variant,
  kept: readonly KeptFile[] = [],
): Promise<Measured> {
  const { store, signal } = context.place;
  signal.throwIfAborted();
  const base = keyOf(await context.key(), variant.key);
  const path = (name: string): string[] => [context.subject.id, variant.name, name];
  const parts = partsOf(context, variant).map((part) => ({ ...part, key: keyOf(base, part.key) }));

  const values = new Map<string, unknown>();
  for (const { name, key } of [...parts, { name: MADE, key: base }]) {
    const known = store.read<{ value: unknown }>(path(name), key);
    if (known !== undefined) values.set(name, known.value);
  }
  const made = values.get(MADE) as Pick<Measured, 'refused' | 'treatment' | 'maskCost'> | undefined;
  if (made?.refused !== undefined) return { ...made, sqn: {} };
  const missing = parts.filter(({ name }) => !values.has(name));
  const wanted = kept.filter((file) => file.wanted());
  if (made !== undefined && missing.length === 0 && wanted.length === 0) return gather(made, values);

  let facts: Pick<Measured, 'refused' | 'treatment' | 'maskCost'>;
  try {
    // Refusals of the original are the caller's: such a subject is not in the cohort at all.
    await context.original();
    const { view, ...rest } = await variant.make(context);
    facts = rest;
    for (const part of missing) {
      signal.throwIfAborted();
      const value = await part.measure(view);
      store.write(path(part.name), part.key, { value });
      values.set(part.name, value);
    }
    for (const file of wanted) await file.put(view);
  } catch (error) {
    if (!isRefusal(error) || variant.kind === 'control') throw error;
    facts = { refused: error.message };
  }
  // Times stay those of the first time: a run that only adds a part says nothing new about them.
  if (made === undefined) store.write(path(MADE), base, { value: facts });
  return facts.refused === undefined ? gather(made ?? facts, values) : { ...facts, sqn: {} };
}

function gather(made: Partial<Measured>, values: ReadonlyMap<string, unknown>): Measured {
  const sqn: Record<string, Float32Array> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of values)
    if (name.startsWith('sqn.')) sqn[name.slice(4)] = value as Float32Array;
    else if (name !== MADE) rest[name] = value;
  return { ...made, ...rest, sqn };
}

function partsOf(context: SubjectContext, variant: Variant): Part[] {
  const { instruments, networks, signal } = context.place;
  const out: Part[] = [];
  const has = (name: PartName): boolean => variant.parts.includes(name);
  const { faces, segment, age } = instruments;
  if (has('shape'))
    out.push({ name: 'shape', key: 'shape 1', measure: async (view) => orNull(() => view.shape()) });
  if (has('faces') && faces.ready)
    out.push({
      name: 'faces',
      key: faces.key,
      measure: async (view) => (await orNull(() => faces.measure(view, networks, signal))) ?? NOTHING_SEEN,
    });
  if (has('sqn'))
    for (const [name, sqn] of instruments.sqn)
      if (sqn.ready)
        out.push({
          name: `sqn.${name}`,
          key: sqn.key,
          measure: async (view) =>
            (await orNull(() => sqn.measure(view, networks, signal))) ?? new Float32Array(0),
        });
  if (has('age') && age.ready)
    out.push({
      name: 'age',
      key: age.key,
      measure: (view) => orNull(() => age.measure(view, networks, signal)),
    });
  if (has('utility'))
    out.push({
      name: 'utility',
      key: segment.ready ? segment.key : 'no segmenter',
      measure: (view) => measureUtility(context, view),
    });
  return out;
}

const NOTHING_SEEN: FaceSeen = { detected: false, score: 0, descriptor: null };

/** Null where an instrument refuses: nothing to see is an answer, a defect is not. */
async function orNull<T>(measure: () => T | Promise<T>): Promise<T | null> {
  try {
    return await measure();
  } catch (error) {
    if (isRefusal(error, 'no-signal', 'brain-implausible', 'contrast-unsupported')) return null;
    throw error;
  }
}

async function measureUtility(context: SubjectContext, view: HeadView): Promise<Utility> {
  const { instruments, networks, services, signal } = context.place;
  const { volume, pose, brainMask } = view;
  const { segment } = instruments;
  const found = await orNull(async () => {
    const { mask } = await services.extractBrain(volume, networks, { signal });
    return { mask, pose: services.makeHead(volume, mask).pose };
  });
  const maskDice = found === null ? Number.NaN : dice(brainMask.data, found.mask.data);
  if (!segment.ready) return { fixed: null, again: null, maskDice };
  const arm = async (mask: Mask, from: typeof pose): Promise<SegmentationAgreement> =>
    compared(context, view, await segment.measure({ volume, brainMask: mask, pose: from }, networks, signal));
  return {
    fixed: await arm(brainMask, pose),
    again:
      found === null ? failedSegmentation('no plausible brain was found') : await arm(found.mask, found.pose),
    maskDice,
  };
}

async function compared(
  context: SubjectContext,
  view: HeadView,
  treated: Segmented,
): Promise<SegmentationAgreement> {
  const original = await context.originalLabels();
  if ('failed' in original) return failedSegmentation(`the original: ${original.failed}`);
  if ('failed' in treated) return failedSegmentation(treated.failed);
  const { grid } = (await context.original()).volume;
  const labels = sameGrid(view.volume.grid, grid)
    ? treated.labels
    : nearestLabels(treated.labels, view.volume.grid, grid);
  // A tool of the user's lists the classes that it found: those of either map count.
  const classes = [...original.classes];
  for (const one of treated.classes) if (!classes.some(({ id }) => id === one.id)) classes.push(one);
  return compareSegmentations(
    { labels: original.labels, classes },
    { labels, classes },
    voxelMillilitres(grid),
  );
}
