/**
 * What the rest of the program knows of neural networks: named tensors in, named tensors out.
 * The implementations are `src/node/networks/` (a child process) and `src/browser/` (a worker).
 *
 * @example
 * const { logits } = await runner.run('brain-extraction', { image: { data, shape: [1, 1, 128, 128, 128] } });
 */
import { Failure } from '../errors/errors.js';
import type { ModelDescription } from './catalogue.js';

export interface Tensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  /** Row-major: the last axis runs fastest (a Volume's data has shape [nz, ny, nx]). */
  readonly shape: readonly number[];
}

/** Number of values in a tensor of that shape. @throws {Failure} network-failed for an impossible shape. */
export function tensorSize(shape: readonly number[]): number {
  const size = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(size) || shape.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new Failure('network-failed', `a tensor cannot have the shape [${shape.join(', ')}]`);
  }
  return size;
}

export interface NetworkRunner {
  /**
   * Runs the model `models/NAME/model.onnx`, checked against the SHA-256 of its `model.json` when it is loaded.
   * @throws {Failure} model-corrupt, network-failed  @throws {Refusal} model-unavailable, device-unavailable
   */
  run(
    name: string,
    feeds: Readonly<Record<string, Tensor>>,
    signal?: AbortSignal,
  ): Promise<Record<string, Tensor>>;
  /**
   * What `models/NAME/model.json` says, for code that takes sizes from the network installed.
   * @throws {Failure} model-corrupt  @throws {Refusal} model-unavailable
   */
  describe(name: string): Promise<ModelDescription>;
  /** Begins to load networks that will be wanted soon. Says nothing of failures: `run` will meet them again. */
  warm?(names: readonly string[]): void;
  /** Ends the process or worker at once, whatever it does. */
  close(): Promise<void>;
}
