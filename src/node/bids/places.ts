/**
 * The folders of a run over a data set: the input, which is only ever read; the output, which is a data set of results and nothing
 * else; and the private work folder beside it (records, settings), which is never given away.
 *
 * @example
 * const places = openPlaces('bids', 'released', undefined); // work: 'released-work'
 */
import { chmodSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parseObject } from '../../bids/inheritance.js';
import { Refusal } from '../../errors/errors.js';
import { codeOf } from '../error-code.js';
import { LOCK_NAME } from '../lock.js';
import { PART_NAME } from '../replace-file.js';
import { makeFolder } from './disk.js';

export interface Places {
  /** Real paths. */
  readonly input: string;
  readonly output: string;
  readonly work: string;
}

export const DESCRIPTION = 'dataset_description.json';

/**
 * Makes output and work folder where they are not there.
 * @throws {Refusal} not-readable, option-invalid (one within another), output-exists (an output with other people's files), output-unwritable
 */
export function openPlaces(inputDir: string, outputDir: string, workDir: string | undefined): Places {
  const input = realFolder(inputDir);
  if (input === undefined) throw new Refusal('not-readable', 'expected a folder with a data set, found none');
  const wanted = resolve(outputDir);
  const work = resolve(workDir ?? `${wanted}-work`);
  // Before anything is made: where they would be.
  requireApart(input, wouldBe(wanted), 'input', 'output');
  requireApart(input, wouldBe(work), 'input', 'work folder');
  requireApart(wouldBe(wanted), wouldBe(work), 'output', 'work folder');
  makeFolder(wanted);
  makeFolder(work, 0o700);
  const places = { input, output: realpathSync(wanted), work: realpathSync(work) };
  if ((statSync(places.work).mode & 0o077) !== 0) {
    try {
      chmodSync(places.work, 0o700);
    } catch (cause) {
      throw new Refusal('output-unwritable', `the work folder cannot be made private (${codeOf(cause)})`, {
        cause,
      });
    }
  }
  requireOurs(places.output);
  return places;
}

function realFolder(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

/** The real path of something that may not be there yet. */
export function wouldBe(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(wouldBe(parent), basename(path));
  }
}

/**
 * Where the page and the tables of the group level go; made where it is not there.
 * @throws {Refusal} option-invalid (within the input or the output), output-unwritable
 */
export function reportFolder({ input, output }: Places, asked: string | undefined): string {
  const folder = resolve(asked ?? `${output}-report`);
  // Before anything is made: the input is only ever read.
  if ([input, output].some((dataset) => isWithin(wouldBe(folder), dataset)))
    throw new Refusal(
      'option-invalid',
      'expected --report-dir outside of the data sets, as the page is not for release; found it in one of them',
    );
  makeFolder(folder);
  return folder;
}

/** Whether a path is the folder or lies in it. */
function isWithin(path: string, folder: string): boolean {
  const from = relative(folder, path);
  return from === '' || !(from === '..' || from.startsWith(`..${sep}`) || resolve(from) === from);
}

export function requireApart(a: string, b: string, nameA: string, nameB: string): void {
  const found = isWithin(b, a)
    ? `the ${nameB} in the ${nameA}`
    : isWithin(a, b)
      ? `the ${nameA} in the ${nameB}`
      : undefined;
  if (found !== undefined)
    throw new Refusal(
      'option-invalid',
      `expected ${nameA} and ${nameB} apart from one another, as one is given away and the other is not; found ${found}`,
    );
}

/** @throws {Refusal} output-exists when the folder holds something and is no output of this program */
function requireOurs(output: string): void {
  // Another share may be about to write the description, or was killed when it was.
  const begun = (name: string): boolean => name.startsWith(`${DESCRIPTION}.`) && PART_NAME.test(name);
  const there = readdirSync(output).filter(
    (name) => !name.startsWith(LOCK_NAME) && !/^\.prosopon-/.test(name) && !begun(name),
  );
  if (there.length === 0) return;
  const made = readDescription(output)?.GeneratedBy;
  const ours =
    Array.isArray(made) &&
    made.some((each: unknown) => (each as { readonly Name?: unknown } | null)?.Name === 'Prosopon');
  if (!ours)
    throw new Refusal(
      'output-exists',
      'expected an output folder that is empty or was made by an earlier run, found one with other files',
    );
}

/** dataset_description.json of a folder; undefined when it is not there or no JSON object. */
export function readDescription(folder: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseObject(readFileSync(join(folder, DESCRIPTION)));
  } catch {
    return undefined;
  }
}

/** @throws {Refusal} not-readable when the file of a data set, followed through all links, lies outside of it */
export function requireInside(path: string, root: string): void {
  let real: string;
  try {
    real = realpathSync(path);
  } catch (cause) {
    throw new Refusal(
      'not-readable',
      `expected a file that can be read, found ${codeOf(cause) === 'ENOENT' ? 'a link to nothing (data that were not fetched?)' : 'one that cannot be'}`,
      { cause },
    );
  }
  if (!isWithin(real, root))
    throw new Refusal(
      'not-readable',
      'expected a file within the data set, found a link that leads out of it',
    );
}
