/**
 * One scan, file to file: claim every output, treat, stage what came of it, give all of it its names together, report. What every
 * command that treats scans stands on.
 *
 * @example
 * const { checks } = await runScanJob({ input: 'head.nii.gz', output: 'out.nii.gz' }, treatment, services);
 */
import { dirname, resolve } from 'node:path';
import { BRAIN_MODEL } from '../brain/crop.js';
import { FINDER_MODEL } from '../brain/finder.js';
import type { Checks } from '../deidentify/checks.js';
import type { FaceState } from '../deidentify/face-state.js';
import type { ScanContrast } from '../deidentify/paint.js';
import {
  type Deidentified,
  type DeidentifyInput,
  type DeidentifyServices,
  deidentify,
  FOUND_MARGIN_MM,
} from '../deidentify/pipeline.js';
import { VERSION } from '../deidentify/version.js';
import { Refusal } from '../errors/errors.js';
import { requireGiven } from '../errors/require-given.js';
import { outputNames } from '../formats/codecs.js';
import { finiteVolume, type StoredImage } from '../formats/stored-image.js';
import type { Seed } from '../methods/method.js';
import { requireTaken } from '../methods/options.js';
import type { Method } from '../methods/registry.js';
import type { QcContent } from '../report/qc.js';
import { nodeDeflate } from './deflate.js';
import { nodeGzip } from './gzip.js';
import { inputFiles, loadImage } from './image-files.js';
import { readModel } from './networks/node-models.js';
import { Outputs, type OutputsOptions } from './outputs.js';
import { claimImage, encodeMask, stageImage } from './staged-images.js';

export interface FilePair {
  readonly input: string;
  readonly output: string;
  /** What is known of how the input was made; default nothing. */
  readonly scan?: ScanContrast;
}

/** Files of one job. */
export interface ScanJob {
  /** The scan: NIfTI or MGH, 3-D or 4-D. */
  readonly input: string;
  /** Its result, in the same format. */
  readonly output: string;
  /** A mask on the scan's grid, used as it is given; without it the brain is found. */
  readonly brainMask?: string;
  /** Where the mask that was used goes (0 and 1, on the scan's grid). */
  readonly saveBrainMask?: string;
  /** Where the mask of new voxels goes (0 and 1, on the scan's grid). */
  readonly saveAltered?: string;
  /** Other images on the grid that get the same face. */
  readonly applyTo?: readonly FilePair[];
  /** Other images of the session on any grid, which are laid on the first by their brains. */
  readonly with?: readonly FilePair[];
  /** The state that the treatment's face was read from: nothing is written over it. */
  readonly faceOf?: string;
  /** Where the face is kept for later sessions: a private file (0600), no result, in no list of outputs. */
  readonly saveFace?: string;
  /** Files that appear together with the results, such as their sidecars. Nothing of the scan's voxels or headers. */
  readonly alongside?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** Where the page of the result goes (one HTML file). */
  readonly qc?: string;
  /** Shows the original on the page, which then identifies the person and is readable by its owner alone. */
  readonly qcWithOriginal?: boolean;
  /** Replace what stands at the outputs. */
  readonly force?: boolean;
}

/** What is done with it. */
export interface ScanTreatment extends ScanContrast {
  readonly method: Method;
  /** Voxels along an edge of the 256 mm model cube. */
  readonly resolution: 128 | 256;
  /** What keeps its bits, as the method allows. */
  readonly keep: 'brain' | 'cranium';
  /** Also what is this near the brain keeps its bits, 0 to 20 mm; 2 when absent, 0 where a mask is given. */
  readonly brainMarginMm?: number;
  /** Take the given mask without comparing it with the brain that is found. */
  readonly trustMask?: boolean;
  /** Scanner-like noise on new voxels. */
  readonly noise: boolean;
  /** Size of the head around the brain, 0.85 to 1.15, for methods that take one. */
  readonly scale?: number;
  /** Absent: a fresh one. */
  readonly seed?: Seed;
  /** The face of an earlier session; what shaped it is not chosen again. */
  readonly faceOf?: FaceState;
  /** Gives the face to `onTreated`, for other images of the person. */
  readonly keepFace?: boolean;
}

