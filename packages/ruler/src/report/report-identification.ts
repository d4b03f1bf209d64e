/**
 * The tables of the attackers: one table per attacker, controls on top. A table whose controls fail is not published:
 * an attacker who does not know an untreated head proves nothing, one who beats chance on shuffled labels cheats.
 *
 * @example
 * const blocks = attackBlocks(attack, random);
 */
import type { Random } from 'prosopon/imaging';
import { type Identification, identify, identifyShuffled, pairScores } from '../privacy/identification.js';
import { meanEstimate, rocCurve } from '../statistics/statistics.js';
import { absent, type Block, type Cell, type Column, cellOf, type Row, type RowKind } from './results.js';

/** One row of an attacker's table. */
export interface Attacked {
  readonly id: string;
  readonly title: string;
  readonly kind: RowKind;
  /** n x n row-major: rows are originals, columns candidates; NaN where a picture cannot be used. */
  readonly similarity: Float64Array;
  readonly n: number;
  /** 1 where the candidate's picture could be used (a face was found); absent where all can. */
  readonly found?: ArrayLike<number>;
  readonly note?: string;
}

export interface Attack {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly rows: readonly Attacked[];
  /** Row that must be identified, and its least five-way rate for the table to be published. */
  readonly control: { readonly id: string; readonly atLeast: number };
}

const COLUMNS: readonly Column[] = [
  { id: 'fiveWay', title: 'of five', unit: 'percent' },
  { id: 'rank1', title: 'rank 1 of n', unit: 'percent' },
  { id: 'rank5', title: 'rank 5 of n', unit: 'percent' },
  { id: 'auc', title: 'AUC', unit: 'share' },
];
const FOUND: Column = { id: 'found', title: 'face found', unit: 'percent' };

/** The mean of 1,000 shuffles has a standard error below 0.003 for five subjects and more. */
const SHUFFLED_OFF = 0.015;

export function attackBlocks(attack: Attack, random: Random): Block[] {
  const { id, title, rows, control } = attack;
  const own = random.fork(`attack ${id}`);
  const tooFew = rows.filter(({ n }) => n < 5).map((row) => row.title);
  const usable = rows.filter(({ n }) => n >= 5);
  const original = usable.find((row) => row.id === control.id);
  if (original === undefined)
    return [absent(id, title, 'the control ORIGINAL from another view was not measured')];
  const scored = usable.map((row) => ({ row, rates: identify(row.similarity, row.n, own.fork(row.id)) }));
  const shuffled = identifyShuffled(original.similarity, original.n, own.fork('shuffled'));
  const reason = controlFailure(scored.find(({ row }) => row === original)?.rates, shuffled, control.atLeast);
  if (reason !== undefined) return [absent(id, title, reason, 'not published')];

  const withFound = rows.some(({ found }) => found !== undefined);
  const { rank1, rank5 } = shuffled.chance;
  const tableRows: Row[] = [
    ...scored.map(({ row, rates }) => rowOf(row, rates, own)),
    {
      id: 'shuffled',
      title: 'shuffled labels',
      kind: 'control',
      cells: cells(shuffled),
      note: 'mean and spread over shuffles',
    },
  ];
  return [
    {
      kind: 'table',
      id,
      title,
      note: `${attack.note} Chance: 20 % of five, ${percent(rank1)} at rank 1 and ${percent(rank5)} at rank 5 of ${shuffled.fiveWay.n}, AUC 0.5.${tooFew.length > 0 ? ` Fewer than five heads: ${tooFew.join(', ')}.` : ''}`,
      columns: withFound ? [FOUND, ...COLUMNS] : COLUMNS,
      rows: tableRows,
    },
    {
      kind: 'roc',
      id: `${id}-roc`,
      title: `${title}: ROC`,
      curves: usable.map((row) => {
        const { own: same, others } = pairScores(row.similarity, row.n);
        return {
          name: row.title,
          n: row.n,
          points: rocCurve(same, others).map((p) => [p.falsePositiveRate, p.truePositiveRate] as const),
        };
      }),
    },
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function controlFailure(
  original: Identification | undefined,
  shuffled: Identification,
  atLeast: number,
): string | undefined {
  if (original === undefined) return 'the control ORIGINAL from another view was not measured';
  const { fiveWay } = original;
  if (!(fiveWay.value >= atLeast))
    return `the control failed: ORIGINAL from another view is identified in ${percent(fiveWay.value)} of five-way choices (n = ${fiveWay.n}), expected at least ${percent(atLeast)}`;
  const { value } = shuffled.fiveWay;
  if (!(Math.abs(value - 0.2) <= SHUFFLED_OFF))
    return `the control failed: with shuffled labels the rate is ${percent(value)}, expected 20 %`;
  return undefined;
}

function cells(rates: Identification): Record<string, Cell> {
  const { fiveWay, rank1, rank5, auc } = rates;
  return { fiveWay: cellOf(fiveWay), rank1: cellOf(rank1), rank5: cellOf(rank5), auc: cellOf(auc) };
}

function rowOf(row: Attacked, rates: Identification, random: Random): Row {
  const found =
    row.found === undefined ? {} : { found: cellOf(meanEstimate(row.found, random.fork(`found ${row.id}`))) };
  const note = [
    row.note,
    rates.unusable > 0 ? `${rates.unusable} pairs without a usable picture, ranked last` : undefined,
  ].filter((part) => part !== undefined);
  return {
    id: row.id,
    title: row.title,
    kind: row.kind,
    cells: { ...found, ...cells(rates) },
    ...(note.length > 0 ? { note: note.join('; ') } : {}),
  };
}
