/**
 * The page of a data set: one HTML file without links or anything from outside, on which a person looks through all scans,
 * the worst first, and accepts or rejects each. It holds what records hold, so nothing of an original, and leaves out their keys,
 * which are digests of the inputs.
 *
 * Its script is allowed by its hash; rows are data that the script draws, and pictures stand in blocks of their own behind it, so
 * that a page of ten thousand scans is there before its pictures are. Without a script there is a plain table.
 *
 * @example
 * const html = datasetIndexPage({ title: 'Study 7', version, method: 'cp-mae', layout: 'derivative', records, left, warnings });
 */
import type { ScanFigures, ScanRecord } from '../bids/record.js';
import { html, type Markup, renderMarkup } from '../render/markup.js';
import { dataBlock, scriptedPage } from '../render/scripted-page.js';
import { hex, Sha256 } from '../volume/sha256.js';
import { type Advice, adviceFor, UNFINISHED } from './advice.js';
import { INDEX_SCRIPT } from './dataset-index-script.js';
import { INDEX_STYLE } from './dataset-index-style.js';
import { byPath, STATUSES, worstFirst } from './dataset-order.js';
import { countByReason, countByStatus, type DatasetAbout } from './dataset-summary.js';

export interface DatasetIndexContent extends DatasetAbout {
  readonly records: readonly ScanRecord[];
}

export interface DatasetIndexOptions {
  /** Most characters of pictures in a page; the best scans go without when there are more. A string of V8 ends at 2^29. */
  readonly pictureBudget?: number;
}

const PICTURE_BUDGET = 256 * 2 ** 20;

interface Column {
  readonly key: 'place' | 'path' | 'status' | 'checks' | keyof ScanFigures | 'warnings' | 'decision';
  readonly label: string;
  readonly meaning: string;
  /** 1 where the least is the worst, -1 where the greatest is: what a first click brings to the top. */
  readonly worst: 1 | -1;
  /** Of figures: what is shown is factor times the value, with so many digits. */
  readonly factor?: number;
  readonly digits?: number;
}

const COLUMNS: readonly Column[] = [
  {
    key: 'place',
    label: '#',
    meaning:
      'Place when the worst come first: failed, refused, never ended; then results with a failed check, copied ones, those measured by the worst of their ranks in surface moved, face kept, seam and mask agreement, and those not measured.',
    worst: 1,
  },
  {
    key: 'path',
    label: 'Scan',
    meaning: 'Path in the input data set, and pictures of the new head.',
    worst: 1,
  },
  {
    key: 'status',
    label: 'Status',
    meaning: 'How it ended, for which reason, and the part it had in its session.',
    worst: 1,
  },
  { key: 'checks', label: 'Checks', meaning: 'How many of the checks of the result passed.', worst: 1 },
  {
    key: 'surfaceMovedMm',
    label: 'Surface moved, mm',
    meaning: 'Median distance between the skin of the face before and after.',
    worst: 1,
    factor: 1,
    digits: 1,
  },
  {
    key: 'faceKept',
    label: 'Face kept, %',
    meaning: 'Share of the face before that still stands in its place.',
    worst: -1,
    factor: 100,
    digits: 1,
  },
  {
    key: 'seam',
    label: 'Seam',
    meaning: 'Step of brightness where kept and new voxels meet, in brain levels.',
    worst: -1,
    factor: 1,
    digits: 3,
  },
  {
    key: 'maskAgreement',
    label: 'Mask agree\u00adment',
    meaning: 'Dice of the two looks for the brain, 0 to 1.',
    worst: 1,
    factor: 1,
    digits: 3,
  },
  { key: 'brainMl', label: 'Brain, ml', meaning: 'Volume of the brain.', worst: 1, factor: 1, digits: 0 },
  { key: 'seconds', label: 'Seconds', meaning: 'Time it took.', worst: -1, factor: 1, digits: 0 },
  { key: 'warnings', label: 'Warn\u00adings', meaning: 'Number of warnings; details name them.', worst: -1 },
  { key: 'decision', label: 'Decision', meaning: 'Yours: accept or reject, and a note.', worst: 1 },
];

