/**
 * Tables about people, made anew by allow-list: ages over 89 are 89, what is not known to be harmless is left behind.
 *
 * @example
 * const { tsv, json, left } = participantsTable(rows, ['sub-01'], []);
 */
import { personalIn } from './personal.js';

/** HIPAA's safe harbour names nobody over it; the BIDS validator asks for 89 and warns of "89+". */
export const OLDEST = 89;

const SEXES: Readonly<Record<string, string>> = {
  m: 'M',
  male: 'M',
  man: 'M',
  f: 'F',
  female: 'F',
  woman: 'F',
  o: 'O',
  other: 'O',
};
const HANDS: Readonly<Record<string, string>> = {
  l: 'L',
  left: 'L',
  r: 'R',
  right: 'R',
  a: 'A',
  ambidextrous: 'A',
};
const NOTHING = 'n/a';

interface Column {
  readonly description: object;
  value(cell: string): string;
}

const COLUMNS: Readonly<Record<string, Column>> = {
  age: {
    description: { Description: `Age of the participant; ${OLDEST} for all who are older`, Units: 'year' },
    value: (cell) => {
      const age = Number(cell.replace(/[+y]$/i, ''));
      return cell.trim() === '' || !Number.isFinite(age) || age < 0 || age > 130
        ? NOTHING
        : String(Math.min(OLDEST, Math.round(age * 100) / 100));
    },
  },
  sex: {
    description: { Description: 'Sex of the participant', Levels: { M: 'male', F: 'female', O: 'other' } },
    value: (cell) => SEXES[cell.trim().toLowerCase()] ?? NOTHING,
  },
  handedness: {
    description: {
      Description: 'Handedness of the participant',
      Levels: { L: 'left', R: 'right', A: 'ambidextrous' },
    },
    value: (cell) => HANDS[cell.trim().toLowerCase()] ?? NOTHING,
  },
};

export interface PeopleTable {
  readonly tsv: string;
  /** What its columns mean. */
  readonly json: string;
  /** How many columns of the original were left behind. */
  readonly left: number;
}

const COLUMN_SHAPE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * @param rows of the original's participants.tsv  @param subjects who has results, in order
 * @param asked further columns that the user wants; cells that look personal become `n/a`
 */
export function participantsTable(
  rows: readonly Readonly<Record<string, string>>[],
  subjects: readonly string[],
  asked: readonly string[],
): PeopleTable {
  const there = new Set(rows.flatMap((row) => Object.keys(row)));
  const wanted = [...there].filter(
    (name) =>
      Object.hasOwn(COLUMNS, name) ||
      (asked.includes(name) && COLUMN_SHAPE.test(name) && name !== 'participant_id'),
  );
  const byId = new Map(rows.map((row) => [row.participant_id, row]));
  const lines = subjects.map((id) => [
    id,
    ...wanted.map((name) => cellOf(name, byId.get(id)?.[name] ?? NOTHING)),
  ]);
  const json = {
    participant_id: { Description: 'Label of the participant' },
    ...Object.fromEntries(
      wanted.map((name) => [
        name,
        COLUMNS[name]?.description ?? { Description: 'Column that was kept on request' },
      ]),
    ),
  };
  return {
    tsv: table(['participant_id', ...wanted], lines),
    json: `${JSON.stringify(json, null, 2)}\n`,
    left: [...there].filter((name) => name !== 'participant_id' && !wanted.includes(name)).length,
  };
}

function cellOf(name: string, cell: string): string {
  const column = COLUMNS[name];
  if (column !== undefined) return column.value(cell);
  return cell.length > 64 || personalIn(cell) !== undefined ? NOTHING : cell;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return `${[head, ...lines].map((cells) => cells.map((cell) => cell.replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n')}\n`;
}

type Row = Readonly<Record<string, string>>;

/**
 * The table of a subject's (or session's) scans with times that are shifted: all of one person by the same number of days, to
 * before 1925, as BIDS has it, so that intervals stay. Undefined when no time is known.
 * @param rows of the original's scans.tsv  @param outputs by the names of the inputs, as both stand in the table
 * @param shiftDays how many days earlier
 */
export function scansTable(
  rows: readonly Row[],
  outputs: ReadonlyMap<string, string>,
  shiftDays: number,
): string | undefined {
  const lines: string[][] = [];
  for (const row of rows) {
    const output = outputs.get(row.filename ?? '');
    const time = minuteOf(row.acq_time ?? '');
    if (output !== undefined && time !== undefined)
      lines.push([output, new Date(time - shiftDays * DAY_MS).toISOString().slice(0, 19)]);
  }
  return lines.length === 0 ? undefined : table(['filename', 'acq_time'], lines);
}

const DAY_MS = 86_400_000;

/** By how many days a table that was written is earlier than its original; undefined where they have no time in common. */
export function shiftOf(original: readonly Row[], written: readonly Row[]): number | undefined {
  for (const row of written) {
    const then = minuteOf(original.find(({ filename }) => filename === row.filename)?.acq_time ?? '');
    const now = minuteOf(row.acq_time ?? '');
    if (then !== undefined && now !== undefined) return Math.round((then - now) / DAY_MS);
  }
  return undefined;
}

/** Without seconds; undefined for what is no time. */
function minuteOf(time: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?$/.test(time)) return undefined;
  const there = Date.parse(`${time.slice(0, 16)}:00Z`);
  return Number.isNaN(there) ? undefined : there;
}
