/**
 * The public library's part for Node: files, data sets, compression and networks in a process of their own; the library's own
 * functions with these filled in; the job that is under every command, one scan or many, file to file; and what the commands
 * ask of the ruler.
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
  derivativeOf,
  type FirstScans,
  firstScans,
  readDataset,
  readTable,
  sayLeft,
} from './bids/dataset.js';
export { type FileTree, joinPath, type TreeEntry } from './bids/file-tree.js';
export type { BidsName } from './bids/names.js';
export { parseTsv } from './bids/tsv.js';
// Many scans over processes
export { type BatchOptions, type BatchTask, type BatchWorker, runBatch } from './node/batch.js';
export { type BatchOutcome, BatchState, type Known } from './node/batch-state.js';
// Files
export { nodeDeflate } from './node/deflate.js';
export { codeOf } from './node/error-code.js';
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
export { type Lock, lockFolder } from './node/lock.js';
// Networks
export {
  listModels,
  type ModelFolders,
  packagedModels,
  readModel,
  verifyModel,
} from './node/networks/node-models.js';
export { NodeNetworkRunner, type NodeRunnerOptions, type RunRecord } from './node/networks/node-runner.js';
// Results
export { Outputs, type OutputsOptions } from './node/outputs.js';
export { StageTimer } from './node/progress.js';
export { replaceFile } from './node/replace-file.js';
// The ruler
export {
  type EvaluateRequest,
  QUERIES,
  type Ruler,
  type RulerHost,
  type RulerResult,
  type ScoreRequest,
  SECTIONS,
  type SectionName,
  type StudyRequest,
} from './node/ruler.js';
export type { ScanJob, ScanReport, ScanServices, ScanTreatment } from './node/scan-job.js';
export { serveTasks, threadsOf } from './node/worker-processes.js';
