/**
 * What belongs to a data set of results as a whole: its description, the table of its participants, times that were shifted. Written
 * anew after each run from the records, so that it names what is there and nobody else.
 *
 * @example
 * await finishDataset(places, tree, records, settings, described);
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTable } from '../../bids/dataset.js';
import { type Described, rootFiles } from '../../bids/describe.js';
import type { FileTree } from '../../bids/file-tree.js';
import { participantsTable, scansTable, shiftOf } from '../../bids/people.js';
import type { Seed } from '../../methods/method.js';
import { folderTree } from '../folder-tree.js';
import { exists, putFile } from './disk.js';
import { DESCRIPTION, type Places, readDescription } from './places.js';
import type { Records } from './records.js';
import type { Settings } from './settings.js';
import { seedOfSubject } from './subject.js';

/** Files of results are for everybody whom the folder is for. */
const PUBLIC = 0o644;

/** Before anything is treated, so that the folder says whose it is. */
export function beginDataset(places: Places, described: Described): void {
  const original = readDescription(places.input) ?? {};
  for (const [name, content] of rootFiles(described, original)) {
    const path = join(places.output, name);
    // The day of a release is that of its first run.
    if (name !== DESCRIPTION && exists(path)) continue;
    putFile(path, content, PUBLIC);
  }
}

/** Images that have a result, by subject; paths from the root of the input to those from the root of the output. */
export function resultsOf(
  places: Places,
  records: Records,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const results = new Map<string, Map<string, string>>();
  for (const { path, status, output } of records.all()) {
    if (status !== 'done' || output === undefined || !exists(join(places.output, output))) continue;
    const subject = path.split('/')[0] ?? '';
    const known = results.get(subject) ?? new Map<string, string>();
    known.set(path, output);
    results.set(subject, known);
  }
  return results;
}

/** @param times whose tables of times are written  @returns sentences about what was left behind */
export async function finishDataset(
  places: Places,
  tree: FileTree,
  records: Records,
  settings: Settings,
  times: { readonly subjects: ReadonlySet<string>; readonly seed?: Seed } = { subjects: new Set() },
): Promise<readonly string[]> {
  const rows = await readTable(tree, 'participants.tsv');
  const subjectsOf = (of: ReadonlyMap<string, unknown>): string[] => [...of.keys()].sort();
  let results: ReturnType<typeof resultsOf>;
  let people: ReturnType<typeof participantsTable>;
  // Shares that end at a time would write over one another's people: whoever has written looks once more what there is.
  do {
    results = resultsOf(places, records);
    people = participantsTable(rows, subjectsOf(results), settings.columns);
    for (const [name, content] of [
      ['participants.tsv', people.tsv],
      ['participants.json', people.json],
    ] as const)
      putFile(join(places.output, name), content, PUBLIC);
  } while (subjectsOf(resultsOf(places, records)).join(' ') !== subjectsOf(results).join(' '));
  // Times are a person's: whoever has the person's share writes them, and nobody else at the same time.
  for (const [subject, outputs] of results)
    if (times.subjects.has(subject)) await writeTimes(places, tree, subject, outputs, settings, times.seed);
  return people.left === 0
    ? []
    : [
        `${people.left} column${people.left === 1 ? '' : 's'} of participants.tsv left out; --keep-columns NAME,... keeps them, except cells that look personal`,
      ];
}

/** All times of one person by the same number of days, to before 1925: so BIDS marks that they are shifted. */
const LEAST_DAYS = 45_000;
const SPREAD_DAYS = 3650;

/**
 * The number of days is drawn from the person's seed; without one it is drawn once, and read again from the tables that were written
 * with it: it is stored nowhere else, as it is the key to the true dates.
 */
async function writeTimes(
  places: Places,
  tree: FileTree,
  subject: string,
  outputs: ReadonlyMap<string, string>,
  { dates, layout }: Settings,
  seed: Seed | undefined,
): Promise<void> {
  const shifts = dates === 'shift' && layout === 'raw';
  const written = folderTree(places.output);
  const tables = await Promise.all(
    [...new Set([...outputs.keys()].map((path) => dirname(dirname(path))))].map(async (folder) => {
      const name = `${[subject, ...folder.split('/').slice(1)].join('_')}_scans.tsv`;
      const path = `${folder}/${name}`;
      const rows = shifts ? await readTable(tree, path) : [];
      return { folder, path, rows, before: shifts ? await readTable(written, path) : [] };
    }),
  );
  const before = tables
    .map(({ rows, before: there }) => shiftOf(rows, there))
    .find((days) => days !== undefined);
  const drawn =
    seed === undefined
      ? randomInt(SPREAD_DAYS)
      : (seedOfSubject(seed, `${subject} dates`)[0] ?? 0) % SPREAD_DAYS;
  const days = (seed === undefined ? before : undefined) ?? LEAST_DAYS + drawn;
  for (const { folder, path, rows } of tables) {
    const within = new Map(
      [...outputs].flatMap(([from, to]) =>
        dirname(dirname(from)) === folder
          ? [[from.slice(folder.length + 1), to.slice(folder.length + 1)] as const]
          : [],
      ),
    );
    const target = join(places.output, path);
    const table = scansTable(rows, within, days);
    if (table === undefined) rmSync(target, { force: true });
    else putFile(target, table, PUBLIC);
  }
}
