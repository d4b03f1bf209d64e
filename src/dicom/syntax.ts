/**
 * Transfer syntaxes (PS3.5): how elements and voxels are encoded, and what those that are not read are called.
 *
 * @example
 * syntaxOf('1.2.840.10008.1.2.2'); // { explicit: true, littleEndian: false, ... }
 */
import { Refusal } from '../errors/errors.js';

export interface Syntax {
  readonly uid: string;
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  /** What its voxels are compressed with: elements can be walked. */
  readonly compressed?: string;
  /** What decodes them, where anything does here. */
  readonly decoder?: Compression;
}

export type Compression = 'rle' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000';

export const IMPLICIT_LITTLE: Syntax = { uid: '1.2.840.10008.1.2', explicit: false, littleEndian: true };
export const EXPLICIT_LITTLE: Syntax = { uid: '1.2.840.10008.1.2.1', explicit: true, littleEndian: true };
export const EXPLICIT_BIG: Syntax = { uid: '1.2.840.10008.1.2.2', explicit: true, littleEndian: false };

const READ: readonly Syntax[] = [IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG];

/** What it is called, and what decodes it. */
const COMPRESSED: Readonly<Record<string, readonly [name: string, decoder?: Compression]>> = {
  '1.2.840.10008.1.2.5': ['RLE', 'rle'],
  '1.2.840.10008.1.2.4.50': ['JPEG baseline (lossy)'],
  '1.2.840.10008.1.2.4.51': ['JPEG extended (lossy)'],
  '1.2.840.10008.1.2.4.57': ['JPEG lossless', 'jpeg-lossless'],
  '1.2.840.10008.1.2.4.70': ['JPEG lossless', 'jpeg-lossless'],
  '1.2.840.10008.1.2.4.80': ['JPEG-LS lossless', 'jpeg-ls'],
  '1.2.840.10008.1.2.4.81': ['JPEG-LS near-lossless', 'jpeg-ls'],
  '1.2.840.10008.1.2.4.90': ['JPEG 2000 lossless', 'jpeg-2000'],
  '1.2.840.10008.1.2.4.91': ['JPEG 2000', 'jpeg-2000'],
  '1.2.840.10008.1.2.4.201': ['high-throughput JPEG 2000 lossless'],
  '1.2.840.10008.1.2.4.202': ['high-throughput JPEG 2000 lossless'],
  '1.2.840.10008.1.2.4.203': ['high-throughput JPEG 2000'],
};

/** Inflated before anything is walked (`deflated.ts`). */
export const DEFLATED = '1.2.840.10008.1.2.1.99';

/** @throws {Refusal} datatype-unsupported, by the name of the syntax where it has one */
export function syntaxOf(uid: string): Syntax {
  const found = READ.find((syntax) => syntax.uid === uid);
  if (found !== undefined) return found;
  const [compressed, decoder] = COMPRESSED[uid] ?? [];
  if (compressed !== undefined)
    return {
      uid,
      explicit: true,
      littleEndian: true,
      compressed,
      ...(decoder === undefined ? {} : { decoder }),
    };
  throw new Refusal(
    'datatype-unsupported',
    `expected a transfer syntax that is read here, found ${uid === DEFLATED ? 'deflated explicit VR little endian' : 'one that is not known'}`,
  );
}
