/**
 * What de-identification does to measurements of the brain: a segmentation of the original beside one of the treated
 * head, class by class. The brain's voxels are the same, so that every difference comes from what the segmenter reads
 * round them, or from the brain mask that it finds there.
 *
 * @example
 * const measured = compareSegmentations(original, treated, voxelMillilitres(grid));
 * if (measured.failed === undefined) console.log(measured.tissues.grey?.dice);
 */
import { Failure } from 'prosopon';
import { diceByLabel } from '../statistics/statistics.js';

export interface LabelClass {
  readonly id: number;
  readonly name: string;
  /** Tissue; see `tissueOf`. */
  readonly group: string;
}

/** Whole numbers from 0 (nothing) to 65535, one per voxel. */
export interface LabelMap {
  readonly labels: ArrayLike<number>;
  readonly classes: readonly LabelClass[];
}

export const COMPARED_TISSUES = ['grey', 'white', 'ventricles', 'brain'] as const;
export type ComparedTissue = (typeof COMPARED_TISSUES)[number];
export const TISSUE_TITLES: Readonly<Record<ComparedTissue, string>> = {
  grey: 'grey matter',
  white: 'white matter',
  ventricles: 'ventricular CSF',
  brain: 'total brain',
};

/** Tissue of a class's group, by the names in use; undefined for what is none of the three (brain stem, sulcal CSF). */
export function tissueOf(group: string): Exclude<ComparedTissue, 'brain'> | undefined {
  const name = group.trim().toLowerCase();
  if (['grey', 'gray', 'gm', 'grey matter', 'gray matter'].includes(name)) return 'grey';
  if (['white', 'wm', 'white matter'].includes(name)) return 'white';
  if (['ventricles', 'ventricular csf', 'ventricular-csf', 'vcsf'].includes(name)) return 'ventricles';
  return undefined;
}

export interface Overlap {
  /** NaN when neither map has the class. */
  readonly dice: number;
  readonly originalMl: number;
  readonly treatedMl: number;
}

/** One head in one arm. */
export interface SegmentationAgreement {
  /** Why it counts as a failure: the segmenter gave up, or the total brain changed by more than `FAILURE_SHARE`. */
  readonly failed?: string;
  readonly tissues: Readonly<Partial<Record<ComparedTissue, Overlap>>>;
  /** By class id. */
  readonly classes: Readonly<Record<number, Overlap>>;
}

/** A total brain (or whole segmentation, where classes have no tissue) that changes by more is a failure, not a score. */
export const FAILURE_SHARE = 0.1;

/** A head that the segmenter could not do. */
export function failedSegmentation(reason: string): SegmentationAgreement {
  return { failed: reason, tissues: {}, classes: {} };
}

/**
 * @param voxelMl millilitres of a voxel of the maps' common grid
 * @throws {Failure} internal when the maps are of different lengths
 */
export function compareSegmentations(
  original: LabelMap,
  treated: LabelMap,
  voxelMl: number,
): SegmentationAgreement {
  if (original.labels.length !== treated.labels.length)
    throw new Failure(
      'internal',
      `two label maps of one grid were expected, found ${original.labels.length} and ${treated.labels.length} voxels`,
    );
  const { classes } = original;
  const overlap = (o: { dice: number; countA: number; countB: number }): Overlap => ({
    dice: o.dice,
    originalMl: o.countA * voxelMl,
    treatedMl: o.countB * voxelMl,
  });
  const ids = classes.map(({ id }) => id).filter((id) => id > 0);
  const byClass = Object.fromEntries(
    diceByLabel(original.labels, treated.labels, ids).map((o) => [o.label, overlap(o)]),
  );
  const tissues = Object.fromEntries(
    tissueOverlaps(original.labels, treated.labels, classes).map(([tissue, o]) => [tissue, overlap(o)]),
  );
  const brain: Overlap | undefined = tissues.brain ?? overlap(anyOverlap(original.labels, treated.labels));
  const change = (brain.treatedMl - brain.originalMl) / brain.originalMl;
  const found = { tissues, classes: byClass };
  if (!(Math.abs(change) <= FAILURE_SHARE))
    return {
      ...found,
      failed: `total volume changed by ${Number.isFinite(change) ? `${(100 * change).toFixed(0)} %` : 'all'}`,
    };
  return found;
}

/** Brain, but neither grey nor white. */
const STEM = 4;

type Counts = { dice: number; countA: number; countB: number };

/** Grey, white and ventricles, and the total brain (grey, white and brain stem); nothing when no class has a tissue. */
function tissueOverlaps(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  classes: readonly LabelClass[],
): [ComparedTissue, Counts][] {
  const codes: readonly Exclude<ComparedTissue, 'brain'>[] = ['grey', 'white', 'ventricles'];
  const table = new Uint8Array(65536);
  for (const { id, group } of classes) {
    const tissue = tissueOf(group);
    if (tissue !== undefined) table[id] = codes.indexOf(tissue) + 1;
    else if (group === 'stem') table[id] = STEM;
  }
  const tissueMap = (labels: ArrayLike<number>): Uint8Array => {
    const out = new Uint8Array(labels.length);
    for (let i = 0; i < out.length; i++) out[i] = table[labels[i] as number] as number;
    return out;
  };
  if (!table.some((code) => code > 0)) return [];
  const [x, y] = [tissueMap(a), tissueMap(b)];
  const found: [ComparedTissue, Counts][] = diceByLabel(x, y, [1, 2, 3]).map((o, i) => [
    codes[i] ?? 'brain',
    o,
  ]);
  const isBrain = (v: number): number => (v === 1 || v === 2 || v === STEM ? 1 : 0);
  return [...found, ['brain', anyOverlap(x.map(isBrain), y.map(isBrain))]];
}

function anyOverlap(a: ArrayLike<number>, b: ArrayLike<number>): Counts {
  let [countA, countB, both] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const inA = (a[i] as number) > 0;
    const inB = (b[i] as number) > 0;
    if (inA) countA++;
    if (inB) countB++;
    if (inA && inB) both++;
  }
  return { dice: (2 * both) / (countA + countB), countA, countB };
}

/** Mean Dice over the classes that either map has; NaN when there is none. */
export function meanClassDice(head: SegmentationAgreement): number {
  const found = Object.values(head.classes)
    .map(({ dice }) => dice)
    .filter((d) => !Number.isNaN(d));
  return found.reduce((sum, d) => sum + d, 0) / found.length;
}

/** Change of a volume as a share of the original's; NaN where the original has none of it. */
export function volumeChange({ originalMl, treatedMl }: Overlap): number {
  return originalMl > 0 ? (treatedMl - originalMl) / originalMl : Number.NaN;
}
