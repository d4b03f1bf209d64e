/**
 * The private folder beside an output, in which a result waits for its name: mode 0700, an unguessable name, and a note of
 * whose it is, so that what a killed run left there is removed by the next one that writes beside it.
 *
 * @example
 * const folder = makeWorkFolder('/data/out');
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure, Refusal } from '../errors/errors.js';
import { codeOf } from './error-code.js';
import { parseIdentity, stateOf, thisProcess } from './process-identity.js';

/** Random bytes in the names of work folders and of the files in them; written as hexadecimal digits. */
const FOLDER_RANDOM_BYTES = 12;
const FILE_RANDOM_BYTES = 8;
const FOLDER_NAME = /^\.prosopon-[0-9a-f]{24}$/;
const FILE_NAME = /^[0-9a-f]{16}$/;
/** A file's name is longer than this one. */
const OWNER = 'owner';
/** A folder without a note is one whose process was killed when it made or wiped it, or is at that now. */
const UNOWNED_FOR_MS = 10 * 60_000;

/** The longest path that a file in a work folder beside `folder` has. */
export function longestWorkPath(folder: string): string {
  return path.join(
    folder,
    `.prosopon-${'0'.repeat(2 * FOLDER_RANDOM_BYTES)}`,
    '0'.repeat(2 * FILE_RANDOM_BYTES),
  );
}

export function freshFileIn(folder: string): string {
  return path.join(folder, randomBytes(FILE_RANDOM_BYTES).toString('hex'));
}

/** Folders to wipe if the process ends before its outputs do. */
const live = new Set<string>();
let hooked = false;

/** Removes every work folder at once; for exit and signal handlers, hence synchronous. */
export function wipeWorkFolders(): void {
  for (const folder of live) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // The process is ending: there is no one left to tell, and the other folders still have to go.
    }
  }
  live.clear();
}

export function wipeWorkFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  live.delete(folder);
}

/**
 * Synchronous: an exit between asking for a folder and having it would leave it there.
 * @throws {Refusal} output-unwritable  @throws {Failure} write-failed
 */
export function makeWorkFolder(beside: string): string {
  if (!hooked) {
    hooked = true;
    process.on('exit', wipeWorkFolders);
  }
  removeLeftovers(beside);
  const folder = path.join(beside, `.prosopon-${randomBytes(FOLDER_RANDOM_BYTES).toString('hex')}`);
  live.add(folder);
  try {
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(path.join(folder, OWNER), JSON.stringify(thisProcess()), { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const tag = codeOf(cause);
    if (tag === 'EACCES' || tag === 'EPERM' || tag === 'EROFS')
      throw new Refusal('output-unwritable', `the output's folder cannot be written to (${tag})`, { cause });
    throw new Failure('write-failed', `the work folder could not be made (${tag})`, { cause });
  }
  return folder;
}

/**
 * Removes the work folders in `folder` whose processes are gone. Whatever stands in the way is left for the next time.
 * @param options `elsewhere`: also those of other machines, where a lock says that nobody else may be writing there
 */
export function removeLeftovers(
  folder: string,
  { elsewhere = false }: { readonly elsewhere?: boolean } = {},
): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const found = path.join(folder, name);
    if (!FOLDER_NAME.test(name) || live.has(found)) continue;
    try {
      const there = lstatSync(found);
      const mine = (there.mode & 0o777) === 0o700 && there.uid === (process.getuid?.() ?? there.uid);
      if (!mine || !there.isDirectory()) continue;
      const owner = readOwner(found);
      if (owner !== undefined) {
        const state = stateOf(owner);
        if (state === 'gone' || (elsewhere && state === 'elsewhere'))
          rmSync(found, { recursive: true, force: true });
      } else if (
        Date.now() - there.mtimeMs > UNOWNED_FOR_MS &&
        readdirSync(found).every((file) => FILE_NAME.test(file))
      )
        rmSync(found, { recursive: true, force: true });
    } catch {
      // Another process was faster, or it is not ours to remove.
    }
  }
}

function readOwner(folder: string): ReturnType<typeof parseIdentity> {
  try {
    return parseIdentity(readFileSync(path.join(folder, OWNER), 'utf8'));
  } catch {
    return undefined;
  }
}
