/**
 * Small things of the file system that the work on a data set needs, with what goes wrong in the words of the program.
 *
 * @example
 * makeFolder('out/sub-01/anat');
 */
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, Refusal } from '../../errors/errors.js';
import { codeOf } from '../error-code.js';
import { replaceFile } from '../replace-file.js';

/** A file of the data set that the system will not read is the data set's fault. */
export function asRefusal(error: unknown): unknown {
  const code = codeOf(error);
  return ['EACCES', 'ENOENT', 'EISDIR', 'EPERM', 'EIO', 'ESTALE'].includes(code) &&
    !(error instanceof Failure)
    ? new Refusal('not-readable', `expected a file that can be read, found error ${code}`, { cause: error })
    : error;
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws {Refusal} output-unwritable  @throws {Failure} write-failed */
export function makeFolder(path: string, mode?: number): void {
  try {
    mkdirSync(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Failure('write-failed', `a folder could not be made (${code})`, { cause });
    throw new Refusal('output-unwritable', `a folder cannot be made (${code})`, { cause });
  }
}

/** A file of the data set or of the work folder, in one step. @throws {Failure} write-failed */
export function putFile(path: string, content: Uint8Array | string, mode?: number): void {
  try {
    replaceFile(path, content, mode);
  } catch (cause) {
    throw new Failure(
      'write-failed',
      `a file of the data set of results could not be written (${codeOf(cause)})`,
      { cause },
    );
  }
}

/** Takes away a folder in which nothing is, and those above it up to the root, which stays. */
export function removeEmpty(folder: string, root: string): void {
  for (let here = folder; here !== root && here.startsWith(root); here = dirname(here)) {
    try {
      rmdirSync(here);
    } catch {
      // Something is in it, or another process has just made it again.
      return;
    }
  }
}