export function datasetIndexPage(content: DatasetIndexContent, options: DatasetIndexOptions = {}): string {
  const records = worstFirst(content.records);
  const pictures = picturesWithin(records, options.pictureBudget ?? PICTURE_BUDGET);
  const without = records.slice(pictures.length).filter(({ pictures: of }) => of !== undefined).length;
  const rows = records.map((record, i) => rowOf(record, pictures[i] ?? []));
  const reasons: Record<string, Advice> = { begun: UNFINISHED };
  for (const reason of countByReason(records).keys()) reasons[reason] = adviceFor(reason);

  const blocks = pictures.map((of, i) =>
    of.length === 0 ? '' : dataBlock(`pictures-${i}`, Object.fromEntries(of)),
  );
  const digest = new Sha256();
  for (const part of [JSON.stringify(rows), ...blocks]) digest.update(new TextEncoder().encode(part));
  const data = { digest: hex(digest.digest()), columns: COLUMNS, reasons, rows };
  return scriptedPage({
    title: `${content.title}: Prosopon`,
    style: INDEX_STYLE,
    script: INDEX_SCRIPT,
    body: `${renderMarkup(head(content))}
${renderMarkup(left(content))}
${renderMarkup(app(content.records, without))}
<noscript>${renderMarkup(plainTable(records))}</noscript>
${dataBlock('data', data)}`,
    behind: blocks.join(''),
  });
}

/** Pictures by name, of one scan. */
type Pictures = readonly (readonly [string, string])[];

/** Those of as many of the first scans as the budget takes. */
function picturesWithin(records: readonly ScanRecord[], budget: number): readonly Pictures[] {
  const within: Pictures[] = [];
  let spent = 0;
  for (const { pictures } of records) {
    for (const png of Object.values(pictures ?? {})) spent += png.length;
    if (spent > budget) break;
    within.push(sortedPictures(pictures));
  }
  return within;
}

/** Front, side and slice before others; what is no base64 is no picture. */
function sortedPictures(pictures: ScanRecord['pictures']): Pictures {
  const order = ['front', 'left', 'slice'];
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(pictures ?? {})
    .filter(([, png]) => /^[A-Za-z0-9+/]+={0,2}$/.test(png))
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
}

function rowOf(record: ScanRecord, pictures: Pictures) {
  const { path, status, output, reason, message, role, warnings, checks, figures } = record;
  return {
    ...{ path, status, output, reason, message, role, figures },
    warnings: warnings ?? [],
    checks: Object.entries(checks ?? {}).map(([name, { passed, value }]) => [name, passed, shown(value)]),
    pictures: pictures.map(([name]) => name),
  };
}

function shown(value: number | string): string {
  return typeof value === 'number' && !Number.isInteger(value)
    ? String(Number(value.toPrecision(4)))
    : String(value);
}

const many = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;

function head({ title, version, method, layout, records, warnings }: DatasetIndexContent): Markup {
  const counts = countByStatus(records);
  const said = [...STATUSES].reverse().filter((status) => counts[status] > 0 || status === 'done');
  return html`
    <h1>${title}</h1>
    <p>${many(records.length, 'scan')}: ${said.map((status) => `${counts[status]} ${status}`).join(', ')}. Prosopon ${version}, method ${method}, layout ${layout}.</p>
    ${
      warnings.length > 0 &&
      html`<details open=${warnings.length <= 5}><summary>${many(warnings.length, 'warning')} on the data set</summary><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul></details>`
    }
    ${reasonTable(records, counts.begun)}`;
}

function reasonTable(records: readonly ScanRecord[], begun: number): Markup | false {
  const rows = [...countByReason(records)].map(([reason, n]) => ({ reason, n, ...adviceFor(reason) }));
  if (begun > 0) rows.push({ reason: 'begun', n: begun, ...UNFINISHED });
  return (
    rows.length > 0 &&
    html`<details open=${rows.length <= 4}><summary>What was not treated, and what to try</summary>
    <table class="reasons"><thead><tr><th scope="col">Reason</th><th scope="col">Scans</th><th scope="col">What it means</th><th scope="col">What to try</th></tr></thead>
    <tbody>${rows.map(({ reason, n, meaning, advice }) => html`<tr><th scope="row">${reason}</th><td>${many(n, 'scan')} <button type="button" hidden data-reason=${reason} aria-label=${`Show the scans of ${reason}`}>Show</button></td><td>${meaning}</td><td>${advice}</td></tr>`)}</tbody></table></details>`
  );
}

/** What policy left out, by reason. */
function left({ left: files }: DatasetIndexContent): Markup {
  const byReason = new Map<string, string[]>();
  for (const { path, reason } of [...files].sort(byPath))
    byReason.set(reason, [...(byReason.get(reason) ?? []), path]);
  if (files.length === 0) return undefined;
  return html`<details><summary>${many(files.length, 'file')} left out</summary>
    ${[...byReason].map(([reason, paths]) => html`<details><summary>${reason}: ${many(paths.length, 'file')}</summary><ul>${paths.map((path) => html`<li><bdi>${path}</bdi></li>`)}</ul></details>`)}</details>`;
}

