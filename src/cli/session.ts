/**
 * What a command works with: the outside world (streams, methods, networks), the stage timer, and what has to be
 * cleaned up whatever happens.
 *
 * @example
 * const session = new Session(environment, { json: true, quiet: false });
 * const outputs = session.outputs({ force: false, inputs: [scan] });
 */
import { extractBrain } from '../brain/extract.js';
import { type Head, makeHead } from '../brain/head.js';
import type { Checks } from '../deidentify/checks.js';
import { createMethods, type MethodRegistry } from '../methods/registry.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { Instruments } from '../node/evaluate/instruments.js';
import { NodeNetworkRunner, type NodeRunnerOptions } from '../node/networks/node-runner.js';
import { Outputs, type OutputsOptions } from '../node/outputs.js';
import { type LineSink, peakMemoryMb, progressLine, StageTimer } from '../node/progress.js';
import type { Mask, Volume } from '../volume/volume.js';
import type { Lanes } from './lanes.js';

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
  /** Starts further processes of this very command; absent where the command is no process of its own, as in tests. */
  startLanes?(count: number): Lanes;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  /** For tests of `evaluate`; otherwise those that are installed. */
  readonly evaluationInstruments?: Instruments;
}

export function defaultEnvironment(signal: AbortSignal): Environment {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    methods: createMethods(),
    makeNetworks: (options) => new NodeNetworkRunner(options),
    makeHead,
    extractBrain,
    signal,
  };
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly force?: boolean;
  readonly threads?: number;
  readonly device?: 'cpu' | 'webgpu';
}

/** What `--json` prints beside the outcome. */
export interface Facts {
  method?: string;
  seedGiven?: boolean;
  /** Sentences about a result that may be poor. */
  warnings?: readonly string[];
  checks: Checks;
  outputs: string[];
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
    this.timer = new StageTimer(progressLine(this.environment.stderr, options.quiet === true));
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

  /** @param usual threads when the user did not say */
  networks(usual?: number): NetworkRunner & { readonly peakMemoryMb?: number } {
    const { threads = usual, device } = this.#options;
    const runner = this.environment.makeNetworks({
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { device }),
    });
    this.#networks.push(runner);
    return runner;
  }

  /** One line for a person, on stdout; not with --json or --quiet. */
  say(line: string): void {
    if (!this.json && this.#options.quiet !== true) this.environment.stdout.write(`${line}\n`);
  }

  /** One line on stderr about a result that may be poor; also with --quiet. */
  warn(line: string): void {
    this.environment.stderr.write(`prosopon: warning: ${line}\n`);
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
