/**
 * One run at a time in an output folder. The lock names the process that has it; one whose process is gone is taken over.
 *
 * @example
 * const lock = lockFolder('out');
 * try { await work(); } finally { lock.release(); }
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../errors/errors.js';
import { codeOf } from './error-code.js';
import { parseIdentity, stateOf, thisProcess } from './process-identity.js';

/** Held until it is released, or the process is gone. */
export interface Lock {
  /** Safe to call twice. */
  release(): void;
}

export const LOCK_NAME = '.prosopon-lock';
const held = new Set<string>();
let hooked = false;

/** @throws {Refusal} output-in-use, output-unwritable */
export function lockFolder(folder: string): Lock {
  const file = join(folder, LOCK_NAME);
  const own = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(own, JSON.stringify(thisProcess()), { mode: 0o600, flag: 'wx' });
    // Linked whole: whoever meets the lock can read whose it is. Twice, as the first may clear away a dead one's.
    if (!take(own, file) && !(clearDead(file, own) && take(own, file)))
      throw new Refusal(
        'output-in-use',
        `expected an output folder that no other run is writing to, found one that is in use; if that run is on another machine and gone, remove ${LOCK_NAME} there`,
      );
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('output-unwritable', `the output folder cannot be written to (${codeOf(cause)})`, {
      cause,
    });
  } finally {
    rmSync(own, { force: true });
  }
  held.add(file);
  if (!hooked) {
    hooked = true;
    process.on('exit', () => {
      for (const path of held) rmSync(path, { force: true });
    });
  }
  return {
    release: () => {
      if (held.delete(file)) rmSync(file, { force: true });
    },
  };
}

function take(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error;
  }
  // A file system without hard links.
  try {
    writeFileSync(file, readFileSync(own), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away the lock of a process that is gone. Of two that try, the second finds that it has moved a living one's, and puts it back. */
function clearDead(file: string, own: string): boolean {
  const isDead = (path: string): boolean => {
    const owner = parseIdentity(readFileSync(path, 'utf8'));
    return owner !== undefined && stateOf(owner) === 'gone';
  };
  const aside = `${own}-dead`;
  try {
    if (!isDead(file)) return false;
    renameSync(file, aside);
    const dead = isDead(aside);
    if (!dead) take(aside, file);
    rmSync(aside, { force: true });
    return dead;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}
