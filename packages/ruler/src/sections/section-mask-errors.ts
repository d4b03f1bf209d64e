/**
 * The section of mask errors: for each kind and size, what is lost of the brain, what is kept of the rest, and what
 * that does to the attacks by geometry and by SQN and to the segmentation.
 *
 * @example
 * const blocks = maskErrorBlocks(input);
 */
import type { HeadShape } from '../privacy/geometry.js';
import { identify } from '../privacy/identification.js';
import { overUsable, vectorSimilarity } from '../privacy/similarity.js';
import { measureTable } from '../report/report-measures.js';
import { absent, type Block, type Cell, cellOf, type Row } from '../report/results.js';
import { TRANSFER } from '../run/instruments.js';
import type { Measured } from '../run/measure.js';
import { maskErrorName, ORIGINAL } from '../run/variants.js';
import { MASK_ERRORS } from '../utility/mask-errors.js';
import type { SectionInput } from './section-input.js';
import { armValue } from './section-segmentation.js';

export function maskErrorBlocks(input: SectionInput): Block[] {
  const { options } = input;
  if (options.maskErrorHeads === 0)
    return [
      absent('mask-errors', 'Errors of the brain mask', 'no heads were given to it (--mask-error-heads N)'),
    ];
  return options.methods.map(({ name }) => methodTable(input, name));
}

function methodTable(input: SectionInput, method: string): Block {
  const { gathered, options, random } = input;
  const heads = gathered.subjects.map((_, i) => i).slice(0, options.maskErrorHeads);
  const of = (variant: string): (Measured | undefined)[] =>
    heads.map((i) => gathered.results.get(variant)?.[i]);
  const cases = [
    { name: method, title: 'mask as found' },
    ...MASK_ERRORS.flatMap((kind) =>
      options.maskErrorMm.map((mm) => ({ name: maskErrorName(method, kind, mm), title: `${kind} ${mm} mm` })),
    ),
  ];
  const table = measureTable(
    {
      id: `mask-errors-${method}`,
      title: `Errors of the brain mask, ${method}`,
      note: "Brain lost: share of the true brain's voxels that were replaced. Kept: what is not brain and was left. Dice: mean of classes against the original, the true mask given to the segmenter.",
      columns: [
        { id: 'lost', title: 'brain lost', unit: 'percent', statistic: 'mean' },
        { id: 'kept', title: 'others kept', unit: 'ml', statistic: 'mean' },
        { id: 'dice', title: 'Dice', unit: 'share', statistic: 'mean' },
      ],
      rows: cases.map(({ name, title }) => ({
        id: name,
        title,
        kind: name === method ? 'reference' : 'method',
        values: {
          lost: of(name).map((m) => costOf(m, name === method)?.brainLost ?? Number.NaN),
          kept: of(name).map((m) => costOf(m, name === method)?.othersKeptMl ?? Number.NaN),
          dice: of(name).map((m) => armValue(m?.utility?.fixed)),
        },
        ...refusedNote(of(name)),
      })),
    },
    random,
  );
  const attackers = attackersOf(input, method);
  const columns = [
    ...table.columns,
    ...attackers.map(({ id, title }) => ({ id, title: `${title}, of five`, unit: 'percent' as const })),
  ];
  const rows = table.rows.map((row): Row => {
    const cells: Record<string, Cell> = {};
    for (const attacker of attackers) {
      const found = fiveWayRate(attacker, of(ORIGINAL.name), of(row.id), random);
      if (found !== undefined) cells[attacker.id] = found;
    }
    return { ...row, cells: { ...row.cells, ...cells } };
  });
  return { ...table, columns, rows };
}

type MaybeMeasured = Measured | undefined;

interface Attacker {
  readonly id: string;
  readonly title: string;
  /** Whether it has something to compare. */
  sees(measured: MaybeMeasured): boolean;
  similarity(originals: readonly MaybeMeasured[], treated: readonly MaybeMeasured[]): Float64Array;
}

/** Geometry of the face, and every SQN that was given: the transferred one, and the one that studied this method. */
function attackersOf({ scores, instruments }: SectionInput, method: string): Attacker[] {
  const shapes = (row: readonly MaybeMeasured[]): (HeadShape | null | undefined)[] =>
    row.map((m) => m?.shape);
  const geometry: Attacker = {
    id: 'face',
    title: 'face found by geometry',
    sees: (m) => m?.shape != null,
    similarity: (originals, treated) =>
      overUsable<HeadShape>(shapes(originals), shapes(treated), (a, b) => scores.similarity(a, b, 'face')),
  };
  const networks = [...instruments.sqn].filter(
    ([name, sqn]) => sqn.ready && (name === TRANSFER || name === method),
  );
  const learned = networks.map(
    ([name]): Attacker => ({
      id: name === TRANSFER ? 'sqn' : 'sqn-adaptive',
      title: name === TRANSFER ? 'found by SQN' : 'found by adaptive SQN',
      sees: (m) => (m?.sqn[name]?.length ?? 0) > 0,
      similarity: (originals, treated) =>
        vectorSimilarity(
          originals.map((m) => m?.sqn[name]),
          treated.map((m) => m?.sqn[name]),
          'dot',
        ),
    }),
  );
  return [geometry, ...learned];
}

function costOf(measured: Measured | undefined, asFound: boolean): Measured['maskCost'] {
  if (measured === undefined || measured.refused !== undefined) return undefined;
  return asFound ? { brainLost: 0, othersKeptMl: 0 } : measured.maskCost;
}

function refusedNote(row: readonly (Measured | undefined)[]): { note?: string } {
  const count = row.filter((m) => m?.refused !== undefined).length;
  return count === 0 ? {} : { note: `${count} heads refused` };
}

/** Five-way rate among the heads of this section alone; undefined when they are too few. */
function fiveWayRate(
  attacker: Attacker,
  originals: readonly MaybeMeasured[],
  treated: readonly MaybeMeasured[],
  random: SectionInput['random'],
): Cell | undefined {
  const there = treated
    .map((_, i) => i)
    .filter((i) => attacker.sees(treated[i]) && attacker.sees(originals[i]));
  if (there.length < 5) return undefined;
  const similarity = attacker.similarity(
    there.map((i) => originals[i]),
    there.map((i) => treated[i]),
  );
  return cellOf(identify(similarity, there.length, random.fork('mask errors')).fiveWay);
}
