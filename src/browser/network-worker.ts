/**
 * The worker in which networks run in a browser: the only place that touches ONNX Runtime there. It may be ended at any
 * moment. The runtime is handed in, so that this package does not depend on it and a page decides which build it loads.
 *
 * @example
 * // networks.js, a module worker
 * import * as ort from 'onnxruntime-web/wasm';
 * serveNetworks(ort, { wasmPaths: '/ort/' });
 */
import type { InferenceSession, TensorConstructor } from 'onnxruntime-common';
import { Failure, Refusal } from '../errors/errors.js';
import { fromOrt, toOrt } from '../networks/ort-tensors.js';
import type { Tensor } from '../networks/runner.js';
import { type WireError, wireError } from '../networks/wire-errors.js';
import { hex, sha256 as ownSha256 } from '../volume/sha256.js';

/** What is used of `onnxruntime-web`. */
export interface WebRuntime {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
  readonly env: { wasm: { wasmPaths?: unknown; numThreads?: number } };
}

export interface ServeOptions {
  /** Where the runtime's .wasm file lies, when not beside the script. */
  readonly wasmPaths?: string;
  /** More than one needs a page that is cross-origin isolated. Default: what the runtime takes. */
  readonly threads?: number;
  readonly executionProviders?: readonly string[];
}

export interface NetworkRequest {
  readonly id: number;
  readonly kind: 'run' | 'load';
  readonly name: string;
  /** Of the weights. */
  readonly url: string;
  readonly sha256: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

export interface NetworkReply {
  readonly id: number;
  readonly outputs?: Record<string, Tensor>;
  readonly error?: WireError;
}

async function weights({ name, url, sha256 }: NetworkRequest): Promise<Uint8Array> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new Refusal('model-unavailable', `the weights of the model ${name} cannot be read`, { cause });
  });
  if (!response.ok) throw new Refusal('model-unavailable', `the weights of the model ${name} cannot be read`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if ((await digestOf(bytes)) !== sha256)
    throw new Failure('model-corrupt', `the weights of ${name} are not those that its model.json names`);
  return bytes;
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Pages that are not served securely have no such thing.
  if (globalThis.crypto?.subtle === undefined) return hex(ownSha256(bytes));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Answers the runner (`worker-runner.ts`) that started this worker, one request after the other. */
export function serveNetworks(runtime: WebRuntime, options: ServeOptions = {}): void {
  const { wasm } = runtime.env;
  if (options.wasmPaths !== undefined) wasm.wasmPaths = options.wasmPaths;
  if (options.threads !== undefined) wasm.numThreads = options.threads;
  const sessions = new Map<string, InferenceSession>();

  async function sessionFor(request: NetworkRequest): Promise<InferenceSession> {
    const known = sessions.get(request.name);
    if (known !== undefined) return known;
    const made = await runtime.InferenceSession.create(await weights(request), {
      executionProviders: [...(options.executionProviders ?? ['wasm'])],
      graphOptimizationLevel: 'all',
    });
    sessions.set(request.name, made);
    return made;
  }

  async function answer(request: NetworkRequest): Promise<NetworkReply | undefined> {
    const { id, kind, feeds } = request;
    try {
      const session = await sessionFor(request);
      if (kind === 'load') return undefined;
      const results = await session.run(toOrt(session, feeds, runtime.Tensor));
      const outputs: Record<string, Tensor> = {};
      for (const name of session.outputNames) outputs[name] = fromOrt(name, results[name]);
      return { id, outputs };
    } catch (error) {
      // Of a wish to load nothing is told: what fails fails again, with words, when the network is run.
      return kind === 'load' ? undefined : { id, error: wireError(error) };
    }
  }

  let turn: Promise<void> = Promise.resolve();
  globalThis.addEventListener('message', (event: MessageEvent<NetworkRequest>) => {
    turn = turn.then(async () => {
      const reply = await answer(event.data);
      if (reply !== undefined) globalThis.postMessage(reply);
    });
  });
}
