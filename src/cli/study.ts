/**
 * `prosopon study build RENDERINGS OUT` and `prosopon study score CSV...`: the human study. Can people find a patient
 * among five treated heads?
 *
 * @example
 * prosopon study build evaluation study --questions 40 --workers 5 --seed 7
 * prosopon study score answers-*.csv --key study/key.json
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { freshSeed, parseSeed } from '../deidentify/seed.js';
import { Refusal } from '../errors/errors.js';
import { checkAnswers, parseAnswers } from '../evaluate/study/answers.js';
import { buildStudy } from '../evaluate/study/build.js';
import { parseKey } from '../evaluate/study/key.js';
import { scoreStudy } from '../evaluate/study/score.js';
import { studyTable } from '../evaluate/study/table.js';
import { codeOf } from '../node/error-code.js';
import { QUERIES, readRenderings } from '../node/study/renderings.js';
import { addCommonOptions, wholeNumberIn } from './options.js';
import type { CommonOptions, Session } from './session.js';

interface BuildOptions extends CommonOptions {
  readonly questions: number;
  readonly workers: number;
  readonly answersPerQuestion: number;
  readonly methods?: readonly string[];
  readonly seed?: string;
}

interface ScoreOptions extends CommonOptions {
  readonly key: string;
}

export function studyCommand(session: Session): Command {
  const command = new Command('study').description('the human study: make its pages, score its answers');
  const build = new Command('build')
    .description('make one offline page for each worker, and the key')
    .argument(
      '<renderings>',
      `folder with ${QUERIES}/PATIENT.png (from another view) and METHOD/PATIENT.png for each method, or a plan (.json)`,
    )
    .argument('<out>', 'folder for pages/ and key.json; must be new or empty')
    .option('--questions <n>', 'questions on each page', wholeNumberIn(1, 5000), 40)
    .option('--workers <n>', 'pages: one for each person who answers', wholeNumberIn(1, 1000), 1)
    .option(
      '--answers-per-question <n>',
      'workers who get the same question; the papers have 5',
      wholeNumberIn(1, 1000),
      1,
    )
    .option('--methods <a,b>', 'only these', names)
    .option('--seed <n>', 'a number or words: the same seed gives the same study')
    .action((from: string, out: string, options: BuildOptions) => buildPages(session, from, out, options));
  const score = new Command('score')
    .description('identification rates from the answers')
    .argument('<csv...>', 'the files that the pages saved')
    .requiredOption('--key <file>', 'key.json of the study')
    .action((files: readonly string[], options: ScoreOptions) => scoreAnswers(session, files, options));
  for (const sub of [build, score]) command.addCommand(addCommonOptions(sub, { writes: false }));
  return command;
}

function names(text: string): readonly string[] {
  const out = text.split(',').map((name) => name.trim());
  if (out.some((name) => name === '') || new Set(out).size !== out.length)
    throw new InvalidArgumentError('Expected names with commas between them, each once.');
  return out;
}

async function buildPages(session: Session, from: string, out: string, options: BuildOptions): Promise<void> {
  session.begin(options);
  const { signal } = session;
  const seed = options.seed === undefined ? freshSeed() : parseSeed(options.seed);
  await checkFree(out);
  session.stage('read');
  const renderings = await readRenderings(from, {
    signal,
    ...(options.methods === undefined ? {} : { methods: options.methods }),
  });
  session.stage('build');
  const { questions, workers, answersPerQuestion } = options;
  const { key, pages } = buildStudy(renderings, { questions, workers, answersPerQuestion }, seed);
  session.stage('write');
  const pageFolder = path.join(out, 'pages');
  const made = await mkdir(pageFolder, { recursive: true }).catch((cause: unknown) => {
    throw new Refusal('output-unwritable', `the output folder cannot be made (${codeOf(cause)})`, { cause });
  });
  try {
    const outputs = session.outputs({ force: false, inputs: [] });
    const keyFile = path.join(out, 'key.json');
    await outputs.stage(keyFile, text(`${JSON.stringify(key, null, 1)}\n`));
    const digits = Math.max(2, String(workers).length);
    const files = pages.map(({ worker }) =>
      path.join(pageFolder, `worker-${String(worker).padStart(digits, '0')}.html`),
    );
    for (const [i, { html }] of pages.entries()) {
      signal.throwIfAborted();
      await outputs.stage(files[i] ?? '', text(html));
    }
    await outputs.commit();
    session.facts.outputs = [keyFile, ...files];
  } catch (error) {
    // Only what this run made; `made` is the topmost new folder, of which nothing was there before.
    await rm(made ?? pageFolder, { recursive: true, force: true });
    throw error;
  }
  session.timer.end();
  session.say(
    `done: ${pages.length} ${pages.length === 1 ? 'page' : 'pages'} of ${questions} questions (${key.questions.length} different ones), ` +
      `${key.methods.length} ${key.methods.length === 1 ? 'method' : 'methods'}, ${key.patients.length} patients`,
  );
  session.say('hand out the files in pages/, one to each person; keep key.json to yourself');
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

async function scoreAnswers(
  session: Session,
  files: readonly string[],
  options: ScoreOptions,
): Promise<void> {
  session.begin(options);
  session.stage('read');
  const key = parseKey(await readText(options.key, 'the key'));
  const rows = [];
  for (const file of files) rows.push(...parseAnswers(await readText(file, 'a file of answers')));
  if (rows.length === 0)
    throw new Refusal('dataset-invalid', 'expected at least one answer, found none in the files');
  session.stage('score');
  const answers = checkAnswers(rows, key);
  const scores = scoreStudy(answers, key.methods);
  session.timer.end();
  const workers = key.pages
    .map(({ worker, questions }) => ({
      worker,
      answered: answers.filter((answer) => answer.worker === worker).length,
      asked: questions.length,
    }))
    .filter(({ answered }) => answered > 0);
  session.facts.results = { study: key.study, methods: scores, workers };
  session.say(studyTable(scores));
  const short = workers.filter(({ answered, asked }) => answered < asked);
  session.say(
    `${answers.length} answers of ${workers.length} of ${key.pages.length} workers` +
      (short.length === 0
        ? ''
        : `; not all questions answered by worker ${short.map(({ worker, answered, asked }) => `${worker} (${answered} of ${asked})`).join(', ')}`),
  );
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
