/**
 * A series under its name, all of its files or none: they are written to a private folder beside, read back, and the folder gets its
 * name in one step.
 *
 * @example
 * placeSeries('out', 'patient-01/study-01/series-01', files);
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../errors/errors.js';
import { makeFolder, removeEmpty } from '../bids/disk.js';
import { codeOf } from '../error-code.js';
import { makeWorkFolder, wipeWorkFolder } from '../work-folder.js';

/**
 * Synchronous: no signal comes in between, so that what is said of a series is true.
 * @param root of the output  @param target the series' folder under it  @param files bytes in order; their names are numbers
 * @throws {Failure} write-failed
 */
export function placeSeries(root: string, target: string, files: readonly Uint8Array[]): void {
  const work = makeWorkFolder(root);
  const staged = join(work, 'series');
  const final = join(root, target);
  try {
    mkdirSync(staged);
    files.forEach((bytes, i) => {
      writeChecked(join(staged, `${String(i + 1).padStart(6, '0')}.dcm`), bytes);
    });
    sync(staged);
    makeFolder(dirname(final));
    renameSync(staged, final);
    sync(dirname(final));
  } catch (cause) {
    removeEmpty(dirname(final), root);
    if (cause instanceof Failure) throw cause;
    throw new Failure('write-failed', `the series could not be put in place (${codeOf(cause)})`, { cause });
  } finally {
    wipeWorkFolder(work);
  }
}

function writeChecked(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (Buffer.compare(readFileSync(file), bytes) !== 0)
    throw new Failure('write-failed', 'what was written does not read back the same');
}

/** A folder's entries, where the system lets a folder be opened. */
function sync(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error))) throw error;
  } finally {
    closeSync(handle);
  }
}
