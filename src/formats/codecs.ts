/**
 * The formats that are read and written here: one line each. Everything else asks this table.
 *
 * @example
 * codecOf(image.format).title; // 'NIfTI'
 */
import { Failure, Refusal } from '../errors/errors.js';
import type { HeaderAudit, ImageCodec } from './codec.js';
import type { Described } from './image.js';
import { mghCodec } from './mgh/codec.js';
import { either, type FileNames } from './names.js';
import { nifti1Codec, nifti2Codec } from './nifti/codec.js';

/** The first that knows a file, or a file's name, has it. */
export const CODECS: readonly ImageCodec[] = [
  nifti1Codec,
  nifti2Codec,
  mghCodec,
  // A new format stands here.
];

export function codecOf(format: string): ImageCodec {
  const found = CODECS.find((codec) => codec.format === format);
  if (found === undefined) throw new Failure('internal', `no codec of the format ${JSON.stringify(format)}`);
  return found;
}

/** Of an image: the table's, unless it brought its own (a format that stands on a higher floor, as a DICOM series does). */
export function codecFor({ format, codec }: Pick<Described, 'format' | 'codec'>): ImageCodec {
  return codec ?? codecOf(format);
}

/** What a file's first bytes (inflated) are; undefined when no codec knows them. */
export function sniff(
  opening: Uint8Array,
): { readonly codec: ImageCodec; readonly holds: 'whole' | 'header' } | undefined {
  for (const codec of CODECS) {
    const holds = codec.sniff(opening);
    if (holds !== undefined) return { codec, holds };
  }
  return undefined;
}

/** ".nii, .nii.gz, ... or .mgz". */
export const IMAGE_ENDINGS = either([...new Set(CODECS.flatMap(({ endings }) => endings))]);

/** "NIfTI or MGH". */
export function knownFormats(): string {
  return either([...new Set(CODECS.map(({ title }) => title))]);
}

function codecOfName(name: string): { codec: ImageCodec; names: FileNames } {
  for (const codec of CODECS) {
    const names = codec.fileNames(name);
    if (names !== undefined) return { codec, names };
  }
  throw new Refusal(
    'option-invalid',
    `expected an image name that ends in ${IMAGE_ENDINGS}, found another ending`,
  );
}

/**
 * The files that an image of this name consists of, whatever its format.
 * @throws {Refusal} option-invalid when the ending is not one of an image
 */
export function imageFileNames(name: string): readonly string[] {
  return codecOfName(name).names.files;
}

/**
 * The files that a result of this name consists of, for an image of that format or with that codec.
 * @param what name this is, for a sentence
 * @throws {Refusal} option-invalid when the name belongs to another format or to none
 */
export function outputNames(
  name: string,
  image: Pick<Described, 'format' | 'codec'>,
  what = 'an output name',
): FileNames {
  const codec = codecFor(image);
  const names = codec.fileNames(name);
  if (names !== undefined) return names;
  throw new Refusal(
    'option-invalid',
    `expected ${what} of the input's format (${either(codec.endings)}), found one of ${codecOfName(name).codec.title}`,
  );
}

/** What other programs may understand differently in the header of an image: for the user. */
export function doubtsOf(image: Described): readonly string[] {
  return codecFor(image).doubts(image);
}

/** The second lock on headers: see `ImageCodec.audit`. A result of another format has not the same geometry. */
export function auditHeaders(original: Described, result: Described, description: string): HeaderAudit {
  const found = codecFor(result).audit(original, result, description);
  return original.format === result.format ? found : { ...found, sameGeometry: false };
}
