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
import { participantsTable, scansTable } from '../../bids/people.js';
import { replaceFile } from '../replace-file.js';
import { exists } from './disk.js';
import { DESCRIPTION, type Places, readDescription } from './places.js';
import type { Records } from './records.js';
import type { Settings } from './settings.js';

/** Files of results are for everybody whom the folder is for. */
const PUBLIC = 0o644;

/** Before anything is treated, so that the folder says whose it is. */
export function beginDataset(places: Places, described: Described): void {
  const original = readDescription(places.input) ?? {};
  for (const [name, content] of rootFiles(described, original)) {
    const path = join(places.output, name);
    // The day of a release is that of its first run.
    if (name !== DESCRIPTION && exists(path)) continue;
    replaceFile(path, content, PUBLIC);
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

/** @returns sentences about what was left behind */
export async function finishDataset(
  places: Places,
  tree: FileTree,
  records: Records,
  settings: Settings,
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
      replaceFile(join(places.output, name), content, PUBLIC);
  } while (subjectsOf(resultsOf(places, records)).join(' ') !== subjectsOf(results).join(' '));
  for (const [subject, outputs] of results) await writeTimes(places, tree, subject, outputs, settings);
  return people.left === 0
    ? []
    : [
        `${people.left} column${people.left === 1 ? '' : 's'} of participants.tsv left out; --keep-columns NAME,... keeps them, except cells that look personal`,
      ];
}

/** All times of one person by the same number of days, to before 1925: so BIDS marks that they are shifted. */
const LEAST_DAYS = 45_000;
const SPREAD_DAYS = 3650;

async function writeTimes(
  places: Places,
  tree: FileTree,
  subject: string,
  outputs: ReadonlyMap<string, string>,
  { dates, layout }: Settings,
): Promise<void> {
  const folders = new Set([...outputs.keys()].map((path) => dirname(dirname(path))));
  const days = LEAST_DAYS + randomInt(SPREAD_DAYS);
  for (const folder of folders) {
    const name = `${[subject, ...folder.split('/').slice(1)].join('_')}_scans.tsv`;
    const path = join(places.output, folder, name);
    const within = new Map(
      [...outputs].flatMap(([from, to]) =>
        dirname(dirname(from)) === folder
          ? [[from.slice(folder.length + 1), to.slice(folder.length + 1)] as const]
          : [],
      ),
    );
    const table =
      dates === 'shift' && layout === 'raw'
        ? scansTable(await readTable(tree, `${folder}/${name}`), within, days)
        : undefined;
    if (table === undefined) rmSync(path, { force: true });
    else replaceFile(path, table, PUBLIC);
  }
}
