/**
 * An independent look at the header of an MGH result: what places the voxels must be the original's bits, and every byte
 * that could carry words or acquisition details must be zero. The writer builds headers from an allow-list; this is the
 * second lock, with a table of its own.
 *
 * @example
 * auditMgh(original, result).strayBytes; // 0
 */
import type { HeaderAudit } from '../codec.js';
import type { Described } from '../image.js';

type Range = readonly [first: number, end: number];

/** Degrees of freedom, and the spare room after the centre. */
const MUST_BE_EMPTY: readonly Range[] = [
  [24, 28],
  [90, 284],
];
const VERSION_TO_TYPE: Range = [0, 24];
const GEOMETRY: Range = [30, 90];

export function auditMgh(original: Described, result: Described): HeaderAudit {
  const [before, after] = [original.files[0].header, result.files[0].header];
  let strayBytes = 0;
  for (const [first, end] of MUST_BE_EMPTY)
    for (let i = first; i < end; i++) if ((after[i] ?? 0) !== 0) strayBytes++;
  // Without the mark of a good geometry, FreeSurfer's default holds and the fields mean nothing.
  const good = (header: Uint8Array): boolean => header[28] !== 0 || header[29] !== 0;
  const sameGeometry =
    sameBytes(before, after, VERSION_TO_TYPE) &&
    good(before) === good(after) &&
    (!good(before) || sameBytes(before, after, GEOMETRY));
  return { sameGeometry, strayBytes };
}

function sameBytes(a: Uint8Array, b: Uint8Array, [first, end]: Range): boolean {
  for (let i = first; i < end; i++) if (a[i] !== b[i]) return false;
  return true;
}
