/**
 * `prosopon deid IN OUT`: a new face.
 *
 * @example
 * prosopon deid head.nii.gz out.nii.gz --seed 42 --qc report.html
 */
import { Command, Option } from 'commander';
import { BRAIN_MODEL } from '../brain/extract.js';
import { FINDER_MODEL } from '../brain/finder.js';
import {
  type Deidentified,
  type DeidentifyInput,
  deidentify,
  FOUND_MARGIN_MM,
} from '../deidentify/pipeline.js';
import { parseSeed } from '../deidentify/seed.js';
import { VERSION } from '../deidentify/version.js';
import { Refusal } from '../errors/errors.js';
import { frameValues, type StoredImage } from '../formats/stored-image.js';
import type { Method } from '../methods/registry.js';
import { readModel } from '../networks/node-models.js';
import { nodeDeflate } from '../node/deflate.js';
import { nodeGzip } from '../node/gzip.js';
import { inputFiles, loadImage } from '../node/image-files.js';
import type { QcContent } from '../report/qc.js';
import type { Volume } from '../volume/volume.js';
import { claimImage, encodeMask, stageImage } from './images.js';
import { addCommonOptions, inputOutputPair, numberIn, type Pair } from './options.js';
import type { CommonOptions, Session } from './session.js';

export interface DeidOptions extends CommonOptions {
  readonly method?: string;
  readonly brainMask?: string;
  readonly trustMask?: boolean;
  readonly saveBrainMask?: string;
  readonly saveAltered?: string;
  readonly seed?: string;
  readonly resolution: '128' | '256';
  readonly keep: 'brain' | 'cranium';
  readonly brainMarginMm?: number;
  readonly scale?: number;
  readonly noise: boolean;
  readonly applyTo: readonly Pair[];
  readonly qc?: string;
  readonly qcWithOriginal?: boolean;
}

/** The cautions with it: whoever chooses a method by name reads them here. */
function methodHelp({ environment: { methods } }: Session): string {
  const cautions = methods.all.flatMap(({ name, caution }) =>
    caution === undefined ? [] : [`${name}: ${caution}`],
  );
  return ['how (default: the first)', ...cautions].join('; ');
}

/** Options of the synthesis, which a method that removes does not have. */
const SYNTHESIS_OPTIONS: readonly string[] = ['seed', 'resolution', 'scale', 'noise'];

export function deidCommand(session: Session): Command {
  const command = new Command('deid')
    .description('give a head MRI a new face; every brain voxel keeps its stored bits')
    .argument('<in>', 'NIfTI or MGH image')
    .argument('<out>', 'where the result goes; same format as the input')
    .addOption(
      new Option('--method <name>', methodHelp(session)).choices([...session.environment.methods.names]),
    )
    .option('--brain-mask <file>', 'brain mask on the grid of the input, used exactly as given')
    .option('--trust-mask', 'take the given mask without comparing it with the brain that is found')
    .option('--save-brain-mask <file>', 'write the brain mask that was used')
    .option('--save-altered <file>', 'write a mask of the voxels that are new')
    .option(
      '--seed <n>',
      'a number or words: the same seed gives the same face; without it a fresh one, never stored',
    )
    .addOption(
      new Option('--resolution <n>', 'voxels along the model cube').choices(['128', '256']).default('256'),
    )
    .addOption(
      new Option('--keep <what>', 'what keeps its bits').choices(['brain', 'cranium']).default('brain'),
    )
    .option(
      '--brain-margin-mm <x>',
      `keep also what is this near the brain (default: ${FOUND_MARGIN_MM}, or 0 with --brain-mask)`,
      numberIn(0, 20),
    )
    .option(
      '--scale <x>',
      'size of the new head around the brain, which keeps its own (cp-gan only)',
      numberIn(0.85, 1.15),
    )
    .option('--no-noise', 'leave out the scanner-like noise on new voxels')
    .option(
      '--apply-to <img=out>',
      'another image on the same grid gets the same face; repeatable',
      inputOutputPair,
      [],
    )
    .option('--qc <file>', 'write a report (one HTML file)')
    .option('--qc-with-original', 'show the original in the report as well: then it identifies the person')
    .action((input: string, output: string, options: DeidOptions) => {
      const typed = SYNTHESIS_OPTIONS.filter((name) => command.getOptionValueSource(name) === 'cli');
      return deid(session, input, output, options, typed);
    });
  return addCommonOptions(command, { writes: true });
}

