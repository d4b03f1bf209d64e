/**
 * `prosopon evaluate BIDS_DIR OUT_DIR --methods A,B`: how well methods hide who somebody is, and what they leave of
 * the measurements of the brain. Interrupted, it goes on where it stopped.
 *
 * @example
 * prosopon evaluate ixi evaluation --methods cp-mae,quickshear --split val,test
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { Refusal } from '../errors/errors.js';
import { cpMaeMean } from '../methods/cp-mae/cp-mae.js';
import { type EvaluateEnvironment, evaluate, evaluatePieces } from '../node/evaluate/evaluate.js';
import { type EvaluateOptions, parseSections, SECTIONS } from '../node/evaluate/plan.js';
import { parseCommand } from '../node/evaluate/segmenter-command.js';
import { serveTasks } from '../node/worker-processes.js';
import { addCommonOptions, inputOutputPair, type Pair, wholeNumberIn } from './options.js';
import { Interrupted } from './outcome.js';
import { progressOf } from './progress-of.js';
import type { CommonOptions, Session } from './session.js';

interface Options extends CommonOptions {
  readonly methods: readonly string[];
  readonly split?: readonly string[];
  readonly subjects?: readonly string[];
  readonly resolution: '128' | '256';
  readonly sections: string;
  readonly seed: string;
  readonly seedsPerHead: number;
  readonly averagingHeads: number;
  readonly maskErrorHeads: number;
  readonly maskErrorMm: readonly string[];
  readonly trainHeads: number;
  readonly sqn: readonly Pair[];
  readonly segmenter?: string;
  readonly segmenterLabels?: string;
  readonly faceApi?: string;
  readonly renderings?: boolean;
  readonly keepTreated?: string;
  readonly showHeads?: readonly string[];
  readonly jobs: number;
  readonly forget?: boolean;
  readonly worker?: boolean;
}

function list(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '') || new Set(parts).size !== parts.length)
    throw new InvalidArgumentError('Expected names with commas between them, each once.');
  return parts;
}

export function evaluateCommand(session: Session): Command {
  const { methods } = session.environment;
  const command = new Command('evaluate')
    .description('measure how well methods hide identity and what they leave of brain measurements')
    .argument(
      '<bids-dir>',
      'cohort: sub-ID/[ses-ID/]anat/*_T1w.nii.gz; participants.tsv with age and split, derivatives with labels, when there are',
    )
    .argument(
      '<out-dir>',
      'where report.html, results.json and results.tsv go; an interrupted run there goes on',
    )
    .requiredOption('--methods <a,b>', `out of: ${methods.names.join(', ')}`, list)
    .option('--split <a,b>', 'only patients of these splits of participants.tsv', list)
    .option('--subjects <a,b>', 'only these patients', list)
    .addOption(
      new Option('--resolution <n>', 'voxels along the model cube').choices(['128', '256']).default('128'),
    )
    .option('--sections <a,b>', `out of: ${SECTIONS.join(', ')}; what is named must be measurable`, 'all')
    .option('--seed <n>', 'a number or words; patients get seeds of their own made of it', 'evaluation')
    .option(
      '--seeds-per-head <n>',
      'draws to average in "averaging" (16 in the papers\' spirit); 1: none',
      wholeNumberIn(1, 64),
      1,
    )
    .option('--averaging-heads <n>', 'patients in "averaging"', wholeNumberIn(5, 1000), 6)
    .option(
      '--mask-error-heads <n>',
      'patients in "mask-errors" (five or more for the attack); 0: none',
      wholeNumberIn(0, 1000),
      0,
    )
    .option('--mask-error-mm <a,b>', 'sizes of the errors', list, ['2', '4'])
    .option(
      '--train-heads <n>',
      'training patients treated as well, for "memorisation"; 0: none',
      wholeNumberIn(0, 1000),
      0,
    )
    .option(
      '--sqn <method=folder>',
      'network trained on the output of this method; repeatable',
      inputOutputPair,
      [],
    )
    .option('--segmenter <command>', "another segmenter, as 'tool {in} {out}'; instead of ours")
    .option(
      '--segmenter-labels <file>',
      'its classes: a table with index, name and tissue (grey, white, vcsf)',
    )
    .option('--face-api <folder>', 'where @vladmandic/face-api is installed, when not beside this package')
    .option(
      '--renderings',
      'write OUT/renderings/METHOD/PATIENT.png for a human study: they show real people',
    )
    .option('--show-heads <a,b>', 'show these patients, original included, in the report', list)
    .option('--keep-treated <dir>', 'write the treated scans there')
    .option('--jobs <n>', 'patients at a time', wholeNumberIn(1, 64), 2)
    .option('--forget', 'measure again what earlier runs there measured')
    .addOption(new Option('--worker', 'be a further process of this command').hideHelp())
    .action((dataset: string, out: string, options: Options) => run(session, dataset, out, options));
  return addCommonOptions(command, { writes: true });
}

async function run(session: Session, dataset: string, out: string, given: Options): Promise<void> {
  session.begin(given);
  const { environment } = session;
  session.interruptedMessage = 'interrupted; the same command goes on where this one stopped';
  const options = evaluateOptions(session, dataset, out, given);
  const services: EvaluateEnvironment = {
    signal: session.signal,
    extractBrain: environment.extractBrain,
    makeHead: environment.makeHead,
    makeNetworks: (threads) => session.networks(threads),
    progress: progressOf(session, given.quiet === true),
    warn: (text) => {
      if (given.worker !== true) session.warn(text);
    },
    ...(environment.startWorker === undefined ? {} : { startWorker: environment.startWorker }),
    ...(environment.evaluationInstruments === undefined
      ? {}
      : { instruments: environment.evaluationInstruments }),
  };
  if (given.worker === true) {
    if ((await evaluatePieces(options, services, serveTasks)) === 'busy') throw new Interrupted();
    return;
  }
  const written = await evaluate(options, services);
  session.facts.outputs.push(...written.files);
  session.facts.checks = Object.fromEntries(
    written.absent.map(({ id, reason }) => [id, { passed: true, value: `not measured: ${reason}` }]),
  );
  session.timer.end();
  session.say(
    `done: ${written.patients} patients; ${written.absent.length} blocks not measured or not published`,
  );
}

function evaluateOptions(session: Session, dataset: string, out: string, given: Options): EvaluateOptions {
  const { methods } = session.environment;
  const sections = parseSections(given.sections);
  const maskErrorMm = given.maskErrorMm.map((text) => {
    const mm = Number(text);
    if (!(mm > 0 && mm <= 10))
      throw new Refusal('option-invalid', `expected mask errors of 0 to 10 mm, found ${text}`);
    return mm;
  });
  const adaptive = new Map(given.sqn.map(({ input, output }) => [input, output]));
  for (const name of adaptive.keys())
    if (!given.methods.includes(name))
      throw new Refusal('option-invalid', 'expected --sqn to name one of the --methods, found another');
  const pick = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
  return {
    dataset,
    out,
    methods: given.methods.map((name) => methods.get(name)),
    // What CP-MAE's network holds most likely of a patient, drawn without chance: the attacker's best guess.
    warnings: given.methods.includes('cp-mae') ? [cpMaeMean] : [],
    ...pick('splits', given.split),
    ...pick('subjects', given.subjects),
    resolution: given.resolution === '128' ? 128 : 256,
    ...pick('sections', sections),
    seed: given.seed,
    seedsPerHead: given.seedsPerHead,
    averagingHeads: given.averagingHeads,
    maskErrorHeads: given.maskErrorHeads,
    maskErrorMm,
    trainHeads: given.trainHeads,
    adaptive,
    ...pick('segmenter', given.segmenter === undefined ? undefined : parseCommand(given.segmenter)),
    ...pick('segmenterLabels', given.segmenterLabels),
    ...pick('faceApi', given.faceApi),
    ...pick('models', given.models),
    renderings: given.renderings === true,
    ...pick('keepTreated', given.keepTreated),
    showHeads: (given.showHeads ?? []).map((id) => (id.startsWith('sub-') ? id : `sub-${id}`)),
    jobs: given.jobs,
    force: given.force === true,
    forget: given.forget === true,
    command: commandText(given),
  };
}

/** What matters for the numbers, without paths. */
function commandText(given: Options): string {
  const parts = ['prosopon evaluate BIDS_DIR OUT_DIR', `--methods ${given.methods.join(',')}`];
  if (given.split !== undefined) parts.push(`--split ${given.split.join(',')}`);
  if (given.subjects !== undefined) parts.push(`--subjects (${given.subjects.length} named)`);
  parts.push(`--resolution ${given.resolution}`, `--sections ${given.sections}`, `--seed ${given.seed}`);
  if (given.seedsPerHead > 1)
    parts.push(`--seeds-per-head ${given.seedsPerHead}`, `--averaging-heads ${given.averagingHeads}`);
  if (given.maskErrorHeads > 0)
    parts.push(
      `--mask-error-heads ${given.maskErrorHeads}`,
      `--mask-error-mm ${given.maskErrorMm.join(',')}`,
    );
  if (given.trainHeads > 0) parts.push(`--train-heads ${given.trainHeads}`);
  for (const { input } of given.sqn) parts.push(`--sqn ${input}=FOLDER`);
  if (given.segmenter !== undefined) parts.push('--segmenter COMMAND');
  return parts.join(' ');
}