export interface ScanServices
  extends Pick<DeidentifyServices, 'networks'>,
    Required<Pick<DeidentifyServices, 'makeHead' | 'extractBrain'>>,
    Pick<DeidentifyServices, 'confirmBrain'> {
  readonly signal: AbortSignal;
  /** Folder of the networks. */
  readonly models: string;
  /** Told when a stage begins. */
  readonly onStage: (stage: string) => void;
  /** Shown what came of it before anything has its name: an error here leaves nothing. */
  readonly onTreated?: (done: Deidentified) => void;
  /** Seconds by stage so far, for the quality page. */
  stages(): Readonly<Record<string, number>>;
  /** For whoever has to know what is in place when it is interrupted. */
  makeOutputs?(options: OutputsOptions): Outputs;
}

export interface ScanReport {
  /** Paths of all files of the job, in place. */
  readonly outputs: readonly string[];
  readonly checks: Checks;
  readonly warnings: readonly string[];
}

/** Options of the synthesis, which a method that removes does not have. */
export const SYNTHESIS_OPTIONS: readonly string[] = [
  'seed',
  'resolution',
  'scale',
  'noise',
  'contrast',
  'acquisition',
  'profile',
];

/**
 * Said once, before any scan is read.
 * @param typed names of options that the user gave
 * @throws {Refusal} option-invalid
 */
