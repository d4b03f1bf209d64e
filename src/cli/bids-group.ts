/**
 * The group level of `prosopon bids`: one page to look through all results, and the same as tables for machines, in a folder beside
 * the data set: neither belongs into what is released.
 *
 * @example
 * await group(session, places, options);
 */
import { join } from 'node:path';
import { cachedTree } from '../bids/inheritance.js';
import type { ScanRecord } from '../bids/record.js';
import { VERSION } from '../deidentify/version.js';
import { Failure, Refusal } from '../errors/errors.js';
import { planDataset } from '../node/bids/dataset-plan.js';
import { putFile } from '../node/bids/disk.js';
import { finishDataset } from '../node/bids/finish.js';
import { type Places, reportFolder } from '../node/bids/places.js';
import { Records } from '../node/bids/records.js';
import { readSettings } from '../node/bids/settings.js';
import { strangersIn } from '../node/bids/strangers.js';
import { folderTree } from '../node/folder-tree.js';
import { datasetIndexPage } from '../report/dataset-index.js';
import { summaryJson, summaryTsv } from '../report/dataset-summary.js';
import type { BidsOptions } from './bids-options.js';
import type { Session } from './session.js';
import { printable } from './terminal.js';

const READABLE = 0o644;

/**
 * @throws {Refusal} dataset-invalid before anybody was treated, some-refused; output-unwritable
 * @throws {Failure} some-failed
 */
export async function group(session: Session, places: Places, options: BidsOptions): Promise<void> {
  const settings = readSettings(places.work);
  if (settings === undefined)
    throw new Refusal(
      'dataset-invalid',
      'expected results of the participant level, found none; run it first, with the same --work-dir',
    );
  const method = session.environment.methods.get(settings.method);
  session.facts.method = method.name;
  const tree = cachedTree(folderTree(places.input));
  const { plans, left, warnings } = await planDataset(tree, settings, method.kind === 'remove');
  const records = new Records(join(places.work, 'records'));
  const notes = await finishDataset(places, tree, records, settings);
  const planned = plans.flatMap(({ treat, copy }) => [...treat.flat(), ...copy]);
  let open = 0;
  const rows = planned.map(({ image: { path } }): ScanRecord => {
    const record = records.get(path);
    if (record === undefined) open++;
    return record ?? notYet(path);
  });
  const strangers = strangersIn(places.output, rows);
  const report = reportFolder(places, options.reportDir);
  const about = {
    title: settings.name ?? 'Prosopon: results of a data set',
    version: VERSION,
    method: method.name,
    layout: settings.layout,
    left: [...plans.flatMap((plan) => plan.left), ...left].map(({ path, why }) => ({ path, reason: why })),
    warnings: [
      ...warnings,
      ...notes,
      ...strangers.map((path) => `no run here has made it, look what it is: ${path}`),
    ],
  };
  const files = [
    ['index.html', datasetIndexPage({ ...about, records: rows })],
    ['summary.tsv', summaryTsv(rows)],
    ['summary.json', summaryJson(rows, about)],
  ] as const;
  for (const [name, content] of files) putFile(join(report, name), content, READABLE);
  const count = (...statuses: readonly string[]): number =>
    rows.filter(({ status }) => statuses.includes(status)).length;
  const [done, refused, failed] = [count('done'), count('refused'), count('failed', 'begun') - open];
  session.facts.summary = { done, refused, failed, notBegun: open, leftOut: about.left.length };
  session.facts.outputs = files.map(([name]) => join(report, name));
  if (strangers.length > 0)
    session.warn(
      `${strangers.length} files of the output were made by no run here: look what they are before you release`,
    );
  const what = `${refused} of ${rows.length} scans refused, ${failed} failed, ${open} not begun`;
  session.say(`${done} done, ${what}; look through them: ${printable(join(report, 'index.html'))}`);
  if (failed > 0) throw new Failure('some-failed', `expected a result of every scan, found ${what}`);
  // Who asked for some people has not forgotten the others.
  const all =
    options.participantLabel === undefined &&
    options.sessionLabel === undefined &&
    options.shard === undefined;
  if (options.refusalsOk !== true && refused + (all ? open : 0) > 0)
    throw new Refusal('some-refused', `expected a result of every scan, found ${what}`);
}

function notYet(path: string): ScanRecord {
  return { path, key: '', status: 'begun', message: 'not treated yet; run the participant level again' };
}
