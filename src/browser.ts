/**
 * The public library's part for browsers: gzip, networks in a worker, and the library's own functions with gzip filled in.
 *
 * @example
 * import { browserGzip, deidentify, WorkerNetworkRunner } from 'prosopon/browser';
 * const done = await deidentify(image, { method: 'cp-mae', seed: 42 }, { networks });
 */
export { browserGzip } from './browser/gzip.js';
export { checkResult, deidentify, findBrain } from './browser/library.js';
export { type ServeOptions, serveNetworks, type WebRuntime } from './browser/network-worker.js';
export { WorkerNetworkRunner, type WorkerRunnerOptions } from './browser/worker-runner.js';