const HELP: readonly (readonly [readonly string[], string])[] = [
  [['J', '\u2193'], 'next scan'],
  [['K', '\u2191'], 'scan before'],
  [['A'], 'accept; once more takes it back'],
  [['R'], 'reject; once more takes it back'],
  [['N'], 'write a note; Enter or Escape ends it'],
  [['D'], 'details of the scan'],
  [['/'], 'filter; Enter or Escape goes to the scans'],
  [['?'], 'this help'],
];

function app(records: readonly ScanRecord[], without: number): Markup {
  const counts = countByStatus(records);
  const filterButton = (status: string, n: number): Markup =>
    html`<button type="button" data-status=${status} aria-pressed=${status === 'all' ? 'true' : 'false'}>${status === 'all' ? 'All' : status} ${n}</button>`;
  return html`<main id="app" hidden>
    <h2 class="unseen">Scans</h2>
    <p id="notice" class="notice" role="alert" hidden></p>
    ${without > 0 && html`<p class="notice">The page would be too long with all pictures: the last ${many(without, 'scan')} in order of # ${without === 1 ? 'is' : 'are'} shown without.</p>`}
    <div id="tools">
      <label>Filter <input id="filter" type="search" placeholder="path, status or reason" aria-keyshortcuts="/" autocomplete="off" spellcheck=${false}/></label>
      <label>Decision <select id="by-decision" autocomplete="off"><option value="all">any</option><option value="none">open</option><option value="accept">accepted</option><option value="reject">rejected</option></select></label>
      <button id="save" type="button">Save decisions</button>
      <button id="load" type="button">Load decisions</button>
      <input id="file" type="file" accept=".tsv,.txt,text/tab-separated-values" aria-label="Table of decisions" hidden/>
      <button id="ask" type="button" aria-keyshortcuts="?">Keys and columns <kbd aria-hidden="true">?</kbd></button>
    </div>
    <div class="statuses" role="group" aria-label="Show by status">${filterButton('all', records.length)}${STATUSES.map((status) => filterButton(status, counts[status]))}</div>
    <div id="sorting"><label>Sort by <select id="sort-by" autocomplete="off">${COLUMNS.map(({ key, label }) => html`<option value=${key}>${key === 'place' ? 'worst first (#)' : label}</option>`)}</select></label><button id="sort-way" type="button"></button></div>
    <p><span id="shown" role="status"></span>; <span id="decided"></span></p>
    <p id="status" role="status"></p>
    <table id="scans" role="table" aria-label="Scans">
      <thead role="rowgroup"><tr role="row">${COLUMNS.map(({ key, label, meaning, factor }) => html`<th scope="col" role="columnheader" aria-sort="none" class=${factor === undefined ? `of-${key}` : 'of-figure'}><button type="button" data-column=${key} title=${meaning}>${label}</button></th>`)}</tr></thead>
      <tbody id="rows" role="rowgroup"></tbody>
    </table>
    <p id="nothing" hidden>No scan is like that.</p>
    <button id="more" type="button" hidden>Show more</button>
    <dialog id="help" aria-labelledby="help-title"><button id="close" type="button">Close</button><h2 id="help-title">Keys</h2>
      <table><tbody>${HELP.map(([keys, does]) => html`<tr><td>${keys.map((key) => html`<kbd>${key}</kbd> `)}</td><td>${does}</td></tr>`)}</tbody></table>
      <h2>Columns</h2><dl>${COLUMNS.map(({ label, meaning }) => [html`<dt>${label}</dt>`, html`<dd>${meaning}</dd>`])}</dl></dialog>
  </main>`;
}

/** For a browser that runs no script: all rows, no pictures. */
function plainTable(records: readonly ScanRecord[]): Markup {
  const columns = COLUMNS.filter(({ key }) => key !== 'place' && key !== 'decision');
  const cell = ({ key, factor, digits }: Column, record: ScanRecord): string => {
    if (key === 'path') return record.path;
    if (key === 'status') return [record.status, record.reason, record.message].filter(Boolean).join(': ');
    if (key === 'warnings') return (record.warnings ?? []).join('; ');
    if (key === 'checks') {
      const checks = Object.values(record.checks ?? {});
      return checks.length === 0 ? '' : `${checks.filter(({ passed }) => passed).length} of ${checks.length}`;
    }
    const value = key === 'place' || key === 'decision' ? undefined : record.figures?.[key];
    return value === undefined ? '' : ((factor ?? 1) * value).toFixed(digits);
  };
  return html`<p class="notice">Without JavaScript this page shows no pictures and takes no decisions.</p>
    <table><thead><tr>${columns.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
    <tbody>${records.map((record) => html`<tr>${columns.map((column) => html`<td>${cell(column, record)}</td>`)}</tr>`)}</tbody></table>`;
}
