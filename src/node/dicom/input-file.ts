/**
 * A file of the input, wherever it stands: on the disk or in a ZIP archive. It is read when it is found and again when it is treated.
 *
 * @example
 * const file = fileOnDisk('study/IM0001');
 * walk(plainDicom(await file.read()));
 */
import { readFile, stat } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { type InflateRaw, undeflated } from '../../dicom/deflated.js';
import { Refusal } from '../../errors/errors.js';

export interface InputFile {
  /** @throws {Refusal} corrupt, too-large  @throws errors of the system */
  read(): Promise<Uint8Array>;
}

/** More is no slice: Node reads no larger file at once. */
export const MAX_FILE_BYTES = 2 ** 31 - 1;

export function fileOnDisk(path: string): InputFile {
  return {
    read: async () => {
      if ((await stat(path)).size > MAX_FILE_BYTES)
        throw new Refusal('too-large', 'a file of more than 2 GiB');
      return readFile(path);
    },
  };
}

const inflate: InflateRaw = (data, most) => inflateRawSync(data, { maxOutputLength: most });

/** As it can be walked: inflated where it is a deflated file. @throws {Refusal} corrupt, and as `walk` for the file meta */
export function plainDicom(bytes: Uint8Array): Uint8Array {
  return undeflated(bytes, inflate);
}
