/**
 * `prosopon deid IN OUT`: a new face. `prosopon deid IN... --out-dir DIR`: many of them (`deid-many.ts`).
 *
 * @example
 * prosopon deid head.nii.gz out.nii.gz --seed 42 --qc report.html
 */
import { Command, Option } from 'commander';
import { decodeFaceState, type FaceState } from '../deidentify/face-state.js';
import { FOUND_MARGIN_MM } from '../deidentify/pipeline.js';
import { parseSeed } from '../deidentify/seed.js';
import { Refusal } from '../errors/errors.js';
import { KEEP, type Keep, whoScales } from '../methods/options.js';
import { nodeGzip } from '../node/gzip.js';
import { readRegularFile } from '../node/image-files.js';
import {
  requireFitting,
  runScanJob,
  type ScanJob,
  type ScanTreatment,
  SYNTHESIS_OPTIONS,
} from '../node/scan-job.js';
import { deidMany } from './deid-many.js';
import {
  addCommonOptions,
  fileEndingIn,
  IMAGE_HELP,
  inputOutputPair,
  numberIn,
  type Pair,
  wholeNumberIn,
} from './options.js';
import { addContrastOptions, type ContrastOptions, scanContrastOf } from './scan-contrast.js';
import { scanServices } from './scan-services.js';
import type { CommonOptions, Session } from './session.js';

export interface DeidOptions extends CommonOptions, ContrastOptions {
  readonly method?: string;
  readonly brainMask?: string;
  readonly trustMask?: boolean;
  readonly saveBrainMask?: string;
  readonly saveAltered?: string;
  readonly seed?: string;
  readonly resolution: '128' | '256';
  readonly keep: Keep;
  readonly brainMarginMm?: number;
  readonly scale?: number;
  readonly noise: boolean;
  readonly applyTo: readonly Pair[];
  readonly with: readonly Pair[];
  readonly faceOf?: string;
  readonly saveFace?: string;
  /** True where no file is named: a page beside each result. */
  readonly qc?: string | true;
  readonly qcWithOriginal?: boolean;
  readonly outDir?: string;
  readonly jobs?: number;
  readonly worker?: boolean;
}

/** The cautions with it: whoever chooses a method by name reads them here. */
function methodHelp({ environment: { methods } }: Session): string {
  const cautions = methods.all.flatMap(({ name, caution }) =>
    caution === undefined ? [] : [`${name}: ${caution}`],
  );
  return [`how (default: ${methods.names[0] ?? 'none'})`, ...cautions].join('; ');
}

export function deidCommand(session: Session): Command {
  const scales = whoScales(session.environment.methods.all);
  const command = new Command('deid')
    .description('give a head MRI a new face; every brain voxel keeps its stored bits')
    .usage('[options] IN OUT\n       prosopon deid [options] IN... --out-dir DIR')
    .argument(
      '<files...>',
      `${IMAGE_HELP}, and where the result goes, in the same format; or images and --out-dir`,
    )
    .option('--out-dir <dir>', 'treat any number of images; results go there under the names of the inputs')
    .option(
      '--jobs <n>',
      'images at a time, 1 to 256, with --out-dir (default: by cores and memory)',
      wholeNumberIn(1, 256),
    )
    .addOption(new Option('--worker', 'be a further process of this command').hideHelp())
    .addOption(
      new Option('--method <name>', methodHelp(session)).choices([...session.environment.methods.names]),
    )
    .option('--brain-mask <file>', 'brain mask on the grid of the input (0 and 1, labels or probabilities)')
    .option('--trust-mask', 'take the given mask without comparing it with the brain that is found')
    .option('--save-brain-mask <file>', 'write the brain mask that was used')
    .option('--save-altered <file>', 'write a mask of the voxels that are new')
    .option(
      '--seed <n>',
      'a number or words, up to 1024 characters: the same seed gives the same face (with --out-dir to each image); without it a fresh one, never stored',
    )
    .addOption(
      new Option(
        '--resolution <n>',
        'voxels along the model cube; the figures on privacy were measured at 128',
      )
        .choices(['128', '256'])
        .default('256'),
    )
    .addOption(
      new Option('--keep <what>', 'what keeps its bits; cranium: also the vault above brow and ears')
        .choices([...KEEP])
        .default(KEEP[0]),
    )
    .option(
      '--brain-margin-mm <x>',
      `keep also what is this near the brain, 0 to 20 (default: ${FOUND_MARGIN_MM}, or 0 with --brain-mask)`,
      numberIn(0, 20),
    )
    .option(
      '--scale <x>',
      `size of the new head around the brain, which keeps its own; ${scales?.range.join(' to ') ?? '1'} (${scales?.names.join(', ') ?? 'no method'} only)`,
      numberIn(...(scales?.range ?? [1, 1])),
    )
    .option('--no-noise', 'leave out the scanner-like noise on new voxels')
    .addOption(
      new Option('--apply-to <img=out>', 'another image on the same grid gets the same face; repeatable')
        .argParser(inputOutputPair)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--with <img=out>',
        "another image of the session, on any grid and of any contrast, gets the same face: it is laid on the first by the person's brain; repeatable",
      )
        .argParser(inputOutputPair)
        .default([], 'none'),
    )
    .option(
      '--save-face <state>',
      'keep the face for later sessions of the person in a PRIVATE file, not among the results',
    )
    .option('--face-of <state>', 'the face of an earlier session of the same person, as --save-face kept it')
    .option(
      '--qc [file]',
      'write a report, one file in .html; with --out-dir without a name: one beside each result',
      fileEndingIn('.html', '.htm'),
    )
    .option('--qc-with-original', 'show the original in the report as well: then it identifies the person')
    .action((files: string[], options: DeidOptions) => run(session, command, files, options));
  return addCommonOptions(addContrastOptions(command), { writes: true });
}

