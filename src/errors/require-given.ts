/**
 * For callers that no compiler checks: what a door of the library cannot do without is asked for in words, where JavaScript
 * would answer with a property of undefined.
 *
 * @example
 * requireGiven(image, 'an image, as decodeImage and loadImage give it', ['grid', 'stored', 'files']);
 */
import { Refusal } from './errors.js';

/**
 * @param what in words, with its article
 * @param parts that it has at least
 * @throws {Refusal} option-invalid
 */
export function requireGiven(value: unknown, what: string, parts: readonly string[] = []): void {
  const found = value === null ? 'null' : typeof value;
  if (found !== 'object') throw new Refusal('option-invalid', `expected ${what}, found ${found}`);
  const missing = parts.find((part) => (value as Readonly<Record<string, unknown>>)[part] === undefined);
  if (missing !== undefined)
    throw new Refusal('option-invalid', `expected ${what}, found an object without "${missing}"`);
}
