/**
 * The tables as one long tab-separated file, a number a line: for R, pandas and spreadsheets.
 *
 * @example
 * const text = resultsTsv(evaluation);
 */
import type { Evaluation, Unit } from './results.js';

const HEAD = ['section', 'table', 'row', 'kind', 'column', 'unit', 'value', 'low', 'high', 'n', 'reason'];

/** The page shows these as percentages; here, as in results.json, 1 is all. */
const STORED: Partial<Record<Unit, string>> = { percent: 'share', 'signed-percent': 'share' };

export function resultsTsv(evaluation: Evaluation): string {
  const lines = [HEAD.join('\t')];
  const number = (value: number | undefined): string =>
    value === undefined || !Number.isFinite(value) ? 'n/a' : String(Number(value.toPrecision(6)));
  for (const section of evaluation.sections)
    for (const block of section.blocks) {
      if (block.kind === 'absent')
        lines.push(
          [
            section.id,
            block.id,
            'n/a',
            'n/a',
            'n/a',
            'n/a',
            'n/a',
            'n/a',
            'n/a',
            '0',
            `${block.state}: ${block.reason}`,
          ].join('\t'),
        );
      if (block.kind !== 'table') continue;
      for (const row of block.rows)
        for (const column of block.columns) {
          const cell = row.cells[column.id];
          if (cell === undefined) continue;
          lines.push(
            [
              section.id,
              block.id,
              row.id,
              row.kind,
              column.id,
              STORED[column.unit] ?? column.unit,
              number(cell.value),
              number(cell.low),
              number(cell.high),
              String(cell.n),
              'n/a',
            ].join('\t'),
          );
        }
    }
  return `${lines.map((line) => line.replace(/[\r\n]+/g, ' ')).join('\n')}\n`;
}
