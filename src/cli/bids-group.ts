/**
 * The group level of `prosopon bids`: one page to look through all results, and the same as tables for machines, in a folder beside
 * the data set: neither belongs into what is released.
 *
 * @example
 * await group(session, places, options);
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cachedTree } from '../bids/inheritance.js';
import type { ScanRecord } from '../bids/record.js';
import { VERSION } from '../deidentify/version.js';
import { Failure, Refusal } from '../errors/errors.js';
import { planDataset } from '../node/bids/dataset-plan.js';
import { putFile } from '../node/bids/disk.js';
import { finishDataset } from '../node/bids/finish.js';
import { isWithin, type Places } from '../node/bids/places.js';
import { Records } from '../node/bids/records.js';
import { readSettings } from '../node/bids/settings.js';
import { strangersIn } from '../node/bids/strangers.js';
import { codeOf } from '../node/error-code.js';
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
  const rows = planned.map(({ image }): ScanRecord => records.get(image.path) ?? notYet(image.path));
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
  for (const [name, content] of [
    ['index.html', datasetIndexPage({ ...about, records: rows })],
    ['summary.tsv', summaryTsv(rows)],
    ['summary.json', summaryJson(rows, about)],
  ] as const)
    putFile(join(report, name), content, READABLE);
  const count = (...statuses: readonly string[]): number =>
    rows.filter(({ status }) => statuses.includes(status)).length;
  const open = rows.filter(
    ({ path, status }) => status === 'begun' && records.get(path) === undefined,
  ).length;
  const [done, refused, failed] = [count('done'), count('refused'), count('failed', 'begun') - open];
  session.facts.summary = { done, refused, failed, notBegun: open, leftOut: about.left.length };
  session.facts.outputs = ['index.html', 'summary.tsv', 'summary.json'].map((name) => join(report, name));
  if (strangers.length > 0)
    session.warn(
      `${strangers.length} files of the output were made by no run here: look what they are before you release`,
    );
  const what = `${refused} of ${rows.length} scans refused, ${failed} failed, ${open} not begun`;
  session.say(`${done} done, ${what}; look through them: ${printable(join(report, 'index.html'))}`);
  if (failed > 0) throw new Failure('some-failed', `expected a result of every scan, found ${what}`);
  // Who asked for some people has not forgotten the others.
  const asked =
    options.participantLabel === undefined &&
    options.sessionLabel === undefined &&
    options.shard === undefined;
  if (options.refusalsOk !== true && refused + (asked ? open : 0) > 0)
    throw new Refusal('some-refused', `expected a result of every scan, found ${what}`);
}

function notYet(path: string): ScanRecord {
  return { path, key: '', status: 'begun', message: 'not treated yet; run the participant level again' };
}

/** @throws {Refusal} option-invalid, output-unwritable */
function reportFolder(places: Places, asked: string | undefined): string {
  const folder = asked ?? `${places.output}-report`;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new Refusal('output-unwritable', `the folder of the report cannot be made (${codeOf(cause)})`, {
      cause,
    });
  }
  if (isWithin(folder, places.output) || isWithin(folder, places.input))
    throw new Refusal(
      'option-invalid',
      'expected --report-dir outside of the data sets, as the page is not for release; found it in one of them',
    );
  return folder;
}
