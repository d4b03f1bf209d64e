/**
 * `prosopon study build` and `prosopon study score`: pages and key of the human study written to a folder, answers read and scored.
 *
 * @example
 * await buildStudyPages({ from: 'evaluation', out: 'study', questions: 40, workers: 5, answersPerQuestion: 1 }, host);
 * const { lines } = await scoreAnswers({ files: ['answers-1.csv'], key: 'study/key.json' }, host);
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { freshSeed, parseSeed, Refusal } from 'prosopon';
import {
  codeOf,
  type RulerHost,
  type RulerResult,
  type ScoreRequest,
  type StudyRequest,
} from 'prosopon/node';
import { checkAnswers, parseAnswers } from '../study/answers.js';
import { buildStudy } from '../study/build.js';
import { parseKey } from '../study/key.js';
import { scoreStudy } from '../study/score.js';
import { studyTable } from '../study/table.js';
import { readRenderings } from './renderings.js';

export async function buildStudyPages(options: StudyRequest, host: RulerHost): Promise<RulerResult> {
  const { from, out } = options;
  const { signal } = host;
  const seed = options.seed === undefined ? freshSeed() : parseSeed(options.seed);
  await checkFree(out);
  host.stage('read');
  const renderings = await readRenderings(from, {
    signal,
    ...(options.methods === undefined ? {} : { methods: options.methods }),
  });
  host.stage('build');
  const { questions, workers, answersPerQuestion } = options;
  const { key, pages } = buildStudy(renderings, { questions, workers, answersPerQuestion }, seed);
  host.stage('write');
  const pageFolder = path.join(out, 'pages');
  const made = await mkdir(pageFolder, { recursive: true }).catch((cause: unknown) => {
    throw new Refusal('output-unwritable', `the output folder cannot be made (${codeOf(cause)})`, { cause });
  });
  const digits = Math.max(2, String(workers).length);
  const keyFile = path.join(out, 'key.json');
  const files = pages.map(({ worker }) =>
    path.join(pageFolder, `worker-${String(worker).padStart(digits, '0')}.html`),
  );
  try {
    const outputs = host.outputs({ force: false, inputs: [] });
    await outputs.stage(keyFile, text(`${JSON.stringify(key, null, 1)}\n`));
    for (const [i, { html }] of pages.entries()) {
      signal.throwIfAborted();
      await outputs.stage(files[i] ?? '', text(html));
    }
    await outputs.commit();
  } catch (error) {
    // Only what this run made; `made` is the topmost new folder, of which nothing was there before.
    await rm(made ?? pageFolder, { recursive: true, force: true });
    throw error;
  }
  return {
    outputs: [keyFile, ...files],
    lines: [
      `done: ${pages.length} ${pages.length === 1 ? 'page' : 'pages'} of ${questions} questions (${key.questions.length} different ones), ` +
        `${key.methods.length} ${key.methods.length === 1 ? 'method' : 'methods'}, ${key.subjects.length} subjects`,
      'hand out the files in pages/, one to each person; keep key.json to yourself',
    ],
  };
}

/** A second study in the same folder would mix its pages with another's key. */
async function checkFree(out: string): Promise<void> {
  let there: readonly string[];
  try {
    there = await readdir(out);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return;
    throw new Refusal('output-unwritable', `the output folder cannot be used (${codeOf(cause)})`, { cause });
  }
  if (there.length > 0)
    throw new Refusal(
      'output-exists',
      `expected a new or empty output folder, found ${there.length} entries`,
    );
}

export async function scoreAnswers(request: ScoreRequest, host: RulerHost): Promise<RulerResult> {
  host.stage('read');
  const key = parseKey(await readText(request.key, 'the key'));
  const rows = [];
  for (const file of request.files) rows.push(...parseAnswers(await readText(file, 'a file of answers')));
  if (rows.length === 0)
    throw new Refusal('dataset-invalid', 'expected at least one answer, found none in the files');
  host.stage('score');
  const answers = checkAnswers(rows, key);
  const scores = scoreStudy(answers, key.methods);
  const workers = key.pages
    .map(({ worker, questions }) => ({
      worker,
      answered: answers.filter((answer) => answer.worker === worker).length,
      asked: questions.length,
    }))
    .filter(({ answered }) => answered > 0);
  const short = workers.filter(({ answered, asked }) => answered < asked);
  return {
    outputs: [],
    results: { study: key.study, methods: scores, workers },
    lines: [
      studyTable(scores),
      `${answers.length} answers of ${workers.length} of ${key.pages.length} workers` +
        (short.length === 0
          ? ''
          : `; not all questions answered by worker ${short.map(({ worker, answered, asked }) => `${worker} (${answered} of ${asked})`).join(', ')}`),
    ],
  };
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Refusal('not-readable', `${what} cannot be read (${codeOf(cause)})`, { cause });
  }
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
