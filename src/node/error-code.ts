/**
 * The system's word for what went wrong, which unlike its message holds no path.
 *
 * @example
 * throw new Failure('write-failed', `the result could not be written (${codeOf(cause)})`, { cause });
 */

/** ENOSPC, EACCES, ... */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'unknown error';
}