async function run(
  session: Session,
  command: Command,
  files: readonly string[],
  options: DeidOptions,
): Promise<void> {
  session.begin(options);
  const typed = SYNTHESIS_OPTIONS.filter((name) => command.getOptionValueSource(name) === 'cli');
  const face = await faceOf(command, options);
  const treatment = { ...treatmentOf(session, options, typed, face), ...(await scanContrastOf(options)) };
  const { outDir } = options;
  if (outDir !== undefined) return deidMany(session, files, outDir, options, treatment);
  if (options.jobs !== undefined)
    throw new Refusal('option-invalid', 'expected --out-dir DIR with --jobs, found none');
  const [input, output] = files;
  if (input === undefined || output === undefined || files.length > 2)
    command.error(
      `error: expected IN and OUT, or IN... with --out-dir DIR; found ${files.length} ${files.length === 1 ? 'path' : 'paths'}`,
      { exitCode: 2, code: 'prosopon.paths' },
    );
  await deid(session, { ...jobOf(options), input, output }, treatment);
}

/** What shapes a face and is kept with it. */
const SHAPING = ['method', 'seed', 'resolution', 'scale', 'keep'];

/** @throws {Refusal} option-invalid, state-invalid, not-readable */
async function faceOf(command: Command, options: DeidOptions): Promise<FaceState | undefined> {
  if (options.faceOf === undefined) return undefined;
  const typed = SHAPING.filter((name) => command.getOptionValueSource(name) === 'cli');
  if (typed.length > 0 || options.saveFace !== undefined || options.outDir !== undefined)
    throw new Refusal(
      'option-invalid',
      `expected --face-of without --save-face, --out-dir and ${SHAPING.map((name) => `--${name}`).join(', ')}, which the state holds`,
    );
  return decodeFaceState(await readRegularFile(options.faceOf), nodeGzip);
}

/** @throws {Refusal} option-invalid */
function treatmentOf(
  session: Session,
  options: DeidOptions,
  typed: readonly string[],
  face: FaceState | undefined,
): ScanTreatment {
  const { environment, facts } = session;
  const method = environment.methods.get(
    face?.method ?? options.method ?? environment.methods.names[0] ?? 'none',
  );
  facts.method = method.name;
  facts.seedGiven = options.seed !== undefined;
  const { keep, noise, scale, brainMarginMm, seed } = options;
  requireFitting({ method, keep, ...(scale === undefined ? {} : { scale }) }, typed);
  if (options.trustMask === true && options.brainMask === undefined)
    throw new Refusal('option-invalid', 'expected --brain-mask FILE with --trust-mask, found none');
  if (options.qcWithOriginal === true && options.qc === undefined)
    throw new Refusal('option-invalid', 'expected --qc FILE with --qc-with-original, found none');
  if (options.qc === true && options.outDir === undefined)
    throw new Refusal('option-invalid', 'expected --qc FILE, as there is one result; found no file');
  return {
    method,
    resolution: options.resolution === '128' ? 128 : 256,
    keep,
    noise,
    trustMask: options.trustMask === true,
    ...(brainMarginMm === undefined ? {} : { brainMarginMm }),
    ...(scale === undefined ? {} : { scale }),
    ...(seed === undefined ? {} : { seed: parseSeed(seed) }),
    ...(face === undefined ? {} : { faceOf: face, resolution: face.resolution, keep: face.keep }),
  };
}

function jobOf(options: DeidOptions): Omit<ScanJob, 'input' | 'output'> {
  const { brainMask, saveBrainMask, saveAltered, applyTo, qc, qcWithOriginal, force, saveFace } = options;
  return {
    applyTo,
    with: options.with,
    ...(saveFace === undefined ? {} : { saveFace }),
    ...(options.faceOf === undefined ? {} : { faceOf: options.faceOf }),
    ...(brainMask === undefined ? {} : { brainMask }),
    ...(saveBrainMask === undefined ? {} : { saveBrainMask }),
    ...(saveAltered === undefined ? {} : { saveAltered }),
    ...(typeof qc === 'string' ? { qc } : {}),
    qcWithOriginal: qcWithOriginal === true,
    force: force === true,
  };
}

/** One scan; also what `demo` does. */
export async function deid(session: Session, job: ScanJob, treatment: ScanTreatment): Promise<void> {
  const done = await runScanJob(job, treatment, scanServices(session, session.networks(), session.timer));
  const { facts } = session;
  facts.checks = done.checks;
  facts.warnings = done.warnings;
  facts.outputs = [...done.outputs];
  session.timer.end();
  for (const warning of done.warnings) session.warn(warning);
  session.say(`done: ${Object.keys(done.checks).length} checks passed`);
}
