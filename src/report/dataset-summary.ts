/**
 * What became of a data set, for programs: a table with a row a scan, and the same with counts as JSON. Neither holds pictures,
 * nor the digests of inputs, which would say of an original whether it is the one.
 *
 * @example
 * await writeFile('summary.tsv', summaryTsv(records));
 * await writeFile('summary.json', summaryJson(records, { title, version, method, layout, left, warnings }));
 */
import type { ScanFigures, ScanRecord } from '../bids/record.js';
import { byPath, STATUSES } from './dataset-order.js';
import { tsvCell } from './tsv-cells.js';

/** A data set, without what became of its scans. */
export interface DatasetAbout {
  readonly title: string;
  /** Of the program. */
  readonly version: string;
  readonly method: string;
  /** How the output lies: in the house's words for it. */
  readonly layout: string;
  /** Files that were left out by policy. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}

/** Rises when a column or field changes its meaning or goes; new ones may come without. */
export const SUMMARY_FORMAT = 1;

interface SummaryColumn {
  readonly description: string;
  readonly cell: (record: ScanRecord) => string;
}

const text =
  (field: 'path' | 'status' | 'role' | 'reason' | 'message' | 'output') =>
  (record: ScanRecord): string =>
    tsvCell(record[field] ?? '');
const figure =
  (name: keyof ScanFigures) =>
  ({ figures }: ScanRecord): string => {
    const value = figures?.[name];
    return value === undefined || !Number.isFinite(value) ? 'n/a' : String(value);
  };
const checksOf = ({ checks }: ScanRecord): [string, boolean][] =>
  Object.entries(checks ?? {}).map(([name, { passed }]) => [name, passed]);

/** In order. Where nothing is known a cell is `n/a`; text that a spreadsheet would run has an apostrophe in front. */
const COLUMNS: Readonly<Record<string, SummaryColumn>> = {
  path: { description: 'image, from the root of the input data set', cell: text('path') },
  status: {
    description: 'done, refused, failed, or begun where nothing is known of its end',
    cell: text('status'),
  },
  role: {
    description:
      'anchor: the head was drawn for it; same head: it got that head; alone: a method that removes; copied: on the word of the user, header cleaned',
    cell: text('role'),
  },
  reason: { description: 'tag of the refusal or failure', cell: text('reason') },
  message: { description: 'sentence of the refusal or failure', cell: text('message') },
  output: { description: 'result, from the root of the output data set', cell: text('output') },
  checks: { description: 'number of checks that were made', cell: (r) => String(checksOf(r).length) },
  checks_failed: {
    description: 'names of the checks that did not pass, parted by commas',
    cell: (r) =>
      tsvCell(
        checksOf(r)
          .filter(([, passed]) => !passed)
          .map(([name]) => name)
          .join(','),
      ),
  },
  surface_moved_mm: {
    description: 'median distance between the skin of the face before and after, mm',
    cell: figure('surfaceMovedMm'),
  },
  face_kept: {
    description: 'share of the face before that still stands, 0 to 1',
    cell: figure('faceKept'),
  },
  seam: {
    description: 'step of brightness where kept and new voxels meet, in brain levels',
    cell: figure('seam'),
  },
  mask_agreement: {
    description: 'Dice of the two looks for the brain, 0 to 1',
    cell: figure('maskAgreement'),
  },
  brain_ml: { description: 'volume of the brain, ml', cell: figure('brainMl') },
  seconds: { description: 'time it took', cell: figure('seconds') },
  warnings: {
    description: 'warnings, parted by semicolons',
    cell: (r) => tsvCell((r.warnings ?? []).join('; ')),
  },
};

/** Name and meaning of each column, as the sidecar of a BIDS table has them. */
export const SUMMARY_COLUMNS: Readonly<Record<string, { readonly Description: string }>> = Object.fromEntries(
  Object.entries(COLUMNS).map(([name, { description }]) => [name, { Description: description }]),
);

/** A row a scan, in order of path. */
export function summaryTsv(records: readonly ScanRecord[]): string {
  const columns = Object.values(COLUMNS);
  const lines = [...records].sort(byPath).map((record) => columns.map(({ cell }) => cell(record)).join('\t'));
  return `${[Object.keys(COLUMNS).join('\t'), ...lines].join('\n')}\n`;
}

/** How many scans ended how; every status is named. */
export function countByStatus(
  records: readonly ScanRecord[],
): Readonly<Record<ScanRecord['status'], number>> {
  const counts = { failed: 0, refused: 0, begun: 0, done: 0 };
  for (const { status } of records) counts[status]++;
  return counts;
}

/** How many were refused or failed for which reason, the most frequent first. */
export function countByReason(records: readonly ScanRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { status, reason } of records)
    if (reason !== undefined && (status === 'refused' || status === 'failed'))
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return new Map([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}

/** Counts, what was left out, and the scans in order of path, with all that records hold but pictures and keys. */
export function summaryJson(records: readonly ScanRecord[], about: DatasetAbout): string {
  const { title, version, method, layout, left, warnings } = about;
  const byStatus = countByStatus(records);
  const summary = {
    format: SUMMARY_FORMAT,
    version,
    title,
    method,
    layout,
    counts: {
      scans: records.length,
      ...Object.fromEntries(STATUSES.map((status) => [status, byStatus[status]])),
      leftOut: left.length,
    },
    reasons: Object.fromEntries(countByReason(records)),
    warnings,
    left: [...left].sort(byPath).map(({ path, reason }) => ({ path, reason })),
    scans: [...records].sort(byPath).map(({ pictures: _, key: __, ...shown }) => shown),
  };
  return `${JSON.stringify(summary, undefined, 2)}\n`;
}
