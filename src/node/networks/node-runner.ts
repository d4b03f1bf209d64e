/**
 * Runs networks in a process of its own (Node).
 *
 * ONNX Runtime blocks the thread it runs in, cannot be interrupted, and aborts the whole process (exit 134) when
 * its thread is stopped during a run. In a child process it can be killed at any moment, and Ctrl-C, progress
 * and time-outs keep working here.
 *
 * @example
 * const runner = new NodeNetworkRunner({ threads: 2 });
 * const { logits } = await runner.run('brain-extraction', { image }, signal);
 * await runner.close();
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Failure, Refusal } from '../../errors/errors.js';
import type { ModelDescription } from '../../networks/catalogue.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { reviveError, type WireError } from '../../networks/wire-errors.js';
import { type Frame, FrameReader, sendFrame } from './messages.js';
import type { Request } from './network-child.js';
import { type ModelFolders, packagedModels, readModel, weightsPath } from './node-models.js';

/** What is known of one run afterwards, for stage times and the benchmark. */
export interface RunRecord {
  readonly name: string;
  /** Reading, checking and building the session; about 0 when it was there already. */
  readonly loadSeconds: number;
  readonly runSeconds: number;
}

export interface NodeRunnerOptions {
  /** Folder of the models, or several that are searched in this order; the package's own if not given. */
  readonly models?: ModelFolders;
  /** Threads of one run; default: the cores there are, at most 4. Results do not depend on it. */
  readonly threads?: number;
  readonly device?: 'cpu' | 'webgpu';
  readonly onRun?: (record: RunRecord) => void;
}

/** Where the child's code is: compiled beside this file, or in dist/ when this file runs as TypeScript in a test. */
function childEntry(): string {
  const here = import.meta.url;
  return fileURLToPath(
    new URL(
      here.endsWith('.ts') ? '../../../dist/node/networks/network-child.js' : './network-child.js',
      here,
    ),
  );
}

interface Child {
  readonly process: ChildProcess;
  readonly pipe: Duplex;
  /** What it wrote to stderr last: ONNX Runtime's own words, for the cause of a Failure. */
  stderr: string;
}

interface Pending {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: unknown) => void;
}

function startChild(): Child {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const started = spawn(process.execPath, [childEntry()], {
    // ONNX Runtime 1.29 began to send usage events to its makers, on Linux and macOS by default, and to keep a
    // device identifier and a log in the temporary folder. Nothing may leave this machine, not even that.
    env: { ...env, ORT_DISABLE_TELEMETRY: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'overlapped'],
    windowsHide: true,
  });
  const child: Child = { process: started, pipe: started.stdio[3] as Duplex, stderr: '' };
  started.stderr?.setEncoding('utf8').on('data', (text: string) => {
    child.stderr = (child.stderr + text).slice(-4000);
  });
  return child;
}

/** Whether the system ended the inference process, as it does when memory runs out, rather than an error of its own. */
export function wasKilled(error: unknown): boolean {
  return error instanceof Failure && error.message.includes(`${ENDED_EARLY}: signal SIGKILL`);
}

const ENDED_EARLY = 'ended early';

export class NodeNetworkRunner implements NetworkRunner {
  readonly #models: ModelFolders;
  readonly #threads: number;
  readonly #device: 'cpu' | 'webgpu';
  readonly #onRun: ((record: RunRecord) => void) | undefined;
  #child: Child | undefined;
  #pending: Pending | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** Runs asked for and not yet sent. */
  #unsent = 0;
  /** Names of networks to load, see `warm`. */
  readonly #wishes: string[] = [];
  #peakMemoryMb = 0;

