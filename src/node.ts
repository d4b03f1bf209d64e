/**
 * The public library's part for Node: files, compression and networks in a process of their own; and the library's own
 * functions with these filled in.
 *
 * @example
 * import { deidentify, loadImage } from 'prosopon/node';
 * const done = await deidentify(await loadImage('head.nii.gz'), { method: 'cp-mae', seed: 42 });
 */
export { nodeDeflate } from './node/deflate.js';
export { nodeGzip } from './node/gzip.js';
export { loadImage } from './node/image-files.js';
export { checkResult, deidentify, findBrain } from './node/library.js';
export { listModels, packagedModels, readModel, verifyModel } from './node/networks/node-models.js';
export { NodeNetworkRunner, type NodeRunnerOptions, type RunRecord } from './node/networks/node-runner.js';
