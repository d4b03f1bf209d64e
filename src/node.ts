/**
 * The public library's part for Node: files, compression and networks in a process of their own.
 *
 * @example
 * import { loadImage, NodeNetworkRunner } from 'prosopon/node';
 * const image = await loadImage('head.nii.gz');
 */

export { nodeDeflate } from './node/deflate.js';
export { nodeGzip } from './node/gzip.js';
export { loadImage } from './node/image-files.js';
export {
  listModels,
  packagedModels,
  readModel,
  verifyModel,
} from './node/networks/node-models.js';
export { NodeNetworkRunner, type NodeRunnerOptions, type RunRecord } from './node/networks/node-runner.js';
