/**
 * The checks that every result passes before it is given out. They compare the result as read back from its encoded
 * bytes with what was remembered of the original; a result that fails one is never returned.
 *
 * @example
 * const checks = checkResult({ before, original, result, keep, remodelled: true });
 * requirePassed(checks); // throws Failure('verification-failed')
 */
import { Failure } from '../errors/errors.js';
import { auditHeaders } from '../formats/codecs.js';
import { type Described, type StoredImage, sameScaling } from '../formats/image.js';
import { type Grid, voxelCount } from '../volume/volume.js';
import { compareTraces, type Trace, trace } from './traces.js';
import { HEADER_DESCRIPTION } from './version.js';

export interface Check {
  readonly passed: boolean;
  readonly value: number | string;
}
export type Checks = Readonly<Record<string, Check>>;

export interface ResultToCheck {
  readonly before: Trace;
  /** The image that was read; only its description is used, as its voxels have been overwritten. */
  readonly original: Described;
  readonly result: StoredImage;
  readonly keep: Uint8Array;
  /** True when new content was synthesised, so that it must not be constant. */
  readonly remodelled: boolean;
}

/** All checks of one image. */
export function checkResult({ before, original, result, keep, remodelled }: ResultToCheck): Checks {
  const sameShape =
    result.volumes === original.volumes && result.grid.shape.every((n, i) => n === original.grid.shape[i]);
  const grid = {
    passed: sameShape && sameAffine(result.grid, original.grid),
    value: result.grid.shape.join('x'),
  };
  const type = {
    passed: result.datatype === original.datatype && sameScaling(result, original),
    value: result.datatype,
  };
  const header = auditHeaders(original, result, HEADER_DESCRIPTION);
  const headers = {
    geometryIdentical: { passed: header.sameGeometry, value: header.sameGeometry ? 'same bits' : 'differs' },
    headerClean: { passed: header.strayBytes === 0, value: header.strayBytes },
  };
  // Without the same shape there is nothing to compare voxel by voxel.
  if (!sameShape) return { grid, type, ...headers };
  const after = trace(result.stored, result.grid.shape, result.volumes, keep);
  const { sameKept, comparedBlocks, equalBlocks } = compareTraces(before, after);
  const share = comparedBlocks === 0 ? 1 : 1 - equalBlocks / comparedBlocks;
  return {
    keptVoxelsIdentical: { passed: sameKept, value: after.keptCount },
    grid,
    type,
    ...headers,
    alteredOutside: { passed: equalBlocks === 0, value: share },
    ...(remodelled ? { notConstant: notConstant(result, keep) } : {}),
  };
}

function sameAffine(a: Grid, b: Grid): boolean {
  return a.affine.every((v, i) => Object.is(v, b.affine[i]));
}

/** Counts up to 16 different stored values outside what is kept, in the first volume. */
function notConstant(image: StoredImage, keep: Uint8Array): Check {
  const seen = new Set<number | bigint>();
  for (let o = 0; o < voxelCount(image.grid.shape) && seen.size < 16; o++)
    if (keep[o] === 0) seen.add(image.stored[o] as number | bigint);
  return { passed: seen.size > 1, value: seen.size };
}

/** @throws {Failure} verification-failed with the names of the checks that did not pass. */
export function requirePassed(checks: Checks): void {
  const failed = Object.entries(checks).filter(([, check]) => !check.passed);
  if (failed.length > 0)
    throw new Failure(
      'verification-failed',
      `the result did not pass its checks (${failed.map(([name, { value }]) => `${name}: ${value}`).join(', ')})`,
    );
}
