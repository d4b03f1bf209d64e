/**
 * Reading an image from disk. What the file is follows from its bytes; its name is used only to find the other
 * half of a header-and-image pair.
 *
 * Messages name no file: a file's name may be the subject's.
 *
 * @example
 * const image = await loadImage('sub-01_T1w.nii.gz');
 */
import { readFile, stat } from 'node:fs/promises';
import { Refusal } from '../errors/errors.js';
import { sniff } from '../formats/codecs.js';
import { type DecodeOptions, decodeImage, openFile, type StoredImage } from '../formats/stored-image.js';
import { nameProblem } from './file-names.js';
import { nodeGzip } from './gzip.js';

/** What Node reads at once. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/**
 * @param path of a .nii, .nii.gz, .mgh, .mgz file or of either half of a .hdr/.img pair
 * @throws {Refusal} not-readable, too-large, and all that decodeImage throws
 */
export async function loadImage(path: string, options: DecodeOptions = {}): Promise<StoredImage> {
  if (typeof path !== 'string')
    throw new Refusal(
      'option-invalid',
      `expected the path of an image, found ${path === null ? 'null' : typeof path}`,
    );
  const problem = nameProblem(path);
  if (problem !== undefined) throw new Refusal('not-readable', problem);
  const bytes = await readRegularFile(path);
  const file = await openFile({ name: path, bytes }, nodeGzip);
  const known = sniff(file.opening);
  if (known?.holds === 'header') {
    const voxels = await otherHalf(path, 'img');
    if (voxels === undefined) return decodeImage(file, nodeGzip, options);
    return decodeImage([file, { name: voxels, bytes: await readRegularFile(voxels) }], nodeGzip, options);
  }
  // Bytes of voxels may look like the four that an MGH file begins with, so here the name has a say.
  if (known?.codec.fileNames(path) === undefined && /\.img(\.gz)?$/i.test(path)) {
    const header = await otherHalf(path, 'hdr');
    if (header !== undefined)
      return decodeImage([{ name: header, bytes: await readRegularFile(header) }, file], nodeGzip, options);
    if (known === undefined)
      throw new Refusal('not-readable', 'expected a header (.hdr) beside the .img file, found none');
  }
  return decodeImage(file, nodeGzip, options);
}

/**
 * Every file that an input of this name may be read from: itself and, of a pair, both halves in every compression, as
 * `loadImage` takes the other half as it finds it. None of them may be written to.
 */
export function inputFiles(path: string): readonly string[] {
  const match = /^(.*)\.(?:hdr|img)(?:\.gz)?$/is.exec(path);
  if (match === null) return [path];
  const halves = ['hdr', 'img', 'HDR', 'IMG'].flatMap((half) =>
    ['', '.gz', '.GZ'].map((gz) => `.${half}${gz}`),
  );
  return [path, ...halves.map((ending) => `${match[1]}${ending}`)];
}

/** The other half of a pair, compressed like this one or not; undefined when there is none. */
async function otherHalf(path: string, ending: 'hdr' | 'img'): Promise<string | undefined> {
  const match = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(path);
  if (match === null) return undefined;
  const [, stem = '', own = '', gz = ''] = match;
  const wanted = own === own.toUpperCase() ? ending.toUpperCase() : ending;
  for (const last of gz === '' ? ['', '.gz'] : [gz, '']) {
    const candidate = `${stem}.${wanted}${last}`;
    try {
      if ((await stat(candidate)).isFile()) return candidate;
    } catch (error) {
      // A name that only the ending has made too long is not there either.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENAMETOOLONG') throw unreadable(error);
    }
  }
  return undefined;
}

/** Bytes of a file. @throws {Refusal} not-readable, too-large */
export async function readRegularFile(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (!found.isFile())
      throw new Refusal(
        'not-readable',
        `expected a file, found ${found.isDirectory() ? 'a directory' : 'a device, pipe or socket'}`,
      );
    if (found.size > MAX_FILE_BYTES)
      throw new Refusal(
        'too-large',
        `expected a file of at most ${MAX_FILE_BYTES} bytes (2 GiB), found ${found.size}`,
      );
    return await readFile(path);
  } catch (error) {
    throw error instanceof Refusal ? error : unreadable(error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'one that may not be read',
  EPERM: 'one that may not be read',
  ELOOP: 'a link that leads in a circle',
  ENAMETOOLONG: 'a path that is too long',
};

function unreadable(cause: unknown): Refusal {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new Refusal(
    'not-readable',
    `expected a file that can be read, found ${REASONS[code] ?? `error ${code}`}`,
    { cause },
  );
}
