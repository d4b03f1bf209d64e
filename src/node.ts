/**
 * The public library's part for Node: files, data sets, compression and networks in a process of their own; the library's own
 * functions with these filled in; and the job that is under every command, one scan or many, file to file.
 *
 * @example
 * import { deidentify, loadImage } from 'prosopon/node';
 * const done = await deidentify(await loadImage('head.nii.gz'), { method: 'cp-mae', seed: 42 });
 */
// Data sets
export {
  type BidsDataset,
  type BidsImage,
  type BidsSubject,
  type FirstScans,
  firstScans,
  readDataset,
} from './bids/dataset.js';
export type { FileTree, TreeEntry } from './bids/file-tree.js';
export type { BidsName } from './bids/names.js';
// Many scans
export { type BatchOptions, type BatchTask, type BatchWorker, runBatch } from './node/batch.js';
export { type BatchOutcome, BatchState, type Known } from './node/batch-state.js';
export { nodeDeflate } from './node/deflate.js';
export { folderTree } from './node/folder-tree.js';
export { nodeGzip } from './node/gzip.js';
export { loadImage } from './node/image-files.js';
export {
  checkResult,
  deidentify,
  findBrain,
  runScanJob,
  type ScanJobOptions,
} from './node/library.js';
export { listModels, packagedModels, readModel, verifyModel } from './node/networks/node-models.js';
export { NodeNetworkRunner, type NodeRunnerOptions, type RunRecord } from './node/networks/node-runner.js';
export type { ScanJob, ScanReport, ScanServices, ScanTreatment } from './node/scan-job.js';
