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
import { evaluate } from '../node/evaluate/evaluate.js';
import { type EvaluateOptions, type Lane, parseSections, SECTIONS } from '../node/evaluate/plan.js';
import { parseCommand } from '../node/evaluate/segmenter-command.js';
import { endWithParent } from './lanes.js';
import { addCommonOptions, inputOutputPair, type Pair, wholeNumberIn } from './options.js';
import type { CommonOptions, Session } from './session.js';
import { printable } from './terminal.js';

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
  readonly lane?: Lane;
}

function laneOf(text: string): Lane {
  const [index = Number.NaN, count = Number.NaN] = text.split('/').map(Number);
  if (!(Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count))
    throw new InvalidArgumentError('Expected K/N with K below N.');
  return { index, count };
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
      'cohort: sub-ID/anat/*_T1w.nii.gz; participants.tsv with age and split, derivatives with labels, when there are',
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
    .option('--jobs <n>', 'patients at a time', wholeNumberIn(1, 16), 2)
    .addOption(
      new Option('--lane <k/n>', 'a share of the work, for further processes').argParser(laneOf).hideHelp(),
    )
    .action((dataset: string, out: string, options: Options) => run(session, dataset, out, options));
  return addCommonOptions(command, { writes: true });
}

async function run(session: Session, dataset: string, out: string, given: Options): Promise<void> {
  session.begin(given);
  const { environment } = session;
  if (given.lane !== undefined) endWithParent(() => process.kill(process.pid, 'SIGTERM'));
  session.interruptedMessage = 'interrupted; the same command goes on where this one stopped';
  const options = evaluateOptions(session, dataset, out, given);
  const written = await evaluate(options, {
    signal: session.signal,
    extractBrain: environment.extractBrain,
    makeHead: environment.makeHead,
    makeNetworks: (threads) => session.networks(threads),
    progress: progressOf(session, given.quiet === true),
    ...(environment.startLanes === undefined ? {} : { startLanes: environment.startLanes }),
    ...(environment.evaluationInstruments === undefined
      ? {}
      : { instruments: environment.evaluationInstruments }),
  });
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
    ...pick('lane', given.lane),
    force: given.force === true,
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

/** On a terminal one line in place; elsewhere a line now and then, so that a log says that it lives. */
function progressOf(session: Session, quiet: boolean): (done: number, total: number, what: string) => void {
  const { stderr } = session.environment;
  const began = performance.now();
  let [first, last] = [Number.NaN, 0];
  return (done, total, what) => {
    if (quiet) return;
    const now = performance.now();
    // What was remembered from an earlier run goes by at once and says nothing about the rest.
    if (Number.isNaN(first) && now - began > 2000) first = done;
    const minutes = done > first ? (((now - began) / (done - first)) * (total - done)) / 60_000 : Number.NaN;
    const left = Number.isFinite(minutes) ? `, about ${Math.max(1, Math.round(minutes))} min left` : '';
    if (stderr.isTTY === true) stderr.write(`\r\u001b[K${done} of ${total}: ${printable(what)}${left}`);
    else if (done === total || now - last > 30_000) {
      last = now;
      stderr.write(`${done} of ${total}${left}\n`);
    }
  };
}
