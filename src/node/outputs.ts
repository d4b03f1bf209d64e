/**
 * Files that appear whole, verified and under their final name, or not at all (promise P3).
 *
 * Bytes are staged in a private work folder beside the target (so that the last step is a link on the same file
 * system), synced, read back and compared; `commit` gives all of them their names, and takes back the names already
 * given when one fails. The folder is wiped at the end, on an error, at exit and on a signal; after a kill, by the next run.
 *
 * @example
 * const outputs = new Outputs({ force: false, inputs: ['in.nii.gz'] });
 * await outputs.claim('out.nii.gz');             // refuses early: exists, is the input, not writable, name too long
 * try { await outputs.stage('out.nii.gz', bytes); await outputs.commit(); } finally { outputs.wipe(); }
 */
import { closeSync, constants, fsyncSync, linkSync, openSync, renameSync, rmSync, type Stats } from 'node:fs';
import { access, lstat, open, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { Failure, Refusal } from '../errors/errors.js';
import { codeOf } from './error-code.js';
import { nameProblem } from './file-names.js';
import { freshFileIn, longestWorkPath, makeWorkFolder, wipeWorkFolder } from './work-folder.js';

/** What may be replaced, and what must never be. */
export interface OutputsOptions {
  /** Replace what stands at the target. */
  readonly force: boolean;
  /** Files that must never be written to, by whatever name or link they are reached. */
  readonly inputs: readonly string[];
  /** All files show an original: see `stage`. */
  readonly identifies?: boolean;
}

interface Staged {
  readonly target: string;
  readonly temporary: string;
}

/** Files of one command: written to a private folder, then under their final names all together, or not at all. */
export class Outputs {
  readonly #options: OutputsOptions;
  readonly #claimed = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  readonly #staged: Staged[] = [];
  readonly #committed: string[] = [];
  #closed = false;

  constructor(options: OutputsOptions) {
    this.#options = options;
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
    if (this.#claimed.has(final) || [...this.#claimed.keys()].some((other) => sameWithoutCase(other, final)))
      throw new Refusal(
        'option-invalid',
        'two outputs have the same path, or paths that differ in upper and lower case alone; expected one file each',
      );
    for (const input of this.#options.inputs)
      if (await isSameFile(final, input))
        throw new Refusal(
          'output-is-input',
          'the output is the input (or a link to it); expected another file',
        );
    const there = await existing(final);
    await existing(longestWorkPath(real));
    await this.#requireReplaceable(final, there);
    await access(real, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
      throw new Refusal('output-unwritable', `the output's folder cannot be written to (${codeOf(cause)})`, {
        cause,
      });
    });
    this.#claimed.set(final, target);
  }

  /**
   * Writes `bytes` to the work folder, syncs them and reads them back. What `identifies` (it shows an original) is for its
   * owner alone (0600), whatever the umask.
   * @throws {Failure} write-failed (full disk, quota, I/O)  @throws {Refusal} as `claim`, which it calls if needed
   */
  async stage(
    target: string,
    bytes: Uint8Array,
    { identifies = false }: { readonly identifies?: boolean } = {},
  ): Promise<void> {
    const final = await this.#finalPath(target);
    const folder = this.#workFolder(path.dirname(final));
    const temporary = freshFileIn(folder);
    try {
      await writeSynced(temporary, bytes, this.#options.identifies === true || identifies);
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
   * Gives every staged file its final name, in the order staged; none of them when one fails. In one go, without letting a signal
   * in between: what an interrupted command says of its results is then true.
   * @throws {Refusal} output-exists when a file has appeared meanwhile  @throws {Failure} write-failed
   */
  commit(): Promise<void> {
    const done: string[] = [];
    try {
      for (const { target, temporary } of this.#staged) {
        publish(temporary, target, this.#options.force);
        done.push(target);
      }
      for (const folder of new Set(this.#staged.map(({ target }) => path.dirname(target))))
        syncFolder(folder);
    } catch (cause) {
      // What --force replaced cannot be brought back; what is taken back here is only ever our own result.
      for (const target of done) rmSync(target, { force: true });
      return Promise.reject(notInPlace(cause));
    } finally {
      this.wipe();
    }
    this.#committed.push(...done);
    return Promise.resolve();
  }

  /** Files that have their final names. */
  get committed(): readonly string[] {
    return this.#committed;
  }

  /** Removes the work folders and all in them, for good: what still computes behind an interruption writes nothing more. */
  wipe(): void {
    this.#closed = true;
    for (const folder of this.#folders.values()) wipeWorkFolder(folder);
    this.#folders.clear();
    this.#staged.length = 0;
  }

  async #finalPath(target: string): Promise<string> {
    for (const [final, claimed] of this.#claimed) if (claimed === target) return final;
    await this.claim(target);
    return this.#finalPath(target);
  }

  /** A file, or a link to one, may be replaced; a device would be lost to everybody, a pipe to who waits at its end. */
  async #requireReplaceable(final: string, there: Stats | undefined): Promise<void> {
    if (there === undefined) return;
    if (there.isDirectory())
      throw new Refusal('output-exists', 'a folder stands at the output path; expected a file name');
    const leadsTo = there.isSymbolicLink() ? await stat(final).catch(() => undefined) : there;
    if (leadsTo !== undefined && !leadsTo.isFile())
      throw new Refusal(
        'output-exists',
        'what stands at the output path, or what it links to, is no file; expected a file name',
      );
    if (!this.#options.force)
      throw new Refusal(
        'output-exists',
        'something stands at the output path; expected a free name, or --force to replace it',
      );
  }

  #workFolder(beside: string): string {
    const known = this.#folders.get(beside);
    if (known !== undefined) return known;
    if (this.#closed) throw new Failure('internal', 'outputs that were wiped take nothing more');
    const folder = makeWorkFolder(beside);
    this.#folders.set(beside, folder);
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

async function writeSynced(file: string, bytes: Uint8Array, identifies: boolean): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    // The umask holds for the final name as it would for a file made there directly.
    if (!identifies) await handle.chmod(0o666 & ~process.umask());
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function publish(temporary: string, target: string, force: boolean): void {
  if (force) {
    renameSync(temporary, target);
    return;
  }
  try {
    linkSync(temporary, target);
  } catch (error) {
    // FAT, some network and container file systems have no hard links: reserve the name, then rename over it.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error;
    closeSync(openSync(target, 'wx'));
    try {
      renameSync(temporary, target);
    } catch (cause) {
      rmSync(target, { force: true });
      throw cause;
    }
  }
}

function syncFolder(folder: string): void {
  let handle: number;
  try {
    handle = openSync(folder, 'r');
  } catch (error) {
    // Windows cannot open a folder; its file systems order the rename themselves.
    if (process.platform === 'win32') return;
    throw error;
  }
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error))) throw error;
  } finally {
    closeSync(handle);
  }
}

function notInPlace(cause: unknown): Refusal | Failure {
  if (codeOf(cause) === 'EEXIST')
    return new Refusal(
      'output-exists',
      'something has appeared at the output path meanwhile; expected a free name',
      { cause },
    );
  return new Failure('write-failed', `the result could not be put in place (${codeOf(cause)})`, { cause });
}

/** Some file systems take two such names for one, and the second file would replace the first. */
function sameWithoutCase(a: string, b: string): boolean {
  const plain = (name: string): string => name.normalize('NFC').toLowerCase();
  return path.dirname(a) === path.dirname(b) && plain(path.basename(a)) === plain(path.basename(b));
}

/** True when both paths lead to one file: by name, symbolic link or hard link. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [sa, sb] = await Promise.all([stat(a), stat(b)].map((p) => p.catch(() => undefined)));
  if (sa !== undefined && sb !== undefined) return sa.dev === sb.dev && sa.ino === sb.ino;
  return path.resolve(a) === path.resolve(b);
}
