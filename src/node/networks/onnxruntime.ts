/**
 * Finds ONNX Runtime: the copy that the published package carries in `vendor/`, else the development dependency.
 *
 * `onnxruntime-node` is not a dependency of the published package because its install script fetches CUDA
 * libraries and fails the whole install where it cannot (docs/decisions/0002). Loaded in the inference process
 * only: a running session cannot be interrupted, and stopping a thread that runs one aborts the process.
 *
 * @example
 * const { InferenceSession } = loadOnnxRuntime();
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Ort from 'onnxruntime-common';
import { Failure } from '../../errors/errors.js';

export type OnnxRuntime = Pick<typeof Ort, 'InferenceSession' | 'Tensor'>;

/** @throws {Failure} network-failed on a platform for which no binary is there. */
export function loadOnnxRuntime(): OnnxRuntime {
  const vendored = fileURLToPath(new URL('../../../vendor/onnxruntime-node/dist/index.js', import.meta.url));
  const source = existsSync(vendored) ? vendored : 'onnxruntime-node';
  try {
    return createRequire(import.meta.url)(source) as OnnxRuntime;
  } catch (cause) {
    throw new Failure(
      'network-failed',
      `ONNX Runtime cannot be loaded on ${process.platform} ${process.arch}; ` +
        'it is packaged for linux x64 and arm64 (glibc 2.28 or later), macOS arm64 and Windows x64',
      { cause },
    );
  }
}