export async function deid(
  session: Session,
  input: string,
  output: string,
  options: DeidOptions,
  typed: readonly string[] = [],
): Promise<void> {
  session.begin(options);
  const { environment, facts } = session;
  const method = environment.methods.get(options.method ?? environment.methods.names[0] ?? 'none');
  facts.method = method.name;
  if (method.kind === 'remove' && typed.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected none of the options of a synthesis (${SYNTHESIS_OPTIONS.join(', ')}) with ${method.name}, which removes and draws nothing; found ${typed.join(', ')}`,
    );
  if (options.scale !== undefined && !(method.kind === 'remodel' && method.scalable === true))
    throw new Refusal(
      'option-invalid',
      `expected --scale only with cp-gan, which draws heads by size; found it with ${method.name}`,
    );
  facts.seedGiven = options.seed !== undefined;
  const seed = options.seed === undefined ? undefined : parseSeed(options.seed);
  if (options.trustMask === true && options.brainMask === undefined)
    throw new Refusal('option-invalid', 'expected --brain-mask FILE with --trust-mask, found none');
  if (options.qcWithOriginal === true && options.qc === undefined)
    throw new Refusal('option-invalid', 'expected --qc FILE with --qc-with-original, found none');

  const inputs = [input, ...options.applyTo.map((pair) => pair.input)];
  if (options.brainMask !== undefined) inputs.push(options.brainMask);
  const outputs = session.outputs({ force: options.force === true, inputs: inputs.flatMap(inputFiles) });
  const results = [output, ...options.applyTo.map((pair) => pair.output)];
  for (const path of results) await claimImage(outputs, path);
  for (const path of [options.saveBrainMask, options.saveAltered])
    if (path !== undefined) await claimImage(outputs, path);
  if (options.qc !== undefined) await outputs.claim(options.qc);

  session.stage('read');
  const networks = session.networks();
  // Its process starts while the file is read.
  if (options.trustMask !== true) networks.warm?.([FINDER_MODEL, BRAIN_MODEL]);
  const image = await loadImage(input);
  const companions: NonNullable<DeidentifyInput['companions']>[number][] = [];
  for (const pair of options.applyTo)
    companions.push({ image: await loadImage(pair.input), outputName: pair.output });
  const brainMask =
    options.brainMask === undefined ? undefined : await loadImage(options.brainMask, { allowConstant: true });
  const done = await deidentify(
    {
      image,
      outputName: output,
      companions,
      ...(brainMask === undefined ? {} : { brainMask }),
    },
    {
      method,
      resolution: options.resolution === '128' ? 128 : 256,
      keep: options.keep,
      ...(options.brainMarginMm === undefined ? {} : { brainMarginMm: options.brainMarginMm }),
      trustMask: options.trustMask === true,
      noise: options.noise,
      ...(options.scale === undefined ? {} : { scale: options.scale }),
      ...(seed === undefined ? {} : { seed }),
    },
    {
      networks,
      gzip: nodeGzip,
      makeHead: environment.makeHead,
      extractBrain: environment.extractBrain,
      signal: session.signal,
      onStage: session.stage,
    },
  );
  facts.checks = done.checks;
  const warnings = [...(method.caution === undefined ? [] : [method.caution]), ...done.warnings];
  facts.warnings = warnings;

  session.stage('write');
  for (const [i, { files }] of done.images.entries()) await stageImage(outputs, results[i] ?? output, files);
  if (options.saveBrainMask !== undefined)
    await stageImage(
      outputs,
      options.saveBrainMask,
      await encodeMask(image, done.brainMask, options.saveBrainMask),
    );
  if (options.saveAltered !== undefined)
    await stageImage(
      outputs,
      options.saveAltered,
      await encodeMask(image, done.altered, options.saveAltered),
    );
  if (options.qc !== undefined) {
    session.stage('report');
    // Loaded where it is wanted: the renderer takes a tenth of the start-up.
    const { qcPage } = await import('../report/qc.js');
    const html = qcPage(await qcContent(session, done, method, input, options), nodeDeflate);
    await outputs.stage(options.qc, new TextEncoder().encode(html), {
      identifies: options.qcWithOriginal === true,
    });
  }
  session.signal.throwIfAborted();
  await outputs.commit();
  facts.outputs = [...results, options.saveBrainMask, options.saveAltered, options.qc].filter(
    (path): path is string => path !== undefined,
  );
  session.timer.end();
  for (const warning of warnings) session.warn(warning);
  session.say(`done: ${Object.keys(done.checks).length} checks passed`);
}

async function qcContent(
  session: Session,
  done: Deidentified,
  method: Method,
  input: string,
  options: DeidOptions,
): Promise<QcContent> {
  const { result } = done.images[0];
  const models = await Promise.all(method.models.map((name) => readModel(name, session.models)));
  const volumeOf = (image: StoredImage): Volume => ({ grid: image.grid, data: frameValues(image, 0) });
  return {
    result: volumeOf(result),
    altered: done.altered,
    pose: done.pose,
    checks: done.checks,
    provenance: {
      version: VERSION,
      method: method.name,
      reference: method.reference,
      models: models.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
      options: {
        ...(method.kind === 'remove'
          ? {}
          : {
              resolution: options.resolution,
              noise: options.noise,
              ...(options.scale === undefined ? {} : { scale: options.scale }),
              'seed given': options.seed !== undefined,
            }),
        keep: options.keep,
        'brain-margin-mm': options.brainMarginMm ?? (options.brainMask === undefined ? FOUND_MARGIN_MM : 0),
        'brain mask given': options.brainMask !== undefined,
        'other images': options.applyTo.length,
      },
      stages: session.timer.seconds,
    },
    // Read again: the pipeline has overwritten its copy.
    ...(options.qcWithOriginal === true ? { original: volumeOf(await loadImage(input)) } : {}),
  };
}
