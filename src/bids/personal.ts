/**
 * Whether a short text may say who somebody is: a date, a long number, a UID, an address, a name. It finds what is usual and proves
 * nothing; what is written goes by allow-lists, and this is the second look at what the user asked to keep.
 *
 * @example
 * personalIn('scan of 1961-03-02'); // 'a date'
 * personalIn('MPRAGE'); // undefined
 */
import { FREQUENT_NAMES } from './frequent-names.js';

const DATE =
  /(?<!\d)(?:(?:19|20)\d{2}[-/._]?(?:0[1-9]|1[0-2])[-/._]?(?:0[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2]|[12]\d|3[01])[-/.](?:19|20)?\d{2})(?!\d)/;
const UID = /\d+(?:\.\d+){4,}/;
const LONG_NUMBER = /\d{6,}/;

/** What it looks like, for a sentence. */
export function personalIn(text: string): string | undefined {
  if (DATE.test(text)) return 'a date';
  if (UID.test(text)) return 'a UID';
  if (/@|https?:/i.test(text)) return 'an address';
  if (text.includes('^')) return 'a name';
  if (LONG_NUMBER.test(text)) return 'a long number';
  // In camel case too: JohnSmith.
  const words = text.replace(/([a-z])([A-Z])/g, '$1 $2').split(/[^\p{L}]+/u);
  return words.some((word) => FREQUENT_NAMES.has(word.toLowerCase())) ? 'a name' : undefined;
}

/** Labels of letters alone that name nobody. */
const NOBODY =
  /^(?:pilot|test|control|ctrl|patient|phantom|template|demo|sham|subject|sub|case|hc|pt|pat|con|vol|anon|x+|n?a)$/i;

/** The same for the label of a subject or session, where a word of letters alone is unusual and often somebody's. */
export function personalLabel(label: string): string | undefined {
  const found = personalIn(label);
  if (found !== undefined) return found;
  return /^\p{Lu}?\p{Ll}{3,}(?:\p{Lu}\p{Ll}+)*$/u.test(label) && !NOBODY.test(label) ? 'a name' : undefined;
}
