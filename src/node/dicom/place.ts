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
    // One after the other, each step for all: the first file that the system is asked to secure takes most of the others along.
    const names = files.map((_, i) => join(staged, `${String(i + 1).padStart(6, '0')}.dcm`));
    files.forEach((bytes, i) => {
      writeNew(names[i] as string, bytes);
    });
    for (const name of names) sync(name, 'r+');
    sync(staged);
    files.forEach((bytes, i) => {
      if (Buffer.compare(readFileSync(names[i] as string), bytes) !== 0)
        throw new Failure('write-failed', 'what was written does not read back the same');
    });
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

function writeNew(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
  } finally {
    closeSync(handle);
  }
}

/** A file, or a folder's entries where the system lets a folder be opened. */
function sync(path: string, how: 'r' | 'r+' = 'r'): void {
  if (process.platform === 'win32' && how === 'r') return;
  const handle = openSync(path, how);
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error))) throw error;
  } finally {
    closeSync(handle);
  }
}
