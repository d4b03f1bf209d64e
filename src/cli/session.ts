/**
 * What a command works with: the outside world (streams, methods, networks), the stage timer, and what has to be
 * cleaned up whatever happens.
 *
 * @example
 * const session = new Session(environment, { json: true, quiet: false });
 * const outputs = session.outputs({ force: false, inputs: [scan] });
 */
import { statSync } from 'node:fs';
import { extractBrain } from '../brain/extract.js';
import { confirmBrain } from '../brain/finder.js';
import { type Head, makeHead } from '../brain/head.js';
import type { Checks } from '../deidentify/checks.js';
import { Refusal } from '../errors/errors.js';
import { createMethods, type MethodRegistry } from '../methods/registry.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { BatchWorker } from '../node/batch.js';
import { loadRuler } from '../node/find-ruler.js';
import { packagedModels } from '../node/networks/node-models.js';
import { NodeNetworkRunner, type NodeRunnerOptions } from '../node/networks/node-runner.js';
import { Outputs, type OutputsOptions } from '../node/outputs.js';
import { type LineSink, peakMemoryMb, progressLine, StageTimer } from '../node/progress.js';
import type { Ruler } from '../node/ruler.js';
import type { Mask, Volume } from '../volume/volume.js';
import { printable, printableLines } from './terminal.js';

/** Everything outside the program that a command touches; tests replace parts of it. */
export interface Environment {
  readonly stdout: LineSink;
  readonly stderr: LineSink;
  readonly methods: MethodRegistry;
  makeNetworks(options: NodeRunnerOptions): NetworkRunner & { readonly peakMemoryMb?: number };
  makeHead(volume: Volume, brainMask: Mask): Head;
  extractBrain(
    volume: Volume,
    networks: NetworkRunner,
    options: { signal?: AbortSignal },
  ): Promise<{ mask: Mask; agreement?: number }>;
  /** A quick look at a brain that is thought to be known; without it other images' brains are always searched for. */
  confirmBrain?: typeof confirmBrain;
  /** Starts a further process of this very command, with further arguments; absent where the command is no process of its own, as in tests. */
  startWorker?(further?: readonly string[]): BatchWorker;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  /** The package that measures. @throws {Refusal} package-missing */
  loadRuler(): Promise<Ruler>;
}

export function defaultEnvironment(signal: AbortSignal): Environment {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    methods: createMethods(),
    makeNetworks: (options) => new NodeNetworkRunner(options),
    makeHead,
    extractBrain,
    confirmBrain,
    loadRuler: () => loadRuler(),
    signal,
  };
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly force?: boolean;
  readonly threads?: number;
  readonly device?: 'cpu' | 'webgpu';
  /** Folder of the networks; those that came with the program when absent. */
  readonly models?: string;
}

/** What `--json` prints beside the outcome. */
export interface Facts {
  method?: string;
  seedGiven?: boolean;
  /** Sentences about a result that may be poor. */
  warnings?: readonly string[];
  checks: Checks;
  outputs: string[];
  /** Of several scans: how many ended how. */
  summary?: Readonly<Record<string, number>>;
  /** What the command was asked for, where it is figures rather than files. */
  results?: unknown;
}

export class Session {
  readonly environment: Environment;
  readonly facts: Facts = { checks: {}, outputs: [] };
  timer = new StageTimer();
  json = false;
  /** What an interrupted command says, when it can go on. */
  interruptedMessage: string | undefined;
  #options: CommonOptions = {};
  readonly #outputs: Outputs[] = [];
  readonly #networks: (NetworkRunner & { readonly peakMemoryMb?: number })[] = [];

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** Takes the options that all commands share; called once, when the command begins. */
  begin(options: CommonOptions): void {
    this.#options = options;
    this.json = options.json === true;
    if (
      options.models !== undefined &&
      statSync(options.models, { throwIfNoEntry: false })?.isDirectory() !== true
    )
      throw new Refusal('option-invalid', 'expected a folder of networks at --models DIR, found none');
    this.timer = new StageTimer(progressLine(this.environment.stderr, options.quiet === true));
  }

  /** Files that stand under their final names. */
  get committed(): readonly string[] {
    return this.#outputs.flatMap(({ committed }) => committed);
  }

  /** What an interrupted command says: the usual, unless it can go on, or results had their names already. */
  interruption(): { readonly message?: string } {
    const there = this.committed.length;
    if (this.interruptedMessage !== undefined) return { message: this.interruptedMessage };
    if (there === 0) return {};
    return {
      message: `interrupted; ${there === 1 ? 'one file was' : `${there} files were`} already in place, whole`,
    };
  }

  get signal(): AbortSignal {
    return this.environment.signal;
  }

  readonly stage = (name: string): void => {
    this.signal.throwIfAborted();
    this.timer.begin(name);
  };

  outputs(options: OutputsOptions): Outputs {
    const outputs = new Outputs(options);
    this.#outputs.push(outputs);
    return outputs;
  }

  /**
   * @param usual threads when the user did not say
   * @param further folders of networks that are searched after the usual one
   */
  networks(
    usual?: number,
    further: readonly string[] = [],
  ): NetworkRunner & { readonly peakMemoryMb?: number } {
    const { threads = usual, device } = this.#options;
    const runner = this.environment.makeNetworks({
      models: further.length === 0 ? this.models : [this.models, ...further],
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { device }),
    });
    this.#networks.push(runner);
    return runner;
  }

  /** The folder that networks come from. */
  get models(): string {
    return this.#options.models ?? packagedModels();
  }

  /** One line for a person, on stdout; not with --json or --quiet. */
  say(line: string): void {
    if (!this.json && this.#options.quiet !== true)
      this.environment.stdout.write(`${printableLines(line)}\n`);
  }

  /** One line on stderr about how far the work is; not with --quiet. */
  log(line: string): void {
    if (this.#options.quiet !== true) this.environment.stderr.write(`${printable(line)}\n`);
  }

  /** One line on stderr about a result that may be poor; also with --quiet. */
  warn(line: string): void {
    this.environment.stderr.write(`prosopon: warning: ${printable(line)}\n`);
  }

  /** The parent's peak and the inference process' own, which overlap in time at most in part. */
  get peakMemoryMb(): number {
    return peakMemoryMb() + Math.round(Math.max(0, ...this.#networks.map((n) => n.peakMemoryMb ?? 0)));
  }

  /** Ends inference processes and wipes work folders; safe to call twice. */
  async close(): Promise<void> {
    this.timer.end();
    for (const outputs of this.#outputs) outputs.wipe();
    await Promise.all(this.#networks.map((runner) => runner.close()));
  }
}
