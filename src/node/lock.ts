/**
 * One run at a time in an output folder, or one for each share of the work. The lock names the process that has it; one whose process
 * is gone is taken over. Of a process on another machine nothing can be said from here, so a lock is touched as long as it is held:
 * one of another machine that was not touched for some minutes is that of a node that was lost.
 *
 * @example
 * const lock = lockFolder('out');
 * try { await work(); } finally { lock.release(); }
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal, Refusal } from '../errors/errors.js';
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

/** A share of the work, as array jobs have one each. */
export interface Share {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

const TOUCHED_EVERY_MS = 20_000;
/** File systems over a network show a touch some seconds late. */
const LOST_AFTER_MS = 3 * 60_000;

/**
 * @param share locks that share alone; what has all of the work, or divides it otherwise, is locked out
 * @throws {Refusal} output-in-use, output-unwritable
 */
export function lockFolder(folder: string, share?: Share): Lock {
  const name = nameOf(share);
  const identity = JSON.stringify(thisProcess());
  const file = join(folder, name);
  const own = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(own, identity, { mode: 0o600, flag: 'wx' });
    // Linked whole: whoever meets the lock can read whose it is. Twice, as the first may clear away a dead one's.
    if (!take(own, file) && !(clearDead(file, own) && take(own, file)))
      throw new Refusal(
        'output-in-use',
        `expected an output folder that no other run is writing to, found one that is in use; if that run is on another machine and gone, wait for ${LOST_AFTER_MS / 60_000} minutes or remove ${name} there`,
      );
    // After taking its own: of two that come at a time at least one sees the other.
    if (othersIn(folder, name, share, own)) {
      rmSync(file, { force: true });
      throw new Refusal(
        'output-in-use',
        'expected an output folder in which nobody else works on the same share of the data set, found a run that divides the work in another way',
      );
    }
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
  const touch = setInterval(() => {
    try {
      // Written, not dated: then its time is by the clock of the file system, which is not that of this machine.
      // A machine that was frozen meanwhile may have lost it.
      if (readFileSync(file, 'utf8') === identity) writeFileSync(file, identity, { flag: 'r+' });
      else lost();
    } catch {
      // A network drive that is away for a moment: the next touch may reach it.
    }
  }, TOUCHED_EVERY_MS).unref();
  const lost = (): void => {
    clearInterval(touch);
    held.delete(file);
  };
  return {
    release: () => {
      clearInterval(touch);
      if (held.delete(file)) rmSync(file, { force: true });
    },
  };
}

/** How a lock is waited for. */
export interface Patience {
  readonly signal: AbortSignal;
  /** Called once, before it waits. */
  onWait?(): void;
  /** How often it looks. */
  readonly everyMs?: number;
  /** Also waits until a run that lives is over. */
  readonly alive?: boolean;
}

/**
 * As `lockFolder`, but waits until a run on another machine that does not touch its lock any more counts as lost: a job that a
 * cluster begins again after its node was lost meets the lock of its own. One that is touched meanwhile is a living run's.
 * @throws {Refusal} output-in-use, output-unwritable  @throws the reason of an abort
 */
export async function lockWhenLost(
  folder: string,
  share: Share | undefined,
  { signal, onWait, everyMs = 5000, alive = false }: Patience,
): Promise<Lock> {
  let seen: number | undefined;
  for (let first = true; ; first = false) {
    try {
      return lockFolder(folder, share);
    } catch (error) {
      if (!isRefusal(error, 'output-in-use')) throw error;
      const touched = touchedElsewhere(join(folder, nameOf(share)));
      if (!alive && (touched === undefined || (!first && touched !== seen))) throw error;
      if (first) onWait?.();
      seen = touched;
    }
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** When a process on another machine last touched its lock; undefined when it is not that of one. */
function touchedElsewhere(file: string): number | undefined {
  try {
    const owner = parseIdentity(readFileSync(file, 'utf8'));
    return owner !== undefined && stateOf(owner) === 'elsewhere' ? statSync(file).mtimeMs : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function nameOf(share: Share | undefined): string {
  return share === undefined ? LOCK_NAME : `${LOCK_NAME}-${share.index}-of-${share.count}`;
}

/** Whether somebody alive has all of the work, or divides it otherwise. */
function othersIn(folder: string, name: string, share: Share | undefined, own: string): boolean {
  const mine = new RegExp(`^${LOCK_NAME.replace('.', '\\.')}(?:-\\d+-of-(\\d+))?$`);
  return readdirSync(folder).some((other) => {
    const match = mine.exec(other);
    if (match === null || other === name) return false;
    if (share !== undefined && match[1] === String(share.count)) return false;
    try {
      return !isDead(join(folder, other), own);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  });
}

/** @param own a file that was just written beside it, by the clock of the same file system */
function isDead(path: string, own: string): boolean {
  const owner = parseIdentity(readFileSync(path, 'utf8'));
  if (owner === undefined) return false;
  const state = stateOf(owner);
  return (
    state === 'gone' ||
    (state === 'elsewhere' && statSync(own).mtimeMs - statSync(path).mtimeMs > LOST_AFTER_MS)
  );
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
  const aside = `${own}-dead`;
  try {
    if (!isDead(file, own)) return false;
    renameSync(file, aside);
    const dead = isDead(aside, own);
    if (!dead) take(aside, file);
    rmSync(aside, { force: true });
    return dead;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}
