/**
 * What stands in an input: every file opened, whatever its name says, and either a slice that is treated or something with a reason why
 * not. Of a file no more is remembered than where it is and what places it.
 *
 * @example
 * const found = await findDicom(['study'], signal);
 */
import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from '../../dicom/describe.js';
import type { FoundObject, FoundSlice } from '../../dicom/series.js';
import type { SliceFacts } from '../../dicom/slice-facts.js';
import { walk } from '../../dicom/walker.js';
import { isRefusal, Refusal } from '../../errors/errors.js';
import { codeOf } from '../error-code.js';
import { type Archive, openArchive } from './archive.js';
import { fileOnDisk, type InputFile, plainDicom } from './input-file.js';

/** A series that one of its files makes impossible. */
export interface BrokenSeries {
  readonly study: string;
  readonly series: string;
  readonly person: string;
  /** Whether it is one of enhanced objects: they stand and fall apart from slices of their series. */
  readonly enhanced: boolean;
  readonly why: string;
}

export interface FoundDicom {
  readonly slices: readonly FoundSlice<InputFile>[];
  readonly objects: readonly FoundObject<InputFile>[];
  readonly broken: readonly BrokenSeries[];
  /** What was left out, and how many files. Names alone: a path may say whose it is. */
  readonly left: ReadonlyMap<string, number>;
  /** Copies of a file, byte for byte, of which one is used. */
  readonly copies: number;
  /** Closes the archives: their files can be read until then. */
  close(): void;
}

/** What is met beside DICOM and is none, or says only what stands where: leaving it out is told, and no reason to exit with 1. */
export const NO_IMAGES: ReadonlySet<string> = new Set([
  'a file that is not DICOM',
  'an empty file',
  'DICOMDIR',
]);

/** @throws {Refusal} not-readable when there is no such folder or file */
export async function findDicom(input: string, signal: AbortSignal): Promise<FoundDicom> {
  const finding = new Finding(signal);
  try {
    await requireThere(input);
    for await (const path of filesUnder(input, (why) => finding.leave(why))) await finding.onDisk(path);
    return finding.found();
  } catch (error) {
    finding.close();
    throw error;
  }
}

class Finding {
  readonly #signal: AbortSignal;
  readonly #slices: FoundSlice<InputFile>[] = [];
  readonly #objects: FoundObject<InputFile>[] = [];
  readonly #broken: BrokenSeries[] = [];
  readonly #left = new Map<string, number>();
  readonly #seen = new Map<string, string>();
  readonly #archives: Archive[] = [];
  #copies = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  leave(why: string): void {
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1);
  }

  async onDisk(path: string): Promise<void> {
    let archive: Archive;
    try {
      if (!(await isArchive(path))) {
        await this.#one(fileOnDisk(path));
        return;
      }
      archive = await openArchive(path);
    } catch (error) {
      this.#signal.throwIfAborted();
      this.leave(isRefusal(error) ? error.message : `a file that cannot be read (${codeOf(error)})`);
      return;
    }
    this.#archives.push(archive);
    for (const file of archive.files) await this.#one(file);
  }

  async #one(file: InputFile): Promise<void> {
    this.#signal.throwIfAborted();
    const found = await look(file);
    if (typeof found === 'string') this.leave(found);
    else if (found.kind === 'left') this.leave(found.why);
    else if (found.kind === 'refused') {
      const { study, series, person, enhanced, why } = found;
      this.#broken.push({ study, series, person: person.key, enhanced, why });
    } else {
      const facts = found.kind === 'slice' ? found.slice : found.frames[0];
      const before = this.#seen.get(facts.instance);
      if (before === found.digest) this.#copies++;
      else if (before !== undefined)
        this.#broken.push({ ...idsOf(facts), enhanced: found.kind === 'frames', why: TWO_IN_ONE });
      else {
        this.#seen.set(facts.instance, found.digest);
        if (found.kind === 'slice') this.#slices.push({ slice: found.slice, file });
        else this.#objects.push({ frames: found.frames, file });
      }
    }
  }

  found(): FoundDicom {
    return {
      slices: this.#slices,
      objects: this.#objects,
      broken: this.#broken,
      left: this.#left,
      copies: this.#copies,
      close: () => this.close(),
    };
  }

  close(): void {
    for (const archive of this.#archives) archive.close();
  }
}

/** By its first bytes: PK, 3, 4; or 5, 6 where it is empty. */
async function isArchive(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && isZip(buffer);
  } finally {
    await file.close();
  }
}

function isZip(bytes: Uint8Array): boolean {
  const [p, k, a, b] = bytes;
  return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6));
}

const TWO_IN_ONE = 'expected one file for each SOP Instance UID, found two that differ';

function idsOf({ study, series, person }: SliceFacts): Omit<BrokenSeries, 'why' | 'enhanced'> {
  return { study, series, person: person.key };
}

type Found = ReturnType<typeof describe>;
type Treatable = Extract<Found, { kind: 'slice' | 'frames' }>;
type Looked = string | Exclude<Found, Treatable> | (Treatable & { readonly digest: string });

async function look(file: InputFile): Promise<Looked> {
  let bytes: Uint8Array;
  try {
    bytes = await file.read();
  } catch (error) {
    return isRefusal(error) ? error.message : `a file that cannot be read (${codeOf(error)})`;
  }
  try {
    if (bytes.length === 0) return 'an empty file';
    if (isZip(bytes)) return 'a ZIP archive in a ZIP archive';
    const found = describe(walk(plainDicom(bytes)));
    return found.kind === 'slice' || found.kind === 'frames'
      ? { ...found, digest: createHash('sha256').update(bytes).digest('hex') }
      : found;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.tag === 'not-an-image') return 'a file that is not DICOM';
    if (error.tag === 'truncated') return 'a DICOM file that breaks off';
    return `a DICOM file: ${withoutPlace(error.message)}`;
  }
}

/** Files of one kind are counted together, wherever in them it is. */
function withoutPlace(message: string): string {
  return message.replace(/ (at|by) byte \d+/, '');
}

async function requireThere(path: string): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new Refusal('not-readable', `expected a folder or a file of DICOM, found none (${codeOf(cause)})`, {
      cause,
    });
  });
}

async function* filesUnder(path: string, leave: (why: string) => void): AsyncGenerator<string> {
  if ((await stat(path)).isFile()) yield path;
  else yield* filesIn(path, leave);
}

async function* filesIn(folder: string, leave: (why: string) => void): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new Refusal('not-readable', `a folder of the input cannot be read (${codeOf(cause)})`, { cause });
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path, leave);
    else if (entry.isFile()) yield path;
    else leave('a link or a device');
  }
}
