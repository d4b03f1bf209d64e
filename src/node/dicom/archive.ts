/**
 * A ZIP archive as input: its files are read one at a time, in memory, and nothing is unpacked to the disk. What claims to be far larger
 * than it is packed is refused before anything of it is unpacked; names are asked only whether they are folders.
 *
 * @example
 * const archive = await openArchive('study.zip');
 * for (const file of archive.files) walk(await file.read());
 */
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { ALWAYS_ALLOWED, MOST_RATIO } from '../../dicom/deflated.js';
import { Refusal } from '../../errors/errors.js';
import { type InputFile, MAX_FILE_BYTES } from './input-file.js';

export interface Archive {
  readonly files: readonly InputFile[];
  close(): void;
}

/** Files in one archive; a scanner's day has some ten thousand. */
const MOST_FILES = 1_000_000;
const FOLDER_END = 0x2f;

/** @throws {Refusal} corrupt, too-large (bombs) */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await opened(path);
  try {
    return { files: await filesOf(zip), close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function opened(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { autoClose: false, lazyEntries: true, decodeStrings: false });
  } catch (cause) {
    throw broken(cause);
  }
}

async function filesOf(zip: ZipFile): Promise<InputFile[]> {
  const entries: Entry[] = [];
  let unpacked = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.length >= MOST_FILES)
        throw new Refusal('too-large', `expected at most ${MOST_FILES} files in a ZIP archive, found more`);
      unpacked += entry.uncompressedSize;
      if (entry.fileNameRaw.at(-1) !== FOLDER_END) entries.push(entry);
    }
  } catch (cause) {
    throw cause instanceof Refusal ? cause : broken(cause);
  }
  // Entries may also lie over one another, each with an honest ratio.
  if (unpacked > Math.max(ALWAYS_ALLOWED, MOST_RATIO * zip.fileSize))
    throw new Refusal(
      'too-large',
      `expected a ZIP archive that unpacks to at most ${MOST_RATIO} times its size, found one that claims more`,
    );
  return entries.map((entry) => ({ read: () => unpackedEntry(zip, entry) }));
}

async function unpackedEntry(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const { uncompressedSize, compressedSize } = entry;
  if (entry.isEncrypted() || !entry.canDecodeFileData())
    throw new Refusal('corrupt', 'a file in a ZIP archive is encrypted or packed in a way that is not known');
  if (uncompressedSize > Math.min(MAX_FILE_BYTES, Math.max(ALWAYS_ALLOWED, MOST_RATIO * compressedSize)))
    throw new Refusal('too-large', 'a file in a ZIP archive claims to be far larger than it is packed');
  const bytes = new Uint8Array(uncompressedSize);
  let at = 0;
  try {
    // No more comes than was claimed: the stream fails where the sizes differ.
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      bytes.set(chunk as Uint8Array, at);
      at += (chunk as Uint8Array).length;
    }
  } catch (cause) {
    throw broken(cause);
  }
  if (at !== uncompressedSize || crc32(bytes) >>> 0 !== entry.crc32) throw broken(undefined);
  return bytes;
}

function broken(cause: unknown): Refusal {
  return new Refusal('corrupt', 'a ZIP archive, or a file in one, is damaged', { cause });
}