export function requireFitting(
  { method, scale, keep }: Pick<ScanTreatment, 'method' | 'scale' | 'keep'>,
  typed: readonly string[],
): void {
  const foreign = typed.filter((name) => SYNTHESIS_OPTIONS.includes(name));
  if (method.kind === 'remove' && foreign.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected none of the options of a synthesis (${SYNTHESIS_OPTIONS.join(', ')}) with ${method.name}, which removes and draws nothing; found ${foreign.join(', ')}`,
    );
  requireTaken(method, { scale, keep });
}

/**
 * @throws {Refusal} as `Outputs.claim`, `loadImage` and `deidentify` do  @throws {Failure} as `deidentify` and `Outputs` do
 */
export async function runScanJob(
  job: ScanJob,
  treatment: ScanTreatment,
  services: ScanServices,
): Promise<ScanReport> {
  requireGiven(job, 'a job with the paths of a scan and of its result', ['input', 'output']);
  const { brainMask: maskPath } = job;
  const others = [...(job.applyTo ?? []), ...(job.with ?? [])];
  const inputs = [
    job.input,
    ...others.map(({ input }) => input),
    ...(maskPath === undefined ? [] : [maskPath]),
    ...(job.faceOf === undefined ? [] : [job.faceOf]),
  ];
  const makeOutputs = services.makeOutputs ?? ((options: OutputsOptions) => new Outputs(options));
  const outputs = makeOutputs({ force: job.force === true, inputs: inputs.flatMap(inputFiles) });
  try {
    const results = [job.output, ...others.map(({ output }) => output)];
    for (const path of [...results, job.saveBrainMask, job.saveAltered])
      if (path !== undefined) await claimImage(outputs, path);
    for (const { path } of job.alongside ?? []) await outputs.claim(path);
    if (job.qc !== undefined) await outputs.claim(job.qc);
    if (job.saveFace !== undefined) {
      requireApart(job.saveFace, [...results, job.saveBrainMask, job.saveAltered, job.qc]);
      await outputs.claim(job.saveFace);
    }

    const { image, done } = await treat(job, treatment, services);
    services.onTreated?.(done);
    const caution = treatment.method.caution === undefined ? [] : [treatment.method.caution];
    if (job.qc !== undefined) {
      services.onStage('report');
      // Loaded where it is wanted: the renderer takes a tenth of the start-up.
      const { qcPage } = await import('../report/qc.js');
      const html = qcPage(await qcContent(job, treatment, services, done), nodeDeflate);
      await outputs.stage(job.qc, new TextEncoder().encode(html), {
        identifies: job.qcWithOriginal === true,
      });
    }
    services.onStage('write');
    for (const [path, mask] of [
      [job.saveBrainMask, done.brainMask],
      [job.saveAltered, done.altered],
    ] as const)
      if (path !== undefined) await stageImage(outputs, await encodeMask(image, mask, path));
    if (job.saveFace !== undefined && done.faceState !== undefined)
      await outputs.stage(job.saveFace, done.faceState, { identifies: true });
    for (const { path, bytes } of job.alongside ?? []) await outputs.stage(path, bytes);
    // Last: after a kill in the middle a result is not there without what was asked for with it.
    for (const { files } of done.images) await stageImage(outputs, files);
    services.signal.throwIfAborted();
    await outputs.commit();
    return {
      outputs: [...results, job.saveBrainMask, job.saveAltered, job.qc].filter(
        (path): path is string => path !== undefined,
      ),
      checks: done.checks,
      warnings: [...caution, ...done.warnings],
    };
  } finally {
    outputs.wipe();
  }
}

/** @throws {Refusal} option-invalid: a state beside results is given away with them */
function requireApart(state: string, outputs: readonly (string | undefined)[]): void {
  const folder = dirname(resolve(state));
  if (outputs.some((output) => output !== undefined && dirname(resolve(output)) === folder))
    throw new Refusal(
      'option-invalid',
      'expected the state of --save-face in a private folder of its own, found it among the results; whoever has both can draw the face again',
    );
}

async function treat(
  job: ScanJob,
  treatment: ScanTreatment,
  services: ScanServices,
): Promise<{ image: StoredImage; done: Deidentified }> {
  services.onStage('read');
  // Its process starts while the file is read.
  if (treatment.trustMask !== true) services.networks.warm?.([FINDER_MODEL, BRAIN_MODEL]);
  const image = await loadImage(job.input);
  // Masks lie on the image's grid and are written as its format has it; said before any work is done.
  for (const [option, name] of [
    ['--save-brain-mask', job.saveBrainMask],
    ['--save-altered', job.saveAltered],
  ] as const)
    if (name !== undefined) outputNames(name, image, `a name at ${option}`);
  const coregistered: NonNullable<DeidentifyInput['coregistered']>[number][] = [];
  const other = async ({ input, output, scan }: FilePair, alignment: 'grid' | 'brain') => ({
    image: await loadImage(input),
    outputName: output,
    alignment,
    ...(scan === undefined ? {} : { scan }),
  });
  for (const pair of job.applyTo ?? []) coregistered.push(await other(pair, 'grid'));
  for (const pair of job.with ?? []) coregistered.push(await other(pair, 'brain'));
  const brainMask =
    job.brainMask === undefined ? undefined : await loadImage(job.brainMask, { allowConstant: true });
  const { seed, scale, brainMarginMm, faceOf, ...rest } = treatment;
  const done = await deidentify(
    { image, outputName: job.output, coregistered, ...(brainMask === undefined ? {} : { brainMask }) },
    {
      ...rest,
      ...(brainMarginMm === undefined ? {} : { brainMarginMm }),
      ...(scale === undefined ? {} : { scale }),
      ...(seed === undefined ? {} : { seed }),
      ...(faceOf === undefined ? {} : { faceOf }),
      saveFace: job.saveFace !== undefined,
    },
    pipelineServices(services),
  );
  return { image, done };
}

/** What the pipeline gets of a job's services. */
export function pipelineServices(services: ScanServices): DeidentifyServices {
  const { networks, makeHead, extractBrain, confirmBrain, signal, onStage } = services;
  return {
    networks,
    gzip: nodeGzip,
    makeHead,
    extractBrain,
    ...(confirmBrain === undefined ? {} : { confirmBrain }),
    signal,
    onStage,
  };
}

async function qcContent(
  job: ScanJob,
  { method, resolution, noise, scale, seed, keep, brainMarginMm, faceOf }: ScanTreatment,
  services: ScanServices,
  done: Deidentified,
): Promise<QcContent> {
  const { result } = done.images[0];
  const models = await Promise.all(method.models.map((name) => readModel(name, services.models)));
  return {
    result: finiteVolume(result),
    altered: done.altered,
    pose: done.pose,
    checks: done.checks,
    provenance: {
      version: VERSION,
      method: method.name,
      reference: method.reference,
      models: models.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
      options: {
        ...(method.caution === undefined ? {} : { caution: method.caution }),
        ...(method.kind === 'remove'
          ? {}
          : {
              resolution,
              noise,
              ...(scale === undefined ? {} : { scale }),
              'seed given': seed !== undefined,
            }),
        keep,
        'brain-margin-mm': brainMarginMm ?? (job.brainMask === undefined ? FOUND_MARGIN_MM : 0),
        'brain mask given': job.brainMask !== undefined,
        'other images': (job.applyTo?.length ?? 0) + (job.with?.length ?? 0),
        'face of an earlier session': faceOf !== undefined,
      },
      stages: services.stages(),
    },
    // Read again: the pipeline has overwritten its copy.
    ...(job.qcWithOriginal === true ? { original: finiteVolume(await loadImage(job.input)) } : {}),
  };
}
