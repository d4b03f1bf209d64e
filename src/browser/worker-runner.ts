/**
 * Runs networks in a worker of their own (browser): ONNX Runtime blocks its thread, and a worker can be ended at any
 * moment, so that an abort is an abort.
 *
 * @example
 * const networks = new WorkerNetworkRunner({
 *   models: '/models/',
 *   worker: () => new Worker(new URL('./networks.js', import.meta.url), { type: 'module' }),
 * });
 */
import { Failure, Refusal } from '../errors/errors.js';
import { type ModelDescription, parseModelDescription } from '../networks/catalogue.js';
import type { NetworkRunner, Tensor } from '../networks/runner.js';
import { reviveError } from '../networks/wire-errors.js';
import type { NetworkReply, NetworkRequest } from './network-worker.js';

export interface WorkerRunnerOptions {
  /** Where the package's `models/` folder is served; ends in a slash. */
  readonly models: string | URL;
  /** Starts a worker that calls `serveNetworks`. Called again after an abort. */
  worker(): Worker;
}

interface Pending {
  readonly name: string;
  resolve(outputs: Record<string, Tensor>): void;
  reject(error: unknown): void;
}

export class WorkerNetworkRunner implements NetworkRunner {
  readonly #options: WorkerRunnerOptions;
  readonly #descriptions = new Map<string, Promise<ModelDescription>>();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #next = 1;
  #closed = false;

  constructor(options: WorkerRunnerOptions) {
    this.#options = options;
  }

  describe(name: string): Promise<ModelDescription> {
    const known = this.#descriptions.get(name);
    if (known !== undefined) return known;
    const asked = this.#describe(name);
    this.#descriptions.set(name, asked);
    // A page may be offline for a moment: a failure is not remembered.
    asked.catch(() => this.#descriptions.delete(name));
    return asked;
  }

  async run(
    name: string,
    feeds: Readonly<Record<string, Tensor>>,
    signal?: AbortSignal,
  ): Promise<Record<string, Tensor>> {
    const { sha256 } = await this.describe(name);
    signal?.throwIfAborted();
    if (this.#closed) throw new Failure('network-failed', 'the network runner has been closed');
    const id = this.#next++;
    const worker = this.#start();
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { name, resolve, reject });
        onAbort = () => {
          reject(signal?.reason);
          this.#end(new Failure('network-failed', 'another run was aborted, and its worker with it'));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        const request: NetworkRequest = {
          id,
          kind: 'run',
          name,
          url: this.#url(name, 'model.onnx'),
          sha256,
          feeds,
        };
        worker.postMessage(request);
      });
    } finally {
      this.#pending.delete(id);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  warm(names: readonly string[]): void {
    for (const name of names)
      this.describe(name).then(
        ({ sha256 }) => {
          if (this.#closed) return;
          const url = this.#url(name, 'model.onnx');
          const request: NetworkRequest = { id: 0, kind: 'load', name, url, sha256, feeds: {} };
          this.#start().postMessage(request);
        },
        () => undefined,
      );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#end(new Failure('network-failed', 'the network runner was closed during a run'));
  }

  #url(name: string, file: string): string {
    return new URL(`${name}/${file}`, new URL(this.#options.models, globalThis.location?.href)).href;
  }

  async #describe(name: string): Promise<ModelDescription> {
    const response = await fetch(this.#url(name, 'model.json')).catch((cause: unknown) => {
      throw new Refusal('model-unavailable', `the model ${name} cannot be read`, { cause });
    });
    if (!response.ok)
      throw new Refusal('model-unavailable', `expected the model ${name}; it is not served here`);
    return parseModelDescription(await response.json(), name);
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#options.worker();
    worker.addEventListener('message', ({ data }: MessageEvent<NetworkReply>) => {
      const pending = this.#pending.get(data.id);
      if (data.error !== undefined) pending?.reject(reviveError(data.error, pending.name));
      else pending?.resolve(data.outputs ?? {});
    });
    worker.addEventListener('error', ({ message }) => {
      if (this.#worker === worker)
        this.#end(
          new Failure('network-failed', 'the inference worker ended early', { cause: new Error(message) }),
        );
    });
    this.#worker = worker;
    return worker;
  }

  #end(reason: Failure): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
