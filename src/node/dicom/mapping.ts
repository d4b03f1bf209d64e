/**
 * Which new UID, patient ID and shift of dates belongs to which old one, for a site that wants it written down: a private file (0600)
 * outside of what is given away. It is written before a series appears, so that nothing is in the output that it does not have; a later
 * run with the same key adds to it.
 *
 * @example
 * const mapping = openMapping('site/mapping.json', { input, output }, keyed.fingerprint());
 * mapping.uid('1.3.12.2...', '2.25.3121...');
 * mapping.save();
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseObject } from '../../bids/inheritance.js';
import { Failure, Refusal } from '../../errors/errors.js';
import { requireApart, wouldBe } from '../bids/places.js';
import { codeOf } from '../error-code.js';
import { replaceFile } from '../replace-file.js';

const WHAT = 'prosopon dicom mapping: private, leads from new to old';

/** As the input has it, and as the output has it. */
export interface MappedPerson {
  readonly patientId: string;
  /** Where there is no ID. */
  readonly patientName?: string;
  readonly newPatientId: string;
  /** Where dates are shifted: how many days back. */
  readonly daysBack?: number;
}

export interface Mapping {
  uid(original: string, now: string): void;
  person(person: MappedPerson): void;
  /** @throws {Failure} write-failed */
  save(): void;
}

/**
 * @param key says which key it is, and nothing of it
 * @throws {Refusal} option-invalid (it would lie in the input or the output), output-exists (another file, or of another key),
 * output-unwritable
 */
export function openMapping(
  path: string,
  { input, output }: { readonly input: string; readonly output: string },
  key: string,
): Mapping {
  const file = resolve(path);
  requireApart(wouldBe(resolve(output)), wouldBe(file), 'output', 'mapping file');
  requireApart(wouldBe(resolve(input)), wouldBe(file), 'input', 'mapping file');
  const uids = new Map<string, string>();
  const people = new Map<string, MappedPerson>();
  const merge = (): void => {
    const known = readMapping(file, key);
    for (const [original, now] of known?.uids ?? []) uids.set(original, now);
    for (const person of known?.people ?? [])
      people.set(person.newPatientId, { ...person, ...people.get(person.newPatientId) });
  };
  const save = (): void => {
    // Another run of the site may have added to it since.
    merge();
    const said = { what: WHAT, key, patients: [...people.values()], uids: Object.fromEntries(uids) };
    replaceFile(file, `${JSON.stringify(said, undefined, 1)}\n`);
  };
  try {
    save();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal(
      'output-unwritable',
      `expected a place where the mapping file can be written (${codeOf(cause)})`,
      {
        cause,
      },
    );
  }
  return {
    uid: (original, now) => uids.set(original, now),
    person: (person) => people.set(person.newPatientId, person),
    save: () => {
      try {
        save();
      } catch (cause) {
        throw new Failure(
          'write-failed',
          `the mapping file could not be written (${codeOf(cause)}), so the series was not either`,
          {
            cause,
          },
        );
      }
    },
  };
}

function readMapping(
  file: string,
  key: string,
): { readonly uids: readonly [string, string][]; readonly people: readonly MappedPerson[] } | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
  const said = parseObject(bytes);
  if (said?.what !== WHAT || !Array.isArray(said.patients) || typeof said.uids !== 'object')
    throw new Refusal(
      'output-exists',
      'expected --mapping to name a new file or a mapping of an earlier run, found another file',
    );
  if (said.key !== key)
    throw new Refusal(
      'output-exists',
      'expected a mapping file of the same key, found one of another; name a new file, or give the --key-file that it was made with',
    );
  return {
    uids: Object.entries(said.uids as Readonly<Record<string, string>>),
    people: said.patients as readonly MappedPerson[],
  };
}
