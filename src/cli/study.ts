/**
 * `prosopon study build RENDERINGS OUT` and `prosopon study score CSV...`: the human study. Can people find a subject
 * among five treated heads? The work is the ruler's, a package of its own (`prosopon-ruler`); here are the options.
 *
 * @example
 * prosopon study build evaluation study --questions 40 --workers 5 --seed 7
 * prosopon study score answers-*.csv --key study/key.json
 */
import { Command, InvalidArgumentError } from 'commander';
import { QUERIES, type StudyRequest } from '../node/ruler.js';
import { addCommonOptions, wholeNumberIn } from './options.js';
import { rulerHost, tellResult } from './ruler-host.js';
import type { CommonOptions, Session } from './session.js';

interface BuildOptions extends CommonOptions, Omit<StudyRequest, 'from' | 'out'> {}

interface ScoreOptions extends CommonOptions {
  readonly key: string;
}

export function studyCommand(session: Session): Command {
  const command = new Command('study').description('the human study: make its pages, score its answers');
  const build = new Command('build')
    .description('make one offline page for each worker, and the key')
    .argument(
      '<renderings>',
      `folder with ${QUERIES}/SUBJECT.png (from another view) and METHOD/SUBJECT.png for each method, or a plan (.json)`,
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

async function buildPages(session: Session, from: string, out: string, given: BuildOptions): Promise<void> {
  session.begin(given);
  const ruler = await session.environment.loadRuler();
  tellResult(session, await ruler.buildStudy({ ...given, from, out }, rulerHost(session, given)));
}

async function scoreAnswers(session: Session, files: readonly string[], given: ScoreOptions): Promise<void> {
  session.begin(given);
  const ruler = await session.environment.loadRuler();
  tellResult(session, await ruler.scoreStudy({ files, key: given.key }, rulerHost(session, given)));
}
