/**
 * The tables of the segmentation: Dice, volumes and agreement of original and treated in both arms, with failures
 * counted apart, and which regions change in one direction.
 *
 * @example
 * const blocks = segmentationBlocks(rows, classNames, 'again', random);
 */
import type { Random } from 'prosopon/imaging';
import { bootstrap, estimateOf, icc21, mean, meanEstimate, sd, signTest } from '../statistics/statistics.js';
import {
  COMPARED_TISSUES,
  type ComparedTissue,
  meanClassDice,
  type Overlap,
  type SegmentationAgreement,
  TISSUE_TITLES,
  volumeChange,
} from '../utility/segmentation-agreement.js';
import { regionMapBlock } from './report-region-map.js';
import {
  type Block,
  type BoxPlot,
  type Cell,
  type Column,
  cellOf,
  type Row,
  type RowKind,
  type Table,
} from './results.js';

/** One variant: an entry per subject; null where the variant refused the head. */
export interface SegmentationRow {
  readonly id: string;
  readonly title: string;
  readonly kind: RowKind;
  readonly heads: readonly (SegmentationAgreement | null)[];
}

export type Arm = 'fixed' | 'again';
export const ARM_TITLES: Readonly<Record<Arm, string>> = {
  fixed: "the original's brain mask",
  again: 'brain mask extracted again',
};

/** Tissue Dice, class Dice and volumes of one arm. */
export function segmentationBlocks(rows: readonly SegmentationRow[], arm: Arm, random: Random): Block[] {
  const own = random.fork(`utility ${arm}`);
  const hasTissues = rows.some(({ heads }) => heads.some((head) => head !== null && 'brain' in head.tissues));
  const tissues: readonly ComparedTissue[] = hasTissues ? COMPARED_TISSUES : [];
  return [
    diceTable(rows, arm, tissues, own),
    ...(hasTissues ? [volumeTable(rows, arm, tissues, own)] : []),
    boxes(rows, arm, 'Dice, mean of classes', 'classes', meanClassDice),
    ...(hasTissues
      ? [boxes(rows, arm, 'Dice, total brain', 'brain', (head) => head.tissues.brain?.dice ?? Number.NaN)]
      : []),
  ];
}

/** Heads that were done and did not fail. */
function good(row: SegmentationRow): SegmentationAgreement[] {
  return row.heads.filter(
    (head): head is SegmentationAgreement => head !== null && head.failed === undefined,
  );
}

/** A number of no head is no number. */
function measured(cells: Readonly<Record<string, Cell>>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(cells).filter(([, { n }]) => n > 0));
}

function diceTable(
  rows: readonly SegmentationRow[],
  arm: Arm,
  tissues: readonly ComparedTissue[],
  random: Random,
): Table {
  const columns: Column[] = [
    { id: 'failures', title: 'failures', unit: 'percent' },
    ...tissues.map((t): Column => ({ id: t, title: TISSUE_TITLES[t], unit: 'share' })),
    { id: 'classes', title: 'classes, mean', unit: 'share' },
    { id: 'worst', title: 'worst head', unit: 'share' },
  ];
  return {
    kind: 'table',
    id: `dice-${arm}`,
    title: `Dice with the original, ${ARM_TITLES[arm]}`,
    note: 'Failures (the segmenter gave up, or the total brain changed by more than 10 %) are counted apart and are in no other column. Worst head: its mean over classes.',
    columns,
    rows: rows.map((row): Row => {
      const done = row.heads.filter((head) => head !== null);
      const heads = good(row);
      const values = heads.map(meanClassDice);
      const failed = meanEstimate(
        done.map((head) => (head?.failed === undefined ? 0 : 1)),
        random.fork(`failures ${row.id}`),
      );
      const cells: Record<string, Cell> = {
        failures: cellOf(failed),
        classes: cellOf(meanEstimate(values, random.fork(`classes ${row.id}`))),
        worst: { value: Math.min(...values.filter((v) => !Number.isNaN(v))), n: values.length },
      };
      for (const t of tissues)
        cells[t] = cellOf(
          meanEstimate(
            heads.map((head) => head.tissues[t]?.dice ?? Number.NaN),
            random.fork(`${t} ${row.id}`),
          ),
        );
      const reasons = new Map<string, number>();
      for (const head of done)
        if (head?.failed !== undefined) reasons.set(head.failed, (reasons.get(head.failed) ?? 0) + 1);
      const note = [...reasons].map(([reason, count]) => `${count} x ${reason}`).join('; ');
      return {
        id: row.id,
        title: row.title,
        kind: row.kind,
        cells: measured(cells),
        ...(note === '' ? {} : { note }),
      };
    }),
  };
}

