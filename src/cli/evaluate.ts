/**
 * `prosopon evaluate BIDS_DIR OUT_DIR --methods A,B`: how well methods hide who somebody is, and what they leave of
 * the measurements of the brain. Interrupted, it goes on where it stopped. The work is the ruler's, a package of its own
 * (`prosopon-ruler`); here are its options, so that they can be read about without it.
 *
 * @example
 * prosopon evaluate ixi evaluation --methods cp-mae,quickshear --split val,test
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type EvaluateRequest, SECTIONS } from '../node/ruler.js';
import { addCommonOptions, inputOutputPair, wholeNumberIn } from './options.js';
import { Interrupted } from './outcome.js';
import { rulerHost, tellResult } from './ruler-host.js';
import type { CommonOptions, Session } from './session.js';

interface Options extends CommonOptions, Omit<EvaluateRequest, 'dataset' | 'out' | 'force'> {
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
    .option('--split <a,b>', 'only subjects of these splits of participants.tsv', list)
    .option('--subjects <a,b>', 'only these subjects', list)
    .addOption(
      new Option('--resolution <n>', 'voxels along the model cube').choices(['128', '256']).default('128'),
    )
    .option('--sections <a,b>', `out of: ${SECTIONS.join(', ')}; what is named must be measurable`, 'all')
    .option('--seed <n>', 'a number or words; subjects get seeds of their own made of it', 'evaluation')
    .option(
      '--seeds-per-head <n>',
      'draws to average in "averaging" (16 in the papers\' spirit); 1: none',
      wholeNumberIn(1, 64),
      1,
    )
    .option('--averaging-heads <n>', 'subjects in "averaging"', wholeNumberIn(5, 1000), 6)
    .option(
      '--mask-error-heads <n>',
      'subjects in "mask-errors" (five or more for the attack); 0: none',
      wholeNumberIn(0, 1000),
      0,
    )
    .option('--mask-error-mm <a,b>', 'sizes of the errors', list, ['2', '4'])
    .option(
      '--train-heads <n>',
      'training subjects treated as well, for "memorisation"; 0: none',
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
    .option('--face-api <folder>', 'where @vladmandic/face-api is installed, when not beside prosopon-ruler')
    .option(
      '--renderings',
      'write OUT/renderings/METHOD/SUBJECT.png for a human study: they show real people',
    )
    .option('--show-heads <a,b>', 'show these subjects, original included, in the report', list)
    .option('--keep-treated <dir>', 'write the treated scans there')
    .option('--jobs <n>', 'subjects at a time', wholeNumberIn(1, 64), 2)
    .option('--forget', 'measure again what earlier runs there measured')
    .addOption(new Option('--worker', 'be a further process of this command').hideHelp())
    .action((dataset: string, out: string, options: Options) => run(session, dataset, out, options));
  return addCommonOptions(command, { writes: true });
}

async function run(session: Session, dataset: string, out: string, given: Options): Promise<void> {
  session.begin(given);
  session.interruptedMessage = 'interrupted; the same command goes on where this one stopped';
  const ruler = await session.environment.loadRuler();
  const request: EvaluateRequest = { ...given, dataset, out };
  const host = rulerHost(session, given);
  if (given.worker === true) {
    if ((await ruler.evaluatePieces(request, host)) === 'busy') throw new Interrupted();
    return;
  }
  tellResult(session, await ruler.evaluate(request, host));
}
