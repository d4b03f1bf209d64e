/**
 * What an evaluation says: sections of tables and plots, in which every number carries its count and its interval.
 * A block that could not be measured, or must not be published, stands there with its reason and without numbers.
 *
 * @example
 * const table: Table = { kind: 'table', id: 'sqn', title: 'SQN', note: '', columns, rows };
 */
import type { Estimate } from '../statistics/statistics.js';

/** One number. `low` and `high` are a 95 % interval over subjects; absent where none is defined (a count, a maximum). */
export interface Cell {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  /** Subjects (or what `Column.of` says) behind it. */
  readonly n: number;
}

/** How a number is shown; `percent` is stored as a share. */
export type Unit =
  | 'percent'
  | 'share'
  | 'signed-percent'
  | 'count'
  | 'mm'
  | 'ml'
  | 'years'
  | 'seconds'
  | 'MB';

export interface Column {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
}

/** Controls and references stand above methods; a warning row is no method that anybody would use. */
export type RowKind = 'control' | 'reference' | 'method' | 'warning';

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly kind: RowKind;
  /** By column id; a cell that is absent was not measured for this row. */
  readonly cells: Readonly<Record<string, Cell | undefined>>;
  readonly note?: string;
}

export interface Table {
  readonly kind: 'table';
  readonly id: string;
  readonly title: string;
  /** What was done and how to read it. */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Long: the page shows it when it is opened. */
  readonly folded?: boolean;
}

/** In the place of a table. */
export interface Absent {
  readonly kind: 'absent';
  readonly id: string;
  readonly title: string;
  readonly state: 'not measured' | 'not published';
  readonly reason: string;
}

export interface BoxPlot {
  readonly kind: 'box';
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** One value per subject; where a line at zero or one helps, `marks` names it. */
  readonly groups: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly marks?: readonly number[];
}

export interface RocPlot {
  readonly kind: 'roc';
  readonly id: string;
  readonly title: string;
  readonly curves: readonly {
    readonly name: string;
    readonly n: number;
    /** [false positive share, true positive share], from (0, 0) to (1, 1). */
    readonly points: readonly (readonly [number, number])[];
  }[];
}

/** What treatment does to the volume of one class of the segmentation. */
export interface RegionChange {
  /** Of `SEGMENTATION_CLASSES`. */
  readonly id: number;
  /** Mean over heads, signed, as a share. */
  readonly change: number;
  /** In one direction: sign test over heads, Holm's p below 0.05. */
  readonly consistent: boolean;
  /** Heads behind it. */
  readonly n: number;
}

/** Which regions change, as a picture; the page draws it. */
export interface RegionMap {
  readonly kind: 'region-map';
  readonly id: string;
  readonly title: string;
  /** Id of the method's row. */
  readonly method: string;
  /** In words. */
  readonly arm: string;
  readonly changes: readonly RegionChange[];
}

export type Block = Table | Absent | BoxPlot | RocPlot | RegionMap;

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly blocks: readonly Block[];
}

export interface Evaluation {
  readonly format: 'prosopon evaluation 1';
  readonly version: string;
  /** As typed, without paths. */
  readonly command: string;
  readonly models: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
  readonly cohort: {
    readonly n: number;
    readonly splits: readonly string[];
    /** Heads that could not be used, by reason; not by name. */
    readonly refused: readonly { readonly reason: string; readonly count: number }[];
  };
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly sections: readonly Section[];
}

export function cellOf({ value, low, high, n }: Estimate): Cell {
  return { value, low, high, n };
}

export function absent(
  id: string,
  title: string,
  reason: string,
  state: Absent['state'] = 'not measured',
): Absent {
  return { kind: 'absent', id, title, state, reason };
}

/** JSON has no NaN: such a number becomes null, which says the same. */
export function evaluationJson(evaluation: Evaluation): string {
  return `${JSON.stringify(evaluation, (_, value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? rounded(value) : value), 1)}\n`;
}

/** Six significant digits: more is noise, and differs between platforms. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
