/**
 * Files that appear whole, verified and under their final name, or not at all (promise P3).
 *
 * Bytes are staged in a 0700 folder with an unguessable name beside the target (so that the last step is a link on
 * the same file system), synced, read back and compared; `commit` gives all of them their names, and takes back the
 * names already given when one fails. The folder is wiped at the end, on an error, at exit and on a signal.
 *
 * @example
 * const outputs = new Outputs({ force: false, inputs: ['in.nii.gz'] });
 * await outputs.claim('out.nii.gz');             // refuses early: exists, is the input, not writable, name too long
 * try { await outputs.stage('out.nii.gz', bytes); await outputs.commit(); } finally { outputs.wipe(); }
 */
import { randomBytes } from 'node:crypto';
import { constants, rmSync, type Stats } from 'node:fs';
import {
  access,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import path from 'node:path';
import { Failure, Refusal } from '../errors/errors.js';
import { nameProblem } from './file-names.js';

export interface OutputsOptions {
  /** Replace what stands at the target. */
  readonly force: boolean;
  /** Files that must never be written to, by whatever name or link they are reached. */
  readonly inputs: readonly string[];
}

/** Random bytes in the names of work folders and of the files in them; written as hexadecimal digits. */
const FOLDER_RANDOM_BYTES = 12;
const FILE_RANDOM_BYTES = 8;
const folderName = (digits: string): string => `.prosopon-${digits}`;

interface Staged {
  readonly target: string;
  readonly temporary: string;
}

/** Folders to wipe if the process ends before `wipe` is called. */
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

export class Outputs {
  readonly #options: OutputsOptions;
  readonly #claimed = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  readonly #staged: Staged[] = [];

  constructor(options: OutputsOptions) {
    this.#options = options;
    if (!hooked) {
      hooked = true;
      process.on('exit', wipeWorkFolders);
    }
  }

  /**
   * Checks a target before any work is done.
   * @throws {Refusal} output-exists, output-is-input, output-unwritable, option-invalid (the same target twice)
   */
  async claim(target: string): Promise<void> {
    requireUsableNames(path.resolve(target));
    const folder = path.dirname(path.resolve(target));
    const real = await realpath(folder).catch((cause: unknown) => {
      throw new Refusal(
        'output-unwritable',
        `the output's folder does not exist or cannot be entered (${codeOf(cause)})`,
        { cause },
      );
    });
    const final = path.join(real, path.basename(target));
    requireUsableNames(final);
    if (this.#claimed.has(final))
      throw new Refusal('option-invalid', 'two outputs have the same path; expected one file each');
    for (const input of this.#options.inputs)
      if (await isSameFile(final, input))
        throw new Refusal(
          'output-is-input',
          'the output is the input (or a link to it); expected another file',
        );
    const there = await existing(final);
    await existing(
      path.join(real, folderName('0'.repeat(2 * FOLDER_RANDOM_BYTES)), '0'.repeat(2 * FILE_RANDOM_BYTES)),
    );
    if (there !== undefined && (!this.#options.force || there.isDirectory()))
      throw new Refusal(
        'output-exists',
        there.isDirectory()
          ? 'a folder stands at the output path; expected a file name'
          : 'something stands at the output path; expected a free name, or --force to replace it',
      );
    await access(real, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
      throw new Refusal('output-unwritable', `the output's folder cannot be written to (${codeOf(cause)})`, {
        cause,
      });
    });
    this.#claimed.set(final, target);
  }

  /**
   * Writes `bytes` to the work folder, syncs them and reads them back.
   * @throws {Failure} write-failed (full disk, quota, I/O)  @throws {Refusal} as `claim`, which it calls if needed
   */
  async stage(target: string, bytes: Uint8Array): Promise<void> {
    const final = await this.#finalPath(target);
    const folder = await this.#workFolder(path.dirname(final));
    const temporary = path.join(folder, randomBytes(FILE_RANDOM_BYTES).toString('hex'));
    try {
      await writeSynced(temporary, bytes);
      const back = await readFile(temporary);
      if (Buffer.compare(back, bytes) !== 0)
        throw new Failure('write-failed', 'what was written does not read back the same');
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure('write-failed', `the result could not be written (${codeOf(cause)})`, { cause });
    }
    this.#staged.push({ target: final, temporary });
  }

  /**
   * Gives every staged file its final name, in the order staged; none of them when one fails.
   * @throws {Refusal} output-exists when a file has appeared meanwhile  @throws {Failure} write-failed
   */
  async commit(): Promise<void> {
    const done: string[] = [];
    try {
      for (const { target, temporary } of this.#staged) {
        await publish(temporary, target, this.#options.force);
        done.push(target);
      }
      for (const folder of new Set(this.#staged.map(({ target }) => path.dirname(target))))
        await syncFolder(folder);
    } catch (cause) {
      // What --force replaced cannot be brought back; what is taken back here is only ever our own result.
      for (const target of done) await rm(target, { force: true });
      if (codeOf(cause) === 'EEXIST')
        throw new Refusal(
          'output-exists',
          'something has appeared at the output path meanwhile; expected a free name',
          { cause },
        );
      if (cause instanceof Refusal || cause instanceof Failure) throw cause;
      throw new Failure('write-failed', `the result could not be put in place (${codeOf(cause)})`, { cause });
    } finally {
      this.wipe();
    }
  }

  /** Removes the work folders and all in them; safe to call twice. */
  wipe(): void {
    for (const folder of this.#folders.values()) {
      rmSync(folder, { recursive: true, force: true });
      live.delete(folder);
    }
    this.#folders.clear();
    this.#staged.length = 0;
  }

  async #finalPath(target: string): Promise<string> {
    for (const [final, claimed] of this.#claimed) if (claimed === target) return final;
    await this.claim(target);
    return this.#finalPath(target);
  }

  async #workFolder(beside: string): Promise<string> {
    const known = this.#folders.get(beside);
    if (known !== undefined) return known;
    const folder = path.join(beside, folderName(randomBytes(FOLDER_RANDOM_BYTES).toString('hex')));
    // Registered before it exists: a signal between the two lines must find it.
    live.add(folder);
    this.#folders.set(beside, folder);
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (cause) {
      const tag = codeOf(cause);
      if (tag === 'EACCES' || tag === 'EPERM' || tag === 'EROFS')
        throw new Refusal('output-unwritable', `the output's folder cannot be written to (${tag})`, {
          cause,
        });
      throw new Failure('write-failed', `the work folder could not be made (${tag})`, { cause });
    }
    return folder;
  }
}

/** @throws {Refusal} output-unwritable */
function requireUsableNames(file: string): void {
  const problem = nameProblem(file);
  if (problem !== undefined) throw new Refusal('output-unwritable', problem);
}

/**
 * What stands at a path, undefined for nothing.
 * @throws {Refusal} output-unwritable when the path, or a name in it, is longer than this file system allows
 */
async function existing(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (cause) {
    if (codeOf(cause) !== 'ENAMETOOLONG') return undefined;
    throw new Refusal(
      'output-unwritable',
      'expected a path that the file system takes, also of the work folder beside the output; found one that is too long',
      { cause },
    );
  }
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    // The umask holds for the final name as it would for a file made there directly.
    await handle.chmod(0o666 & ~process.umask());
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function publish(temporary: string, target: string, force: boolean): Promise<void> {
  if (force) return rename(temporary, target);
  try {
    await link(temporary, target);
  } catch (error) {
    // FAT, some network and container file systems have no hard links: reserve the name, then rename over it.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error;
    await (await open(target, 'wx')).close();
    try {
      await rename(temporary, target);
    } catch (cause) {
      await rm(target, { force: true });
      throw cause;
    }
  }
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // Windows cannot open a folder; its file systems order the rename themselves.
    if (process.platform === 'win32') return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

/** True when both paths lead to one file: by name, symbolic link or hard link. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [sa, sb] = await Promise.all([stat(a), stat(b)].map((p) => p.catch(() => undefined)));
  if (sa !== undefined && sb !== undefined) return sa.dev === sb.dev && sa.ino === sb.ino;
  return path.resolve(a) === path.resolve(b);
}

/** The system's error code (ENOSPC, EACCES, ...): unlike its message it holds no path. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'unknown error';
}
