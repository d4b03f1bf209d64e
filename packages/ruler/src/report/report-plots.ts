/**
 * Box plots and ROC curves as inline SVG: no script, no font, nothing from outside.
 *
 * @example
 * const svg = boxPlotSvg({ kind: 'box', id: 'age', title: 'Age', unit: 'years', groups, marks: [0] });
 */
import { escapeHtml } from 'prosopon/imaging';
import { formatNumber, unitSuffix } from './report-format.js';
import type { BoxPlot, RocPlot } from './results.js';

/** Told apart by people who see few colours (Okabe and Ito), dashes for those who see none. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#444444', '#8a6d00'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

const WIDTH = 720;
const LEFT = 170;
const RIGHT = 24;
const ROW = 30;

interface Box {
  readonly low: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly high: number;
}

/** Quartiles (type 7), and whiskers to the last value within 1.5 interquartile ranges (Tukey). */
export function boxOf(values: readonly number[]): Box {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => {
    const position = (sorted.length - 1) * q;
    const below = Math.floor(position);
    const a = sorted[below] ?? Number.NaN;
    return a + ((sorted[Math.min(sorted.length - 1, below + 1)] ?? a) - a) * (position - below);
  };
  const [q1, median, q3] = [at(0.25), at(0.5), at(0.75)];
  const reach = 1.5 * (q3 - q1);
  const within = sorted.filter((v) => v >= q1 - reach && v <= q3 + reach);
  return { low: within[0] ?? q1, q1, median, q3, high: within.at(-1) ?? q3 };
}

/** Round steps that cover the range in four to nine parts. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const out: number[] = [];
  for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + 1e-9 * span; t += step)
    out.push(Math.abs(t) < step * 1e-6 ? 0 : t);
  return out;
}

const n1 = (v: number): string => v.toFixed(1);

export function boxPlotSvg(plot: BoxPlot): string {
  const groups = plot.groups
    .map(({ name, values }) => ({ name, values: values.filter(Number.isFinite) }))
    .filter(({ values }) => values.length > 0);
  const all = [...groups.flatMap(({ values }) => values), ...(plot.marks ?? [])];
  if (groups.length === 0) return '';
  let [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low || Math.abs(high) || 1) * 0.04;
  low -= pad;
  high += pad;
  const height = groups.length * ROW + 46;
  const x = (v: number): number => LEFT + ((v - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const bottom = groups.length * ROW + 8;
  const parts = ticks(low, high).map(
    (t) =>
      `<line x1="${n1(x(t))}" x2="${n1(x(t))}" y1="4" y2="${bottom}" stroke="#ddd"/>` +
      `<text x="${n1(x(t))}" y="${bottom + 16}" text-anchor="middle">${formatNumber(t, plot.unit)}</text>`,
  );
  for (const mark of plot.marks ?? [])
    parts.push(
      `<line x1="${n1(x(mark))}" x2="${n1(x(mark))}" y1="4" y2="${bottom}" stroke="#666" stroke-dasharray="4 3"/>`,
    );
  groups.forEach(({ name, values }, row) => {
    const y = 8 + row * ROW + ROW / 2;
    const box = boxOf(values);
    parts.push(
      `<text x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${escapeHtml(name)} (${values.length})</text>`,
      `<line x1="${n1(x(box.low))}" x2="${n1(x(box.high))}" y1="${y}" y2="${y}" stroke="#333"/>`,
      `<rect x="${n1(x(box.q1))}" y="${y - 8}" width="${n1(Math.max(1, x(box.q3) - x(box.q1)))}" height="16" fill="#cfe3f1" stroke="#333"/>`,
      `<line x1="${n1(x(box.median))}" x2="${n1(x(box.median))}" y1="${y - 8}" y2="${y + 8}" stroke="#b00020" stroke-width="2"/>`,
    );
    // A value beyond its whisker is a subject worth knowing of.
    for (const v of values)
      if (v < box.low || v > box.high)
        parts.push(`<circle cx="${n1(x(v))}" cy="${y}" r="2.5" fill="none" stroke="#333"/>`);
  });
  const unit = unitSuffix(plot.unit).trim();
  parts.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 4}" text-anchor="middle">${escapeHtml(unit === '' ? plot.title : unit)}</text>`,
  );
  return `<svg role="img" aria-label="${escapeHtml(plot.title)}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}">${parts.join('')}</svg>`;
}

export function rocSvg(plot: RocPlot): string {
  const size = 340;
  const [left, top] = [56, 10];
  const x = (v: number): number => left + v * size;
  const y = (v: number): number => top + (1 - v) * size;
  const parts: string[] = [];
  for (const t of [0, 0.2, 0.4, 0.6, 0.8, 1])
    parts.push(
      `<line x1="${x(t)}" x2="${x(t)}" y1="${y(0)}" y2="${y(1)}" stroke="#e5e5e5"/>`,
      `<line x1="${x(0)}" x2="${x(1)}" y1="${y(t)}" y2="${y(t)}" stroke="#e5e5e5"/>`,
      `<text x="${x(t)}" y="${y(0) + 16}" text-anchor="middle">${t * 100}</text>`,
      `<text x="${left - 6}" y="${y(t) + 4}" text-anchor="end">${t * 100}</text>`,
    );
  parts.push(`<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#999"/>`);
  plot.curves.forEach(({ name, n, points }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const dash = DASHES[Math.floor(i / COLOURS.length) % DASHES.length];
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" points="${points.map(([a, b]) => `${n1(x(a))},${n1(y(b))}`).join(' ')}"/>`,
      `<line x1="${x(1) + 16}" x2="${x(1) + 40}" y1="${top + 12 + 18 * i}" y2="${top + 12 + 18 * i}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`,
      `<text x="${x(1) + 46}" y="${top + 16 + 18 * i}">${escapeHtml(name)} (${n})</text>`,
    );
  });
  parts.push(
    `<text x="${x(0.5)}" y="${y(0) + 34}" text-anchor="middle">others taken for the subject, %</text>`,
    `<text transform="translate(14 ${y(0.5)}) rotate(-90)" text-anchor="middle">subject found, %</text>`,
  );
  const height = Math.max(size + 54, top + 18 * plot.curves.length + 10);
  return `<svg role="img" aria-label="${escapeHtml(plot.title)}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}">${parts.join('')}</svg>`;
}
