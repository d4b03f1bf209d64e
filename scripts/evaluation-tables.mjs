/**
 * The tables of an evaluation as Markdown, for docs/results.md: every number with its 95 % interval, N once a row.
 *
 * @example
 * node scripts/evaluation-tables.mjs OUT/results.json [BLOCK ...]
 */
import './lib/help.mjs';
import { readFileSync } from 'node:fs';

const [file, ...wanted] = process.argv.slice(2);
if (file === undefined) {
  console.error('expected the path of a results.json');
  process.exit(2);
}
const results = JSON.parse(readFileSync(file, 'utf8'));

function show(cell, unit) {
  if (cell === undefined || cell === null) return '-';
  if (typeof cell !== 'object') return String(cell);
  if (cell.text !== undefined) return cell.text;
  const digits = (v) => {
    if (v === null || v === undefined) return '-';
    if (unit === 'percent') return (100 * v).toFixed(0);
    if (unit === 'signed-percent') return (100 * v).toFixed(2);
    if (unit === 'p') return v < 0.0001 ? '< 0.0001' : v.toFixed(4);
    const size = Math.abs(v);
    return v.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || v === 0 ? 2 : 4);
  };
  const interval =
    cell.low === undefined || cell.low === cell.high ? '' : ` [${digits(cell.low)}, ${digits(cell.high)}]`;
  return `${digits(cell.value)}${interval}`;
}

console.log(`\`${results.command}\``);
console.log(`\n${results.cohort.n} subjects, refused ${JSON.stringify(results.cohort.refused)}`);
for (const section of results.sections)
  for (const block of section.blocks) {
    if (wanted.length > 0 && !wanted.includes(block.id)) continue;
    console.log(`\n**${section.title}: ${block.title ?? block.id}**${block.note ? ` ${block.note}` : ''}\n`);
    if (block.kind === 'absent') console.log(`${block.state}: ${block.reason}`);
    if (block.kind !== 'table') continue;
    const unit = (c) =>
      /percent/.test(c.unit ?? '') ? ' (%)' : c.unit === 'share' || !c.unit ? '' : ` (${c.unit})`;
    console.log(`| | N | ${block.columns.map((c) => c.title + unit(c)).join(' | ')} | |`);
    console.log(`| --- | --- | ${block.columns.map(() => '---').join(' | ')} | --- |`);
    for (const row of block.rows) {
      const counts = new Set(
        Object.values(row.cells)
          .map((c) => c?.n)
          .filter((n) => n !== undefined),
      );
      console.log(
        `| ${row.title} | ${[...counts].join('/')} | ${block.columns.map((c) => show(row.cells[c.id], c.unit)).join(' | ')} | ${row.note ?? ''} |`,
      );
    }
  }
