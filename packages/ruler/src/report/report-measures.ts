/**
 * Tables of one number per subject (times, ages, distances): a row per variant, each number a mean or a deviation
 * over subjects with its interval.
 *
 * @example
 * const table = measureTable({ id: 'time', title: 'Times', note: '', columns, rows }, random);
 */
import type { Random } from 'prosopon/imaging';
import { estimateOf, mean, median, sd } from '../statistics/statistics.js';
import { type Cell, cellOf, type Row, type RowKind, type Table, type Unit } from './results.js';

const STATISTICS = {
  mean,
  median,
  sd,
  'mean of absolutes': (values: Float64Array): number => mean(values.map(Math.abs)),
} as const;
export type StatisticName = keyof typeof STATISTICS;

export interface MeasureColumn {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** `highest` has no interval. */
  readonly statistic: StatisticName | 'highest';
}

export interface MeasureRow {
  readonly id: string;
  readonly title: string;
  readonly kind: RowKind;
  /** By column id, one number per subject; NaN entries are left out of the count. */
  readonly values: Readonly<Record<string, readonly number[] | undefined>>;
  readonly note?: string;
}

export interface MeasureContent {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly columns: readonly MeasureColumn[];
  readonly rows: readonly MeasureRow[];
}

export function measureTable(content: MeasureContent, random: Random): Table {
  const { id, title, note, columns } = content;
  const own = random.fork(`table ${id}`);
  return {
    kind: 'table',
    id,
    title,
    note,
    columns: columns.map(({ id: column, title: heading, unit }) => ({ id: column, title: heading, unit })),
    rows: content.rows.map((row): Row => {
      const cells: Record<string, Cell> = {};
      for (const column of columns) {
        const values = row.values[column.id]?.filter((v) => !Number.isNaN(v)) ?? [];
        if (values.length === 0) continue;
        cells[column.id] =
          column.statistic === 'highest'
            ? { value: Math.max(...values), n: values.length }
            : cellOf(estimateOf(values, STATISTICS[column.statistic], own.fork(`${row.id} ${column.id}`)));
      }
      return {
        id: row.id,
        title: row.title,
        kind: row.kind,
        cells,
        ...(row.note === undefined ? {} : { note: row.note }),
      };
    }),
  };
}
