/**
 * Options of `prosopon bids`, as the command line of a BIDS App has them.
 *
 * @example
 * addBidsOptions(command, session);
 * const settings = await settingsOf(session, options);
 */
import { type Command, Option } from 'commander';
import { parseFilter } from '../bids/filter.js';
import type { Layout } from '../bids/plan.js';
import { copyable } from '../bids/policy.js';
import { Refusal } from '../errors/errors.js';
import type { Method } from '../methods/registry.js';
import type { Settings } from '../node/bids/settings.js';
import { addMethodOptions, type MethodOptions } from './method-options.js';
import { numberIn, wholeNumberIn } from './options.js';
import { readJson } from './read-json.js';
import type { CommonOptions, Session } from './session.js';

export interface BidsOptions extends CommonOptions, MethodOptions {
  readonly participantLabel?: readonly string[];
  readonly sessionLabel?: readonly string[];
  readonly bidsFilterFile?: string;
  readonly layout: Layout;
  readonly brainMasks?: string;
  readonly seed?: string;
  readonly seedFile?: string;
  readonly jobs?: number;
  readonly memGb?: number;
  readonly shard?: string;
  readonly wait?: boolean;
  readonly workDir?: string;
  readonly reportDir?: string;
  readonly skipBidsValidation?: boolean;
  readonly copy: readonly string[];
  readonly keepColumns: readonly string[];
  readonly keepKeys: readonly string[];
  readonly dates: 'remove' | 'shift';
  readonly defacemask?: boolean;
  readonly datasetName?: string;
  readonly sourceUri?: string;
  readonly dryRun?: boolean;
  readonly refusalsOk?: boolean;
  readonly worker?: boolean;
}

function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((part) => part.trim())].filter((part) => part !== '');
}

export function addBidsOptions(command: Command, { environment: { methods } }: Session): Command {
  command
    .option('--participant-label <label...>', 'these subjects alone, with or without sub-')
    .option('--session-label <label...>', 'these sessions alone, with or without ses-')
    .option('--bids-filter-file <json>', "which images are taken, as fMRIPrep's filter files say it")
    .addOption(
      new Option(
        '--layout <what>',
        'raw: the names of the input, for release in its place; derivative: desc-remodelled or desc-defaced',
      )
        .choices(['raw', 'derivative'])
        .default('raw'),
    );
  return addMethodOptions(command, methods)
    .option(
      '--brain-masks <dir>',
      'derivative with *_desc-brain_mask.nii.gz: used where it has one for a scan, compared with the brain that is found',
    )
    .option(
      '--seed <n>',
      'a number or words that you keep SECRET: each person gets the same face again in every run; without it fresh ones, never stored',
    )
    .option('--seed-file <file>', 'the same, from a file: it then stands in no list of processes and no log')
    .option('--jobs <n>', 'people at a time, 1 to 256 (default: by cores and memory)', wholeNumberIn(1, 256))
    .option('--mem-gb <x>', 'memory that may be used (default: what is free)', numberIn(1, 100_000))
    .option(
      '--shard <i/n>',
      'this share of the people alone (3/8); slurm: by the variables of a Slurm array job',
    )
    .option('--wait', 'wait while another run has this output, or this share of it, in place of a refusal')
    .option('--work-dir <dir>', 'PRIVATE folder of records and settings (default: OUTPUT-work)')
    .option('--report-dir <dir>', 'where the index of the group level goes (default: OUTPUT-report)')
    .option('--skip-bids-validation', 'take a folder without dataset_description.json')
    .option(
      '--copy <what>',
      `copy these too, untreated, with clean headers: ${copyable().join(', ')}`,
      listed,
      [],
    )
    .option('--keep-columns <names>', 'further columns of participants.tsv to keep', listed, [])
    .option('--keep-keys <names>', 'further keys of JSON sidecars to keep', listed, [])
    .addOption(
      new Option('--dates <what>', 'times in scans.tsv; shift: all of a person by the same number of days')
        .choices(['remove', 'shift'])
        .default('remove'),
    )
    .option('--defacemask', 'also write masks of the voxels that are new (_defacemask)')
    .option('--dataset-name <text>', 'Name in dataset_description.json')
    .option('--source-uri <uri>', 'where the originals can be asked for, for SourceDatasets')
    .option('--dry-run', 'say what would be done with each file, and why; write nothing')
    .option(
      '--refusals-ok',
      'exit 0 when scans were refused, as workflow engines take 1 for a crash; failures still exit 3',
    )
    .addOption(new Option('--worker', 'be a further process of this command').hideHelp());
}

export function methodOf({ environment: { methods } }: Session, options: BidsOptions): Method {
  return methods.get(options.method ?? methods.names[0] ?? 'none');
}

/** @throws {Refusal} option-invalid, not-readable */
export async function settingsOf(session: Session, options: BidsOptions): Promise<Settings> {
  const { layout, dates, datasetName, sourceUri, bidsFilterFile } = options;
  const known = new Set(copyable());
  const unknown = options.copy.filter((what) => !known.has(what));
  if (unknown.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected --copy with one of ${[...known].join(', ')}, found ${unknown.length === 1 ? 'something' : `${unknown.length} things`} else: what shows a face is treated or left out, never copied`,
    );
  return {
    layout,
    dates,
    method: methodOf(session, options).name,
    copy: [...options.copy],
    columns: [...options.keepColumns],
    keys: [...options.keepKeys],
    defaceMask: options.defacemask === true,
    ...(bidsFilterFile === undefined ? {} : { filter: await readFilter(bidsFilterFile) }),
    ...(datasetName === undefined ? {} : { name: datasetName }),
    ...(sourceUri === undefined ? {} : { sourceUri }),
  };
}

async function readFilter(path: string): Promise<unknown> {
  const json = await readJson(path, 'option-invalid', ' at --bids-filter-file');
  parseFilter(json);
  return json;
}
