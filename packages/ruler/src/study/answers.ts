/**
 * The answers that a study's page saves: comma-separated values with the header
 * `study,worker,question,answer,seconds`, one line for each question answered; `answer` is 1 to 5, or `u` for
 * uncertain. Files that a spreadsheet has saved again (semicolons, quotes, byte order mark, CRLF) are read as well.
 *
 * @example
 * const answers = checkAnswers(files.flatMap(parseAnswers), key);
 */
import { Refusal } from 'prosopon';
import type { StudyKey } from './key.js';

export const ANSWER_COLUMNS = ['study', 'worker', 'question', 'answer', 'seconds'] as const;
export const UNCERTAIN = 'u';

export interface AnswerRow {
  readonly study: string;
  readonly worker: number;
  readonly question: string;
  /** 1 to 5, or `u`. */
  readonly answer: string;
  /** From when the question was last shown to its answer. */
  readonly seconds: number;
}

export interface Answer {
  readonly method: string;
  /** The subject of the query. */
  readonly subject: string;
  readonly question: string;
  readonly worker: number;
  readonly outcome: 'right' | 'wrong' | 'uncertain';
  readonly seconds: number;
}

/** @throws {Refusal} dataset-invalid that says which line is wrong */
export function parseAnswers(text: string): AnswerRow[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== '');
  const first = lines[0]?.line ?? '';
  const separator = first.includes(';') ? ';' : ',';
  if (fields(first, separator).join() !== ANSWER_COLUMNS.join())
    throw new Refusal(
      'dataset-invalid',
      `expected answers with the columns ${ANSWER_COLUMNS.join(', ')}, found another first line`,
    );
  return lines.slice(1).map(({ line, number }) => {
    const parts = fields(line, separator);
    const [study = '', worker = '', question = '', answer = '', seconds = ''] = parts;
    const time = Number(seconds.replace(',', '.'));
    if (parts.length !== ANSWER_COLUMNS.length) throw badLine(number, `${parts.length} columns`);
    if (!/^[1-9]\d{0,5}$/.test(worker)) throw badLine(number, 'a worker that is not a whole number');
    if (!/^([1-5]|u)$/.test(answer)) throw badLine(number, 'an answer that is neither 1 to 5 nor u');
    if (seconds === '' || !(time >= 0)) throw badLine(number, 'seconds that are not a number');
    return { study, worker: Number(worker), question, answer, seconds: time };
  });
}

/** No field of ours holds a separator or a quote, so quotes can only stand around a whole field. */
function fields(line: string, separator: string): string[] {
  return line.split(separator === ',' ? /,(?=(?:[^"]*"[^"]*")*[^"]*$)/ : separator).map((field) =>
    field
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim(),
  );
}

function badLine(number: number, found: string): Refusal {
  return new Refusal(
    'dataset-invalid',
    `expected an answer in line ${number} of the answers, found one with ${found}`,
  );
}

/**
 * Joins answers with their key.
 * @throws {Refusal} dataset-invalid for answers of another study, to a question that was not asked, or given twice
 */
export function checkAnswers(rows: readonly AnswerRow[], key: StudyKey): Answer[] {
  const questions = new Map(key.questions.map((question) => [question.id, question]));
  const asked = new Map(key.pages.map(({ worker, questions }) => [worker, new Set(questions)]));
  const strange = rows.filter(({ study }) => study !== key.study).length;
  if (strange > 0)
    throw new Refusal('dataset-invalid', `expected answers of this key's study, found ${strange} of another`);
  const seen = new Set<string>();
  let twice = 0;
  const answers = rows.map((row): Answer => {
    const question = questions.get(row.question);
    if (question === undefined || asked.get(row.worker)?.has(row.question) !== true)
      throw new Refusal(
        'dataset-invalid',
        `expected answers to the questions of each worker's page, found one of worker ${row.worker} to a question that was not asked there`,
      );
    const label = `${row.worker} ${row.question}`;
    if (seen.has(label)) twice++;
    seen.add(label);
    return {
      method: question.method,
      subject: question.query,
      question: question.id,
      worker: row.worker,
      outcome:
        row.answer === UNCERTAIN ? 'uncertain' : Number(row.answer) === question.answer ? 'right' : 'wrong',
      seconds: row.seconds,
    };
  });
  if (twice > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected each answer once, found ${twice} given twice (give only the last file of each worker)`,
    );
  return answers;
}
