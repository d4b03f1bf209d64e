/**
 * The version of the package, as a constant because a page has no package.json to read; a test keeps the two equal.
 *
 * @example
 * const description = `Prosopon ${VERSION}`;
 */
export const VERSION = '0.2.0';
/** Goes into the free-text field of written NIfTI headers. */
export const HEADER_DESCRIPTION = `Prosopon ${VERSION}`;
