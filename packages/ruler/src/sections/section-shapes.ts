/**
 * The sections made of surfaces: closeness to the subject, many seeds averaged, memorisation.
 *
 * @example
 * const blocks = averagingBlocks(input);
 */
import { closeness } from '../privacy/closeness.js';
import { type HeadShape, meanShape } from '../privacy/geometry.js';
import { memorisation } from '../privacy/memorisation.js';
import { overUsable } from '../privacy/similarity.js';
import { type Attacked, attackBlocks } from '../report/report-identification.js';
import { measureTable } from '../report/report-measures.js';
import { absent, type Block, cellOf, type Row } from '../report/results.js';
import type { Measured } from '../run/measure.js';
import type { Group } from '../run/run.js';
import { AGAIN, drawName, ORIGINAL } from '../run/variants.js';
import type { SectionInput } from './section-input.js';

type MaybeShape = HeadShape | null | undefined;

function shapesOf(group: Group, variant: string): MaybeShape[] {
  const row = group.results.get(variant);
  return group.subjects.map((_, i) => row?.[i]?.shape);
}

export function closenessBlocks(input: SectionInput): Block[] {
  const { gathered, options, random } = input;
  const title = 'Closeness to the subject';
  if (gathered.gallery.length === 0)
    return [
      absent(
        'closeness',
        title,
        'the data set has no subjects of the split "train" beside those evaluated, to make an average of',
      ),
    ];
  const average = meanShape(gathered.gallery);
  const originals = shapesOf(gathered, ORIGINAL.name);
  const variants = [
    { name: AGAIN.name, title: 'ORIGINAL, another view', kind: 'control' as const },
    ...(options.warnings ?? []).map(({ name }) => ({ name, title: name, kind: 'warning' as const })),
    ...options.methods.map(({ name }) => ({ name, title: name, kind: 'method' as const })),
  ];
  return (['face', 'head'] as const).map((region): Block => {
    const rows: Row[] = [];
    for (const { name, title: rowTitle, kind } of variants) {
      const treated = shapesOf(gathered, name);
      const there = treated.map((_, i) => i).filter((i) => treated[i] != null && originals[i] != null);
      if (there.length < 5) continue;
      const pick = (list: readonly MaybeShape[]): HeadShape[] =>
        there.map((i) => list[i]).filter((shape): shape is HeadShape => shape != null);
      const own = random.fork(`closeness ${region} ${name}`);
      const found = closeness(pick(originals), pick(treated), average, region, own);
      const { n } = found.own;
      rows.push({
        id: name,
        title: rowTitle,
        kind,
        cells: {
          own: cellOf(found.own),
          average: cellOf(found.average),
          toAverage: cellOf(found.ownMinusAverage.difference),
          pAverage: { value: found.ownMinusAverage.wilcoxonP, n },
          others: cellOf(found.others),
          toOthers: cellOf(found.ownMinusOthers.difference),
          pOthers: { value: found.ownMinusOthers.wilcoxonP, n },
          direction: cellOf(found.directionOwnMinusOthers.difference),
          pDirection: { value: found.directionOwnMinusOthers.wilcoxonP, n },
        },
      });
    }
    const regionTitle = region === 'face' ? 'face' : 'whole head';
    if (rows.length === 0)
      return absent(`closeness-${region}`, title, 'fewer than five heads have a surface');
    return {
      kind: 'table',
      id: `closeness-${region}`,
      title: `${title}, ${regionTitle}`,
      note: `Mean distances of surfaces. Average: of ${gathered.gallery.length} training faces. Minus average, below 0: the new face is nearer to its subject than the average is (Gao's bar). Minus others, below 0: nearer to its own subject than to other subjects, which is a leak. Direction, above 0: it departs from the average as its own subject does more than as others do (correlation). p: Wilcoxon's signed ranks, two-sided.`,
      columns: [
        { id: 'own', title: 'to its subject', unit: 'mm' },
        { id: 'average', title: 'average to subject', unit: 'mm' },
        { id: 'toAverage', title: 'minus average', unit: 'mm' },
        { id: 'pAverage', title: 'p', unit: 'share' },
        { id: 'others', title: 'to other subjects', unit: 'mm' },
        { id: 'toOthers', title: 'minus others', unit: 'mm' },
        { id: 'pOthers', title: 'p', unit: 'share' },
        { id: 'direction', title: 'direction', unit: 'share' },
        { id: 'pDirection', title: 'p', unit: 'share' },
      ],
      rows,
    };
  });
}

