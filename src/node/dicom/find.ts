/**
 * What stands in an input: every file opened, whatever its name says, and either a slice that is treated or something with a reason why
 * not. Of a file no more is remembered than where it is and what places it.
 *
 * @example
 * const found = await findDicom(['study'], signal);
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type SliceFacts } from '../../dicom/describe.js';
import type { FoundSlice } from '../../dicom/series.js';
import { walk } from '../../dicom/walker.js';
import { isRefusal, Refusal } from '../../errors/errors.js';
import { hex, sha256 } from '../../volume/sha256.js';
import { codeOf } from '../error-code.js';

/** A series that one of its files makes impossible. */
export interface BrokenSeries {
  readonly study: string;
  readonly series: string;
  readonly person: string;
  readonly why: string;
}

export interface FoundDicom {
  readonly slices: readonly FoundSlice<string>[];
  readonly broken: readonly BrokenSeries[];
  /** What was left out, and how many files. Names alone: a path may say whose it is. */
  readonly left: ReadonlyMap<string, number>;
  /** Copies of a file, byte for byte, of which one is used. */
  readonly copies: number;
}

/** What is met beside DICOM and is none, or says only what stands where: leaving it out is told, and no reason to exit with 1. */
export const NO_IMAGES: ReadonlySet<string> = new Set([
  'a file that is not DICOM',
  'an empty file',
  'DICOMDIR',
]);

/** More is no slice: Node reads no larger file at once. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** @throws {Refusal} not-readable when there is no such folder or file */
export async function findDicom(input: string, signal: AbortSignal): Promise<FoundDicom> {
  const slices: FoundSlice<string>[] = [];
  const broken: BrokenSeries[] = [];
  const left = new Map<string, number>();
  const seen = new Map<string, string>();
  let copies = 0;
  const leave = (why: string): void => void left.set(why, (left.get(why) ?? 0) + 1);
  for await (const path of filesUnder(input, leave)) {
    signal.throwIfAborted();
    const found = await look(path);
    if (typeof found === 'string') leave(found);
    else if (found.kind === 'left') leave(found.why);
    else if (found.kind === 'refused') {
      const { study, series, person, why } = found;
      broken.push({ study, series, person: person.key, why });
    } else {
      const { slice, digest } = found;
      const before = seen.get(slice.instance);
      if (before === digest) copies++;
      else if (before !== undefined) broken.push({ ...idsOf(slice), why: TWO_IN_ONE });
      else {
        seen.set(slice.instance, digest);
        slices.push({ slice, file: path });
      }
    }
  }
  return { slices, broken, left, copies };
}

const TWO_IN_ONE = 'expected one file for each SOP Instance UID, found two that differ';

function idsOf({ study, series, person }: SliceFacts): Omit<BrokenSeries, 'why'> {
  return { study, series, person: person.key };
}

type Looked = string | Exclude<ReturnType<typeof describe>, { kind: 'slice' }> | Slice;
type Slice = { readonly kind: 'slice'; readonly slice: SliceFacts; readonly digest: string };

async function look(path: string): Promise<Looked> {
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) return 'a file of more than 2 GiB';
    bytes = await readFile(path);
  } catch (error) {
    return `a file that cannot be read (${codeOf(error)})`;
  }
  if (bytes.length === 0) return 'an empty file';
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3) return 'a ZIP archive (unpack it first)';
  try {
    const found = describe(walk(bytes));
    return found.kind === 'slice' ? { ...found, digest: hex(sha256(bytes)) } : found;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.tag === 'not-an-image') return 'a file that is not DICOM';
    return error.tag === 'truncated'
      ? 'a DICOM file that breaks off'
      : `a DICOM file: ${withoutPlace(error.message)}`;
  }
}

/** Files of one kind are counted together, wherever in them it is. */
function withoutPlace(message: string): string {
  return message.replace(/ (at|by) byte \d+/, '');
}

async function* filesUnder(path: string, leave: (why: string) => void): AsyncGenerator<string> {
  const there = await stat(path).catch((cause: unknown) => {
    throw new Refusal('not-readable', `expected a folder or a file of DICOM, found none (${codeOf(cause)})`, {
      cause,
    });
  });
  if (there.isFile()) yield path;
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
