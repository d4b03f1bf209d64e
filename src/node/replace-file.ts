/**
 * A file of the program's own, put in the place of the one before it in one step: whoever reads it, and the next run after a
 * kill, meets the old one or the new one. Links are replaced, never followed.
 *
 * @example
 * replaceFile('out/private/state.json', bytes);
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** @param mode for its owner alone unless said otherwise */
export function replaceFile(path: string, content: Uint8Array | string, mode = 0o600): void {
  // With the process in its name: two of them may write the same thing at a time.
  const part = `${path}.${process.pid}.part`;
  rmSync(part, { force: true });
  writeFileSync(part, content, { mode, flag: 'wx' });
  renameSync(part, path);
}
