/**
 * The report: one HTML file without scripts or anything from outside. Controls come first in every table; what was
 * not measured or must not be published says so in its place.
 *
 * @example
 * const html = reportPage(evaluation, []);
 */
import { type Deflate, html, type Markup, renderPage } from 'prosopon/imaging';
import { formatNumber, unitSuffix } from './report-format.js';
import { boxPlotSvg, rocSvg } from './report-plots.js';
import { pngUrl, regionMapFigure } from './report-region-map.js';
import type { Block, Cell, Evaluation, Row, Section, Table, Unit } from './results.js';

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #333; }
h3 { margin-bottom: 0.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #ddd; }
thead th { border-bottom: 2px solid #999; }
.interval { color: #555; font-size: 0.85em; display: block; white-space: nowrap; }
tr.control, tr.reference { background: #f2f5f8; }
tr.warning { background: #fff6e0; }
.kind { color: #666; font-weight: normal; font-size: 0.85em; }
.none { color: #777; }
.absent { border-left: 4px solid #b36b00; background: #fff6e0; padding: 0.5rem 0.75rem; }
.danger { color: #fff; background: #b00020; padding: 0.75rem 1rem; font-weight: bold; }
.note { max-width: 56rem; color: #333; }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
figure { display: inline-block; margin: 0 0.5rem 0.5rem 0; } figcaption { font-size: 0.85rem; } img { display: block; background: #000; }
.map img { max-width: 100%; height: auto; } .map figcaption { max-width: 56rem; color: #333; }
code { overflow-wrap: anywhere; }`;

/** Pictures of one head, of heads that the user named alone. */
export interface ShownHead {
  readonly title: string;
  /** PNG files. */
  readonly pictures: readonly { readonly name: string; readonly png: Uint8Array }[];
}

const KIND_ORDER = ['control', 'reference', 'warning', 'method'] as const;

/** @param deflate The platform's zlib for the pictures that the page draws; without it they are stored uncompressed. */
export function reportPage(evaluation: Evaluation, shown: readonly ShownHead[], deflate?: Deflate): string {
  const { cohort, sections } = evaluation;
  const splits = cohort.splits.length > 0 ? ` (${cohort.splits.join(' and ')})` : '';
  const body = html`
    ${shown.length > 0 && html`<p class="danger" role="alert">This page shows ORIGINAL faces, of the heads that were asked for. It identifies them: treat it as you treat the scans.</p>`}
    <h1>Prosopon: evaluation</h1>
    <p>${`${cohort.n} subjects${splits}. `}Intervals are 95 %, from 2,000 resamples of subjects; n is the number of subjects unless a column says otherwise. Scan to scan: the attacker has a scan of the person, not a photograph.</p>
    ${cohort.refused.map(({ reason, count }) => html`<p>${`${count} head${count === 1 ? '' : 's'} not used: ${reason}`}</p>`)}
    <nav><ol>${sections.map(({ id, title }) => html`<li><a href=${`#${id}`}>${title}</a></li>`)}</ol></nav>
    ${sections.map((section) => sectionOf(section, deflate))}
    ${shown.length > 0 && renderings(shown)}
    ${provenance(evaluation)}
  `;
  return renderPage('Prosopon: evaluation', STYLE, body);
}

function sectionOf({ id, title, about, blocks }: Section, deflate: Deflate | undefined): Markup {
  return html`<section id=${id}><h2>${title}</h2><p class="note">${about}</p>${blocks.map((block) => blockOf(block, deflate))}</section>`;
}

function blockOf(block: Block, deflate: Deflate | undefined): Markup {
  const heading = html`<h3>${block.title}</h3>`;
  switch (block.kind) {
    case 'absent':
      return html`${heading}<p class="absent">${block.state === 'not measured' ? 'Not measured' : 'Not published'}: ${block.reason}</p>`;
    case 'table': {
      const table = tableOf(block);
      const shown = block.folded === true ? html`<details><summary>show</summary>${table}</details>` : table;
      return html`${heading}${block.note !== '' && html`<p class="note">${block.note}</p>`}${shown}`;
    }
    case 'box': {
      const plot = boxPlotSvg(block);
      return plot === undefined ? undefined : html`${heading}<div class="scroll">${plot}</div>`;
    }
    case 'roc':
      return block.curves.length === 0
        ? undefined
        : html`${heading}<div class="scroll">${rocSvg(block)}</div>`;
    case 'region-map':
      return html`${heading}${regionMapFigure(block, deflate)}`;
  }
}

/** Controls, references, warnings, then methods; within a kind as they came. */
export function orderedRows(rows: readonly Row[]): Row[] {
  return KIND_ORDER.flatMap((kind) => rows.filter((row) => row.kind === kind));
}

function tableOf({ columns, rows }: Table): Markup {
  const column = ({ title, unit }: Table['columns'][number]): Markup => {
    const suffix = unitSuffix(unit).trim();
    return html`<th scope="col">${title}${suffix === '' || title.includes(suffix) ? '' : ` (${suffix})`}</th>`;
  };
  const line = (row: Row): Markup => {
    const kind = row.kind !== 'method' && html` <span class="kind">${row.kind}</span>`;
    const note = row.note !== undefined && html`<span class="interval">${row.note}</span>`;
    const cells = columns.map(({ id, unit }) => cellOf(row.cells[id], unit));
    return html`<tr class=${row.kind}><th scope="row">${row.title}${kind}${note}</th>${cells}</tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th scope="col"></th>${columns.map(column)}</tr></thead><tbody>${orderedRows(rows).map(line)}</tbody></table></div>`;
}

function cellOf(cell: Cell | undefined, unit: Unit): Markup {
  if (cell === undefined) return html`<td class="none">-</td>`;
  const { value, low, high, n } = cell;
  const interval =
    low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high)
      ? `${formatNumber(low, unit)} to ${formatNumber(high, unit)}, `
      : '';
  return html`<td>${formatNumber(value, unit)}<span class="interval">${`${interval}n = ${n}`}</span></td>`;
}

function renderings(shown: readonly ShownHead[]): Markup {
  const picture = ({ name, png }: ShownHead['pictures'][number]): Markup =>
    html`<figure><img alt=${name} src=${pngUrl(png)}/><figcaption>${name}</figcaption></figure>`;
  return html`<section id="renderings"><h2>Renderings</h2>${shown.map(
    ({ title, pictures }) => html`<h3>${title}</h3>${pictures.map(picture)}`,
  )}</section>`;
}

function provenance({ version, command, models, options }: Evaluation): Markup {
  const rows: [string, string][] = [
    ['Prosopon', version],
    ['command', command],
    ...models.map((m): [string, string] => [`model ${m.name} ${m.version}`, `SHA-256 ${m.sha256}`]),
    ...Object.entries(options).map(([name, value]): [string, string] => [`option ${name}`, String(value)]),
  ];
  return html`<section id="provenance"><h2>How it was made</h2><table>${rows.map(
    ([k, v]) => html`<tr><th scope="row">${k}</th><td><code>${v}</code></td></tr>`,
  )}</table></section>`;
}