function volumeTable(
  rows: readonly SegmentationRow[],
  arm: Arm,
  tissues: readonly ComparedTissue[],
  random: Random,
): Table {
  return {
    kind: 'table',
    id: `volume-${arm}`,
    title: `Volumes against the original's, ${ARM_TITLES[arm]}`,
    note: 'Mean change (signed), and agreement as ICC(2,1).',
    columns: tissues.flatMap((t): Column[] => [
      { id: `${t}-change`, title: `${TISSUE_TITLES[t]}, change`, unit: 'signed-percent' },
      { id: `${t}-icc`, title: `${TISSUE_TITLES[t]}, ICC`, unit: 'share' },
    ]),
    rows: rows.map((row): Row => {
      const heads = good(row);
      const cells: Record<string, Cell> = {};
      for (const t of tissues) {
        const pairs = heads.map((head) => head.tissues[t]).filter((o): o is Overlap => o !== undefined);
        cells[`${t}-change`] = cellOf(
          meanEstimate(pairs.map(volumeChange), random.fork(`change ${t} ${row.id}`)),
        );
        const [a, b] = [new Float64Array(pairs.length), new Float64Array(pairs.length)];
        cells[`${t}-icc`] = cellOf(
          bootstrap(
            pairs.length,
            (sample) => {
              for (let i = 0; i < sample.length; i++) {
                const pair = pairs[sample[i] as number];
                a[i] = pair?.originalMl ?? Number.NaN;
                b[i] = pair?.treatedMl ?? Number.NaN;
              }
              return icc21(a, b);
            },
            random.fork(`icc ${t} ${row.id}`),
          ),
        );
      }
      return { id: row.id, title: row.title, kind: row.kind, cells: measured(cells) };
    }),
  };
}

function boxes(
  rows: readonly SegmentationRow[],
  arm: Arm,
  title: string,
  id: string,
  value: (head: SegmentationAgreement) => number,
): BoxPlot {
  return {
    kind: 'box',
    id: `box-${id}-${arm}`,
    title: `${title}, ${ARM_TITLES[arm]}`,
    unit: 'share',
    groups: rows.map((row) => ({ name: row.title, values: good(row).map(value) })),
    marks: [1],
  };
}

/** Holm's p below which a region is said to change in one direction. */
const CONSISTENT = 0.05;

/** Which regions change, and whether always in one direction (Review 1): a plot of the clearest, a map, a table of all classes. */
export function regionBlocks(
  row: SegmentationRow,
  names: ReadonlyMap<number, string>,
  arm: Arm,
  random: Random,
): Block[] {
  const heads = good(row);
  const own = random.fork(`regions ${arm} ${row.id}`);
  const regions = [...names]
    .map(([id, name]) => {
      const overlaps = heads.map((head) => head.classes[id]).filter((o): o is Overlap => o !== undefined);
      const changes = overlaps.map(volumeChange).filter(Number.isFinite);
      const { positive, negative, p } = signTest(changes);
      return { id, name, overlaps, changes, positive, negative, p };
    })
    .filter(({ changes }) => changes.length >= 2)
    .sort((a, b) => a.p - b.p || Math.abs(mean(b.changes)) - Math.abs(mean(a.changes)));
  if (regions.length === 0) return [];
  // Holm: with a hundred regions, five would look consistent at 0.05 by chance.
  let largest = 0;
  const adjusted = regions.map(({ p }, i) => {
    largest = Math.max(largest, Math.min(1, p * (regions.length - i)));
    return largest;
  });
  const table: Table = {
    kind: 'table',
    id: `regions-${arm}-${row.id}`,
    title: `Regions, ${row.title}, ${ARM_TITLES[arm]}`,
    note: `All ${regions.length} classes, the most consistent first. p: exact sign test of the direction, two-sided; Holm: corrected for ${regions.length} classes. ${adjusted.filter((p) => p < CONSISTENT).length} of ${regions.length} change consistently (Holm below 0.05).`,
    folded: true,
    columns: [
      { id: 'dice', title: 'Dice', unit: 'share' },
      { id: 'change', title: 'volume change', unit: 'signed-percent' },
      { id: 'sd', title: 'its deviation', unit: 'percent' },
      { id: 'grows', title: 'heads where it grows', unit: 'percent' },
      { id: 'p', title: 'p', unit: 'share' },
      { id: 'holm', title: 'Holm', unit: 'share' },
    ],
    rows: regions.map((region, i): Row => {
      const n = region.changes.length;
      const fork = own.fork(`${region.id}`);
      return {
        id: String(region.id),
        title: region.name,
        kind: row.kind,
        cells: {
          // 500 resamples: a hundred rows of 2,000 take seconds, and the table is read by its p.
          dice: cellOf(
            meanEstimate(
              region.overlaps.map((o) => o.dice),
              fork.fork('dice'),
              500,
            ),
          ),
          change: cellOf(meanEstimate(region.changes, fork.fork('change'), 500)),
          sd: cellOf(estimateOf(region.changes, sd, fork.fork('sd'), 500)),
          grows: { value: region.positive / n, n },
          p: { value: region.p, n },
          holm: { value: adjusted[i] ?? Number.NaN, n },
        },
      };
    }),
  };
  const map = regionMapBlock({
    id: `regions-map-${arm}-${row.id}`,
    title: `Map of regions, ${row.title}, ${ARM_TITLES[arm]}`,
    method: row.id,
    arm: ARM_TITLES[arm],
    names,
    changes: regions.map(({ id, changes }, i) => ({
      id,
      change: mean(changes),
      consistent: (adjusted[i] ?? 1) < CONSISTENT,
      n: changes.length,
    })),
  });
  const clearest = regions.slice(0, 20);
  return [
    {
      kind: 'box',
      id: `regions-box-${arm}-${row.id}`,
      title: `Volume change of the ${clearest.length} most consistent regions, ${row.title}, ${ARM_TITLES[arm]}`,
      unit: 'signed-percent',
      groups: clearest.map(({ name, changes }) => ({ name, values: changes })),
      marks: [0],
    },
    map,
    table,
  ];
}
