/**
 * Names that a file system cannot take, or that Node has not read as they are: told before any work is done, and
 * without the name, which may be the subject's.
 *
 * @example
 * const problem = nameProblem(target); // 'expected file and folder names of at most 255 bytes, found one of 300'
 */
import path from 'node:path';

/** Of one name, on nearly every file system. */
const MAX_NAME_BYTES = 255;
/** What Node puts in place of bytes that are not UTF-8; halves of a pair of code units become it on the way out. */
const NOT_UTF8 = /[\ufffd\p{Surrogate}]/u;

/** What is wrong with a path's names, as the sentence of a refusal; undefined when nothing is. */
export function nameProblem(file: string): string | undefined {
  if (NOT_UTF8.test(file))
    return 'expected file and folder names in UTF-8, found one that is not: rename it, since another file could be taken for it';
  const longest = Math.max(
    ...path
      .normalize(file)
      .split(path.sep)
      .map((name) => Buffer.byteLength(name)),
  );
  if (longest > MAX_NAME_BYTES)
    return `expected file and folder names of at most ${MAX_NAME_BYTES} bytes, found one of ${longest}`;
  return undefined;
}
