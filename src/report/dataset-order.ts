/**
 * The scans of a data set, worst first: what failed, what was refused, what was never ended, then results by how much they ask
 * for a look.
 *
 * A result's score goes by ranks, so that no unit rules. In each of four figures it is the share of the other results that
 * are strictly better: more surface moved, less face kept, less seam, more agreement of the masks. The greatest of the four counts,
 * because a result that is the worst in one way is worth a look whatever the other ways say; their mean decides between equals.
 * Before all of these come results with a check that did not pass, then what was copied on the user's word, which nobody has
 * measured. After them come results of which none of the four could be measured, as where no face is in view.
 *
 * @example
 * const [first] = worstFirst(records);
 */
import type { ScanFigures, ScanRecord } from '../bids/record.js';

type RankedFigure = 'surfaceMovedMm' | 'faceKept' | 'seam' | 'maskAgreement';
/** 1 where much is bad, -1 where little is. */
const RANKED: readonly (readonly [RankedFigure, 1 | -1])[] = [
  ['surfaceMovedMm', -1],
  ['faceKept', 1],
  ['seam', 1],
  ['maskAgreement', -1],
];

/** Worst first. */
export const STATUSES = ['failed', 'refused', 'begun', 'done'] as const satisfies ScanRecord['status'][];

/** In order of code units, which is the same everywhere. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

export function worstFirst(records: readonly ScanRecord[]): ScanRecord[] {
  const ranks = RANKED.map(([figure, sign]) => rankBy(records, figure, sign));
  const placed = records.map((record) => ({
    record,
    path: record.path,
    status: STATUSES.indexOf(record.status),
    score: scoreOf(record, ranks),
  }));
  return placed
    .sort(
      (a, b) =>
        a.status - b.status ||
        b.score.group - a.score.group ||
        b.score.greatest - a.score.greatest ||
        b.score.mean - a.score.mean ||
        byPath(a, b),
    )
    .map(({ record }) => record);
}

type Rank = (figures: ScanFigures | undefined) => number | undefined;

function rankBy(records: readonly ScanRecord[], figure: RankedFigure, sign: 1 | -1): Rank {
  const values = records
    .filter(({ status }) => status === 'done')
    .flatMap(({ figures }) => figures?.[figure] ?? [])
    .map((value) => sign * value)
    .sort((a, b) => a - b);
  /** How many are strictly better, by value: the place of the first of its equals. */
  const better = new Map<number, number>();
  for (const [i, value] of values.entries()) if (!better.has(value)) better.set(value, i);
  return (figures) => {
    const value = figures?.[figure];
    return value === undefined ? undefined : (better.get(sign * value) ?? 0) / Math.max(1, values.length - 1);
  };
}

function scoreOf(
  { status, role, checks, figures }: ScanRecord,
  ranks: readonly Rank[],
): { readonly group: number; readonly greatest: number; readonly mean: number } {
  if (status !== 'done') return { group: 0, greatest: 0, mean: 0 };
  const shares = ranks.flatMap((rank) => rank(figures) ?? []);
  const failed = Object.values(checks ?? {}).some(({ passed }) => !passed);
  return {
    group: failed ? 3 : role === 'copied' ? 2 : shares.length > 0 ? 1 : 0,
    greatest: Math.max(0, ...shares),
    mean: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
  };
}
