/**
 * The kinds of objects that are treated here.
 *
 * @example
 * isEnhanced('1.2.840.10008.5.1.4.1.1.4.1'); // true
 */

/** MR Image: a file is a slice. */
export const CLASSIC_MR = '1.2.840.10008.5.1.4.1.1.4';
/** Enhanced MR Image, and what converters make of classic ones: a file is a stack of frames. */
const ENHANCED: ReadonlySet<string> = new Set(['1.2.840.10008.5.1.4.1.1.4.1', '1.2.840.10008.5.1.4.1.1.4.4']);

export function isEnhanced(sopClass: string): boolean {
  return ENHANCED.has(sopClass);
}
