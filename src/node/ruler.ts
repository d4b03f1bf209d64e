/**
 * What the commands `evaluate` and `study` ask of the ruler, the package `prosopon-ruler`: requests as they were typed, and a host
 * that gives what only the command line has. The ruler implements `Ruler`; nothing of it is imported here, so that the product
 * neither needs it nor is compiled with it.
 *
 * @example
 * const ruler = await loadRuler();
 * const { lines } = await ruler.scoreStudy({ files, key }, host);
 */
import type { Head } from '../brain/head.js';
import type { Checks } from '../deidentify/checks.js';
import type { MethodRegistry } from '../methods/registry.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { Mask, Volume } from '../volume/volume.js';
import type { BatchWorker } from './batch.js';
import type { Outputs, OutputsOptions } from './outputs.js';

/** Sections of an evaluation, in the order of its report. Here because the help of the command names them. */
export const SECTIONS = [
  'identification',
  'closeness',
  'averaging',
  'memorisation',
  'utility',
  'reference',
  'brain-age',
  'mask-errors',
  'times',
] as const;
export type SectionName = (typeof SECTIONS)[number];

/** Folder of a study's queries, among the renderings that an evaluation wrote. */
export const QUERIES = 'original';

/** What the command line gives to the ruler. */
export interface RulerHost {
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly methods: MethodRegistry;
  /** Folder of the product's networks: its own, or the one that was named. */
  readonly models: string;
  makeHead(volume: Volume, brainMask: Mask): Head;
  extractBrain(
    volume: Volume,
    networks: NetworkRunner,
    options: { signal?: AbortSignal },
  ): Promise<{ mask: Mask; agreement?: number }>;
  /**
   * Networks in a process that ends with the command.
   * @param further folders that are searched after `models`
   */
  networks(
    threads: number,
    further: readonly string[],
  ): NetworkRunner & {
    readonly peakMemoryMb?: number;
  };
  /** Outputs that the command knows of when it is interrupted. */
  outputs(options: OutputsOptions): Outputs;
  /** Starts a further process of this very command; absent where the command is no process of its own. */
  startWorker?(): BatchWorker;
  stage(name: string): void;
  progress(done: number, total: number, what: string): void;
  warn(line: string): void;
}

/** What a command of the ruler has to say when it is done. */
export interface RulerResult {
  readonly outputs: readonly string[];
  readonly checks?: Checks;
  /** For `--json`, where the result is figures. */
  readonly results?: unknown;
  /** For a person. */
  readonly lines: readonly string[];
}

/** `prosopon evaluate`, as it was typed: whole numbers are read, names are not yet looked up. */
export interface EvaluateRequest {
  readonly dataset: string;
  readonly out: string;
  readonly methods: readonly string[];
  readonly split?: readonly string[];
  readonly subjects?: readonly string[];
  readonly resolution: '128' | '256';
  /** Names with commas between them, or 'all'. */
  readonly sections: string;
  readonly seed: string;
  readonly seedsPerHead: number;
  readonly averagingHeads: number;
  readonly maskErrorHeads: number;
  readonly maskErrorMm: readonly string[];
  readonly trainHeads: number;
  /** Method and folder of the network that was trained on its output. */
  readonly sqn: readonly { readonly input: string; readonly output: string }[];
  readonly segmenter?: string;
  readonly segmenterLabels?: string;
  readonly faceApi?: string;
  readonly renderings?: boolean;
  readonly keepTreated?: string;
  readonly showHeads?: readonly string[];
  readonly jobs: number;
  readonly force?: boolean;
  readonly forget?: boolean;
}

/** `prosopon study build`. */
export interface StudyRequest {
  /** A folder of renderings, or a plan (.json). */
  readonly from: string;
  readonly out: string;
  readonly questions: number;
  readonly workers: number;
  readonly answersPerQuestion: number;
  readonly methods?: readonly string[];
  readonly seed?: string;
}

/** `prosopon study score`. */
export interface ScoreRequest {
  readonly files: readonly string[];
  readonly key: string;
}

/** What `prosopon-ruler` exports as `ruler`. */
export interface Ruler {
  /** That of the package, which must be the product's. */
  readonly version: string;
  evaluate(request: EvaluateRequest, host: RulerHost): Promise<RulerResult>;
  /** In a worker process: measures what it is told. @returns 'busy' when that was given up in the middle */
  evaluatePieces(request: EvaluateRequest, host: RulerHost): Promise<'idle' | 'busy'>;
  buildStudy(request: StudyRequest, host: RulerHost): Promise<RulerResult>;
  scoreStudy(request: ScoreRequest, host: RulerHost): Promise<RulerResult>;
}