export function averagingBlocks(input: SectionInput): Block[] {
  const { gathered, options, random, scores } = input;
  const title = 'Many seeds averaged';
  if (options.seedsPerHead < 2)
    return [absent('averaging', title, 'no seeds were given to it (--seeds-per-head 16)')];
  const count = Math.min(options.averagingHeads, gathered.subjects.length);
  const few: Group = {
    subjects: gathered.subjects.slice(0, count),
    results: new Map([...gathered.results].map(([name, row]) => [name, row.slice(0, count)])),
  };
  const methods = options.methods.filter(({ kind }) => kind === 'remodel');
  if (methods.length === 0) return [absent('averaging', title, 'none of the methods draws faces from seeds')];
  const blocks: Block[] = [];
  for (const region of ['face', 'head'] as const) {
    const queries = shapesOf(few, ORIGINAL.name);
    const row = (
      id: string,
      rowTitle: string,
      kind: Attacked['kind'],
      all: readonly MaybeShape[],
    ): Attacked => {
      const there = all.map((_, i) => i).filter((i) => all[i] != null);
      const pick = (list: readonly MaybeShape[]): MaybeShape[] => there.map((i) => list[i]);
      return {
        id,
        title: rowTitle,
        kind,
        n: there.length,
        similarity: overUsable(pick(queries), pick(all), (a, b) => scores.similarity(a, b, region)),
      };
    };
    const rows = [row(AGAIN.name, 'ORIGINAL, another view', 'control', shapesOf(few, AGAIN.name))];
    for (const { name } of methods) {
      rows.push(row(name, `${name}, one seed`, 'method', shapesOf(few, name)));
      const drawn = Array.from({ length: options.seedsPerHead }, (_, k) => shapesOf(few, drawName(name, k)));
      const means = few.subjects.map((_, i) => {
        const shapes = drawn.map((list) => list[i]).filter((s): s is HeadShape => s != null);
        return shapes.length < 2 ? null : meanShape(shapes);
      });
      rows.push(row(`${name}-mean`, `${name}, ${options.seedsPerHead} seeds averaged`, 'method', means));
    }
    blocks.push(
      ...attackBlocks(
        {
          id: `averaging-${region}`,
          title: `Geometry, ${region === 'face' ? 'face' : 'whole head'}, on ${count} subjects`,
          note: 'The depth maps of all seeds of one head are averaged, then attacked.',
          rows,
          control: { id: AGAIN.name, atLeast: 0.9 },
        },
        random.fork('averaging'),
      ),
    );
  }
  return blocks;
}

export function memorisationBlocks(input: SectionInput): Block[] {
  const { gathered, options, random, scores } = input;
  const title = 'Memorisation';
  if (options.trainHeads === 0)
    return [absent('memorisation', title, 'no training heads were given to it (--train-heads N)')];
  const { gallery, train } = gathered;
  if (gallery.length === 0 || train === undefined)
    return [
      absent(
        'memorisation',
        title,
        'the data set has no subjects of the split "train" beside those evaluated',
      ),
    ];
  const there = (shapes: readonly MaybeShape[]): HeadShape[] =>
    shapes.filter((s): s is HeadShape => s != null);
  const strangers = there(shapesOf(gathered, ORIGINAL.name));
  const far = (queries: readonly HeadShape[]): Float64Array => scores.distances(queries, gallery, 'face');
  const others = far(strangers);
  const methods = options.methods.map(({ name }) => name);
  const found = methods.map((name) => {
    const shapes = there(shapesOf(gathered, name));
    return { name, ...memorisation(far(shapes), others, gallery.length) };
  });
  const real = memorisation(others, others, gallery.length);
  const own = random.fork('memorisation');
  const blocks: Block[] = [
    measureTable(
      {
        id: 'memorisation-distance',
        title: `Distance of a face to the nearest of ${gallery.length} training faces`,
        note: 'Nearer than strangers: nearer to a training face than 19 of 20 untreated faces that the generator never saw; 5 % is what strangers do.',
        columns: [
          { id: 'nearest', title: 'nearest training face', unit: 'mm', statistic: 'mean' },
          { id: 'near', title: 'nearer than strangers', unit: 'percent', statistic: 'mean' },
        ],
        rows: [
          {
            id: 'strangers',
            title: 'untreated faces of these subjects',
            kind: 'reference',
            values: { nearest: real.strangers, near: real.near },
          },
          ...found.map(({ name, treated, near }) => ({
            id: name,
            title: name,
            kind: 'method' as const,
            values: { nearest: treated, near },
          })),
        ],
      },
      own,
    ),
    {
      kind: 'box',
      id: 'memorisation-box',
      title: 'Distance to the nearest training face',
      unit: 'mm',
      groups: [
        { name: 'strangers', values: real.strangers },
        ...found.map(({ name, treated }) => ({ name, values: treated })),
      ],
    },
  ];
  blocks.push(...trainAttack(input, train));
  return blocks;
}

/** Identification among training subjects, to be read beside the same table for the others. */
function trainAttack({ options, random, scores }: SectionInput, train: Group): Block[] {
  const queries = shapesOf(train, ORIGINAL.name);
  const rows = options.methods.map(({ name }): Attacked => {
    const all = shapesOf(train, name);
    const row: readonly (Measured | undefined)[] = train.results.get(name) ?? [];
    const there = all.map((_, i) => i).filter((i) => row[i] !== undefined && row[i]?.refused === undefined);
    return {
      id: name,
      title: name,
      kind: 'method',
      n: there.length,
      similarity: overUsable<HeadShape>(
        there.map((i) => queries[i]),
        there.map((i) => all[i]),
        (a, b) => scores.similarity(a, b, 'face'),
      ),
    };
  });
  // The control: the untreated head itself, which any attacker must know.
  const same: Attacked = {
    id: AGAIN.name,
    title: 'ORIGINAL, the same view',
    kind: 'control',
    n: queries.length,
    similarity: overUsable<HeadShape>(queries, queries, (a, b) => scores.similarity(a, b, 'face')),
  };
  return attackBlocks(
    {
      id: 'memorisation-train',
      title: 'Geometry, face, on training subjects',
      note: 'To be read beside the same table of section "Identification": a generator that remembers its training subjects gives them away more often.',
      rows: [same, ...rows],
      control: { id: AGAIN.name, atLeast: 0.9 },
    },
    random.fork('train'),
  );
}
