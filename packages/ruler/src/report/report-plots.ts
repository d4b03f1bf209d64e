/**
 * Box plots and ROC curves as inline SVG: no script, no font, nothing from outside.
 *
 * @example
 * const drawn = boxPlotSvg({ kind: 'box', id: 'age', title: 'Age', unit: 'years', groups, marks: [0] });
 */
import { html, type Markup } from 'prosopon/imaging';
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

/** @returns undefined where no group has a value */
export function boxPlotSvg(plot: BoxPlot): Markup {
  const groups = plot.groups
    .map(({ name, values }) => ({ name, values: values.filter(Number.isFinite) }))
    .filter(({ values }) => values.length > 0);
  const all = [...groups.flatMap(({ values }) => values), ...(plot.marks ?? [])];
  if (groups.length === 0) return undefined;
  let [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low || Math.abs(high) || 1) * 0.04;
  low -= pad;
  high += pad;
  const height = groups.length * ROW + 46;
  const x = (v: number): string => n1(LEFT + ((v - low) / (high - low)) * (WIDTH - LEFT - RIGHT));
  const bottom = groups.length * ROW + 8;
  const tick = (t: number): Markup => html`
    <line x1=${x(t)} x2=${x(t)} y1="4" y2=${bottom} stroke="#ddd"/>
    <text x=${x(t)} y=${bottom + 16} text-anchor="middle">${formatNumber(t, plot.unit)}</text>`;
  const mark = (v: number): Markup =>
    html`<line x1=${x(v)} x2=${x(v)} y1="4" y2=${bottom} stroke="#666" stroke-dasharray="4 3"/>`;
  const unit = unitSuffix(plot.unit).trim();
  return html`<svg role="img" aria-label=${plot.title} viewBox=${`0 0 ${WIDTH} ${height}`} width=${WIDTH}>
    ${ticks(low, high).map(tick)}
    ${plot.marks?.map(mark)}
    ${groups.map(({ name, values }, row) => boxRow(name, values, 8 + row * ROW + ROW / 2, x))}
    <text x=${(LEFT + WIDTH - RIGHT) / 2} y=${height - 4} text-anchor="middle">${unit === '' ? plot.title : unit}</text>
  </svg>`;
}

function boxRow(name: string, values: readonly number[], y: number, x: (v: number) => string): Markup {
  const box = boxOf(values);
  const width = n1(Math.max(1, Number(x(box.q3)) - Number(x(box.q1))));
  // A value beyond its whisker is a subject worth knowing of.
  const beyond = values.filter((v) => v < box.low || v > box.high);
  return html`
    <text x=${LEFT - 10} y=${y + 4} text-anchor="end">${`${name} (${values.length})`}</text>
    <line x1=${x(box.low)} x2=${x(box.high)} y1=${y} y2=${y} stroke="#333"/>
    <rect x=${x(box.q1)} y=${y - 8} width=${width} height="16" fill="#cfe3f1" stroke="#333"/>
    <line x1=${x(box.median)} x2=${x(box.median)} y1=${y - 8} y2=${y + 8} stroke="#b00020" stroke-width="2"/>
    ${beyond.map((v) => html`<circle cx=${x(v)} cy=${y} r="2.5" fill="none" stroke="#333"/>`)}`;
}

export function rocSvg(plot: RocPlot): Markup {
  const size = 340;
  const [left, top] = [56, 10];
  const x = (v: number): number => left + v * size;
  const y = (v: number): number => top + (1 - v) * size;
  const tick = (t: number): Markup => html`
    <line x1=${x(t)} x2=${x(t)} y1=${y(0)} y2=${y(1)} stroke="#e5e5e5"/>
    <line x1=${x(0)} x2=${x(1)} y1=${y(t)} y2=${y(t)} stroke="#e5e5e5"/>
    <text x=${x(t)} y=${y(0) + 16} text-anchor="middle">${t * 100}</text>
    <text x=${left - 6} y=${y(t) + 4} text-anchor="end">${t * 100}</text>`;
  const curve = ({ name, n, points }: RocPlot['curves'][number], i: number): Markup => {
    const colour = COLOURS[i % COLOURS.length];
    const dash = DASHES[Math.floor(i / COLOURS.length) % DASHES.length];
    const path = points.map(([a, b]) => `${n1(x(a))},${n1(y(b))}`).join(' ');
    const at = top + 12 + 18 * i;
    return html`
      <polyline fill="none" stroke=${colour} stroke-width="2" stroke-dasharray=${dash} points=${path}/>
      <line x1=${x(1) + 16} x2=${x(1) + 40} y1=${at} y2=${at} stroke=${colour} stroke-width="2" stroke-dasharray=${dash}/>
      <text x=${x(1) + 46} y=${at + 4}>${`${name} (${n})`}</text>`;
  };
  const height = Math.max(size + 54, top + 18 * plot.curves.length + 10);
  return html`<svg role="img" aria-label=${plot.title} viewBox=${`0 0 ${WIDTH} ${height}`} width=${WIDTH}>
    ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(tick)}
    <line x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} stroke="#999"/>
    ${plot.curves.map(curve)}
    <text x=${x(0.5)} y=${y(0) + 34} text-anchor="middle">others taken for the subject, %</text>
    <text transform=${`translate(14 ${y(0.5)}) rotate(-90)`} text-anchor="middle">subject found, %</text>
  </svg>`;
}