  /** @throws {Refusal} option-invalid when `threads` is not 1 to 256. Nothing is started before the first run. */
  constructor(options: NodeRunnerOptions = {}) {
    const threads = options.threads ?? Math.min(4, availableParallelism());
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new Refusal('option-invalid', `threads must be a whole number from 1 to 256; found ${threads}`);
    }
    this.#threads = threads;
    this.#models = options.models ?? packagedModels();
    this.#device = options.device ?? 'cpu';
    this.#onRun = options.onRun;
  }

  /** The most memory that an inference process has held so far, in MiB. */
  get peakMemoryMb(): number {
    return this.#peakMemoryMb;
  }

  /**
   * Runs are done one after the other, in the order asked. The feeds must not change until the promise settles.
   * An abort kills the process at once; runs that wait behind are then done in a new one.
   */
  async run(
    name: string,
    feeds: Readonly<Record<string, Tensor>>,
    signal?: AbortSignal,
  ): Promise<Record<string, Tensor>> {
    this.#unsent++;
    let sent = false;
    const leaves = (): void => {
      if (!sent) this.#unsent--;
      sent = true;
    };
    const { head, tensors } = await this.#enqueue(async () => {
      const description = await readModel(name, this.#models);
      signal?.throwIfAborted();
      const reply = this.#ask(this.#request('run', name, description), feeds, signal);
      leaves();
      if (this.#unsent === 0) void this.#sendWishes().catch(() => undefined);
      return reply;
    }, signal).finally(leaves);
    this.#onRun?.({ name, loadSeconds: Number(head.loadSeconds), runSeconds: Number(head.runSeconds) });
    return { ...tensors };
  }

  describe(name: string): Promise<ModelDescription> {
    return readModel(name, this.#models);
  }

  /**
   * Loads sessions while the caller computes something else, behind the runs that are already asked for. The wishes leave
   * with the last of these: when its result comes back the caller computes, and could send nothing.
   */
  warm(names: readonly string[]): void {
    this.#wishes.push(...names);
    if (this.#unsent === 0) void this.#sendWishes().catch(() => undefined);
  }

  async #sendWishes(): Promise<void> {
    const names = this.#wishes.splice(0);
    const requests = await Promise.all(
      names.map(async (name) => this.#request('load', name, await readModel(name, this.#models))),
    );
    if (this.#closed || requests.length === 0) return;
    const child = this.#child ?? this.#start();
    if (this.#pending === undefined) this.#setBusy(child, false);
    for (const request of requests) sendFrame(child.pipe, { head: { ...request }, tensors: {} });
  }

  /** Frees the memory of a network's session; without a name, of the whole inference process. */
  async release(name?: string): Promise<void> {
    await this.#enqueue(async () => {
      if (name === undefined) await this.#kill();
      else if (this.#child !== undefined) await this.#ask(this.#request('release', name), {});
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#kill();
  }

  #request(kind: Request['kind'], name: string, description?: ModelDescription): Request {
    const file = weightsPath(name, this.#models);
    return {
      kind,
      name,
      file,
      sha256: description?.sha256 ?? '',
      threads: this.#threads,
      device: this.#device,
      arena: description?.settings.arena === true,
    };
  }

  async #enqueue<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#queue.then(() => {
      signal?.throwIfAborted();
      if (this.#closed) throw new Failure('network-failed', 'the network runner has been closed');
      return task();
    });
    // The queue goes on after a run that failed: whoever asked for it has the error.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #ask(
    request: Request,
    tensors: Readonly<Record<string, Tensor>>,
    signal?: AbortSignal,
  ): Promise<Frame> {
    if (this.#closed) throw new Failure('network-failed', 'the network runner has been closed');
    const child = this.#start();
    let onAbort: (() => void) | undefined;
    const reply = await new Promise<Frame>((resolve, reject) => {
      this.#pending = { resolve, reject };
      onAbort = () => {
        reject(signal?.reason);
        void this.#kill();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      sendFrame(child.pipe, { head: { ...request }, tensors });
    }).finally(() => {
      this.#pending = undefined;
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#setBusy(child, false);
    });
    this.#peakMemoryMb = Math.max(this.#peakMemoryMb, Number(reply.head.peakMemoryMb) || 0);
    const { error } = reply.head;
    if (error !== undefined) throw reviveError(error as WireError, request.name);
    return reply;
  }

  #start(): Child {
    const running = this.#child;
    if (running !== undefined) {
      this.#setBusy(running, true);
      return running;
    }
    const child = startChild();
    this.#child = child;
    const ended = (how: string, cause?: unknown): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      const words = cause ?? (child.stderr.trim() === '' ? undefined : new Error(child.stderr.trim()));
      this.#pending?.reject(
        new Failure(
          'network-failed',
          `the inference process ${how}`,
          words === undefined ? {} : { cause: words },
        ),
      );
    };
    const broken = (cause: unknown): void => {
      ended('could not be understood', cause);
      child.process.kill('SIGKILL');
    };
    const reader = new FrameReader((frame) => this.#pending?.resolve(frame));
    child.pipe.on('data', (chunk: Uint8Array) => {
      try {
        reader.push(chunk);
      } catch (error) {
        broken(error);
      }
    });
    // A write to a child that has died fails here first; its 'close' event tells the rest.
    child.pipe.on('error', () => {});
    child.process.on('error', (cause) => ended('could not be started', cause));
    child.process.on('close', (code, signal) => {
      const memory = signal === 'SIGKILL' ? ' (killed by the system, as it does when memory runs out)' : '';
      ended(`${ENDED_EARLY}: ${signal === null ? `exit code ${code}` : `signal ${signal}`}${memory}`);
    });
    return child;
  }

  /** An idle child must not keep the program alive; a busy one must. */
  #setBusy(child: Child, busy: boolean): void {
    const handles = [child.process, child.pipe, child.process.stderr] as readonly unknown[];
    for (const handle of handles as readonly { ref?: () => void; unref?: () => void }[]) {
      if (busy) handle.ref?.();
      else handle.unref?.();
    }
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.#pending?.reject(new Failure('network-failed', 'the network runner was closed during a run'));
    const gone = new Promise<void>((resolve) => child.process.once('close', () => resolve()));
    this.#setBusy(child, true);
    child.process.kill('SIGKILL');
    child.pipe.destroy();
    await gone;
  }
}
