/**
 * Records of a data set's images on disk, one file an image, in the private work folder: put in place in one step, so that a kill at
 * any moment leaves the old one or the new one.
 *
 * @example
 * const records = new Records('work/records');
 * records.put({ path: 'sub-01/anat/sub-01_T1w.nii.gz', key, status: 'begun' });
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseRecord, type ScanRecord } from '../../bids/record.js';
import { Failure } from '../../errors/errors.js';
import { codeOf } from '../error-code.js';
import { replaceFile } from '../replace-file.js';

const ENDING = '.json';

export class Records {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined for an image that was never begun, or whose record is damaged: it is done again. */
  get(path: string): ScanRecord | undefined {
    return this.#read(join(this.#folder, path + ENDING));
  }

  /** @throws {Failure} write-failed */
  put(record: ScanRecord): void {
    const file = join(this.#folder, record.path + ENDING);
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      replaceFile(file, JSON.stringify(record));
    } catch (cause) {
      throw new Failure(
        'write-failed',
        `what became of a scan could not be written down (${codeOf(cause)})`,
        {
          cause,
        },
      );
    }
  }

  /** Of all images that were ever begun, in order of path. */
  *all(folder = ''): Generator<ScanRecord> {
    const here = join(this.#folder, folder);
    let entries: ReturnType<typeof listed>;
    try {
      entries = listed(here);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    for (const entry of entries) {
      if (entry.isDirectory()) yield* this.all(join(folder, entry.name));
      else if (entry.name.endsWith(ENDING)) {
        const record = this.#read(join(here, entry.name));
        if (record !== undefined) yield record;
      }
    }
  }

  #read(file: string): ScanRecord | undefined {
    try {
      return parseRecord(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      // Not there, or half written by something else than this program: nothing is known of the image.
      return undefined;
    }
  }
}

function listed(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}
