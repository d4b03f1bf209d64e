/**
 * The sections of segmentation: original against treated in two arms, brain masks extracted again, regions that
 * change; and the segmenter against reference labels.
 *
 * @example
 * const blocks = agreementBlocks(input);
 */
import { measureTable } from '../report/report-measures.js';
import {
  ARM_TITLES,
  regionBlocks,
  type SegmentationRow,
  segmentationBlocks,
} from '../report/report-segmentation.js';
import { absent, type Block } from '../report/results.js';
import { AGAIN } from '../run/variants.js';
import {
  COMPARED_TISSUES,
  meanClassDice,
  type SegmentationAgreement,
  TISSUE_TITLES,
} from '../utility/segmentation-agreement.js';
import { mainVariants, refusalNote, type SectionInput } from './section-input.js';

export function agreementBlocks(input: SectionInput): Block[] {
  const { gathered, instruments, random } = input;
  const variants = mainVariants(input).filter(({ parts }) => parts.includes('utility'));
  const titleOf = (name: string, title: string): string =>
    name === AGAIN.name ? 'same head, re-gridded' : title;
  const kindOf = (name: string): 'reference' | 'method' => (name === AGAIN.name ? 'reference' : 'method');
  const blocks: Block[] = [
    measureTable(
      {
        id: 'brain-mask',
        title: "Brain mask extracted again, Dice with the original's",
        note: 'Our own extraction on both versions. Heads in which it found no plausible brain are in no number but the count.',
        columns: [
          { id: 'dice', title: 'Dice', unit: 'share', statistic: 'mean' },
          { id: 'sd', title: 's.d.', unit: 'share', statistic: 'sd' },
          { id: 'refused', title: 'no brain found', unit: 'percent', statistic: 'mean' },
        ],
        rows: variants.map(({ name, title }) => {
          const found = (gathered.results.get(name) ?? []).flatMap((m) =>
            m?.utility === undefined ? [] : [m.utility.maskDice],
          );
          return {
            id: name,
            title: titleOf(name, title),
            kind: kindOf(name),
            values: { dice: found, sd: found, refused: found.map((d) => (Number.isNaN(d) ? 1 : 0)) },
            ...refusalNote(gathered, name),
          };
        }),
      },
      random,
    ),
  ];
  for (const arm of ['again', 'fixed'] as const) {
    if (!instruments.segment.ready) {
      blocks.push(
        absent(`segmentation-${arm}`, `Segmentation, ${ARM_TITLES[arm]}`, instruments.segment.reason),
      );
      continue;
    }
    const rows = variants.map(
      ({ name, title }): SegmentationRow => ({
        id: name,
        title: titleOf(name, title),
        kind: kindOf(name),
        heads: (gathered.results.get(name) ?? []).map((m) => m?.utility?.[arm] ?? null),
      }),
    );
    blocks.push(...segmentationBlocks(rows, arm, random));
    const names = classNames(input);
    for (const row of rows.filter(({ kind }) => kind === 'method'))
      blocks.push(...regionBlocks(row, names, arm, random));
  }
  return blocks;
}

/** Ids and names of all classes that any head has. */
function classNames({ gathered, instruments }: SectionInput): ReadonlyMap<number, string> {
  const known = instruments.classNames ?? new Map<number, string>();
  const ids = new Set<number>();
  for (const row of gathered.results.values())
    for (const m of row)
      for (const arm of [m?.utility?.fixed, m?.utility?.again] as const)
        if (arm != null) for (const id of Object.keys(arm.classes)) ids.add(Number(id));
  return new Map([...ids].sort((a, b) => a - b).map((id) => [id, known.get(id) ?? `label ${id}`]));
}

/** Arms in words, for other sections. */
export function armValue(head: SegmentationAgreement | null | undefined): number {
  return head == null || head.failed !== undefined ? Number.NaN : meanClassDice(head);
}

export function referenceBlocks({ gathered, random }: SectionInput): Block[] {
  const title = 'Dice with the reference labels, originals';
  const { reference } = gathered;
  if (!Array.isArray(reference)) {
    const { missing } = reference as { missing: string };
    return [absent('reference', title, missing)];
  }
  const heads = reference as readonly (SegmentationAgreement | null)[];
  const dice = (pick: (head: SegmentationAgreement) => number): number[] =>
    heads.map((head) => (head === null ? Number.NaN : pick(head)));
  const tissues = COMPARED_TISSUES.map(
    (t) => ({ id: t, title: TISSUE_TITLES[t], unit: 'share', statistic: 'mean' }) as const,
  );
  return [
    measureTable(
      {
        id: 'reference',
        title,
        note: "Both sides in the segmenter's classes; the original's own brain mask.",
        columns: [...tissues, { id: 'classes', title: 'classes, mean', unit: 'share', statistic: 'mean' }],
        rows: [
          {
            id: 'original',
            title: 'original',
            kind: 'control',
            values: {
              classes: dice(meanClassDice),
              ...Object.fromEntries(
                COMPARED_TISSUES.map((t) => [t, dice((head) => head.tissues[t]?.dice ?? Number.NaN)]),
              ),
            },
          },
        ],
      },
      random,
    ),
  ];
}
