/**
 * The scores of a study as text for a terminal.
 *
 * @example
 * process.stdout.write(studyTable(scoreStudy(answers)));
 */
import { type Estimate, RESAMPLES } from '../statistics/statistics.js';
import type { MethodScore } from './score.js';

const HEAD = [
  'method',
  'answers',
  'subjects',
  'right',
  'unsure',
  'rate %',
  'by subject',
  'by answer',
  's.d.',
  'unsure = wrong',
  'without unsure',
] as const;

/** One line for each method, and what the columns mean. */
export function studyTable(scores: readonly MethodScore[]): string {
  const rows = scores.map((score) => [
    score.method,
    String(score.answers),
    String(score.subjects),
    String(score.right),
    String(score.uncertain),
    percent(score.guess.value),
    range(score.guess.bySubject),
    range(score.guess.byAnswer),
    percent(score.guess.sd),
    `${percent(score.zero.value)} (${range(score.zero.bySubject)})`,
    `${percent(score.excluded.value)} (${range(score.excluded.bySubject)})`,
  ]);
  const widths = HEAD.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    line(HEAD),
    ...rows.map(line),
    '',
    `Identification rates; chance is 20.0 %. An unsure answer counts as a guess (1 in 5). Ranges are 95 % intervals of ${RESAMPLES.toLocaleString('en')} resamples,`,
    'by subject where not said otherwise; s.d. is over resamples by answer, as the papers print it.',
  ].join('\n');
}

function percent(value: number): string {
  return Number.isNaN(value) ? 'n/a' : (100 * value).toFixed(1);
}

function range({ low, high, n }: Estimate): string {
  // One unit has no spread to resample.
  return n < 2 || Number.isNaN(low) ? 'n/a' : `${percent(low)}-${percent(high)}`;
}
