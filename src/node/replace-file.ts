/**
 * A file of the program's own, put in the place of the one before it in one step: whoever reads it, and the next run after a
 * kill, meets the old one or the new one. Links are replaced, never followed.
 *
 * @example
 * replaceFile('out/private/state.json', bytes);
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What waits for its name. */
export const PART_NAME = /\.[0-9a-f]{16}\.part$/;
const LEFT_FOR_MS = 10 * 60_000;

/** @param mode for its owner alone unless said otherwise  @throws what the system says; nothing of the new content is left then */
export function replaceFile(path: string, content: Uint8Array | string, mode = 0o600): void {
  // Two processes may write the same thing at a time, and in containers both have the same number.
  const part = `${path}.${randomBytes(8).toString('hex')}.part`;
  try {
    writeFileSync(part, content, { mode, flag: 'wx' });
    renameSync(part, path);
  } catch (error) {
    // On a disk that is full a beginning of it would stay.
    rmSync(part, { force: true });
    throw error;
  }
}

/** Removes what runs that were killed have left in a folder without its name. */
export function removeOldParts(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (PART_NAME.test(name) && Date.now() - statSync(file).mtimeMs > LEFT_FOR_MS)
        rmSync(file, { force: true });
    }
  } catch {
    // The folder is not there, or another process was faster.
  }
}
