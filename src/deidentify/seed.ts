/**
 * Seeds: what a user types becomes 256 bits; nothing typed becomes 256 fresh random bits that are never kept.
 *
 * @example
 * const seed = options.seed === undefined ? freshSeed() : parseSeed(options.seed); // '42' or 'any words'
 */
import { Refusal } from '../errors/errors.js';
import type { Seed } from '../methods/method.js';
import { sha256 } from '../volume/sha256.js';

/** Longer text is a file given by mistake rather than a seed. */
const MAX_LENGTH = 1024;

/**
 * Eight words from an integer or any other text; the same text gives the same seed in every release.
 * `42`, `'42'` and `'042'` are the same seed: integers are compared by value.
 * @throws {Refusal} option-invalid when the text is empty or longer than 1024 characters.
 */
export function parseSeed(given: string | number | bigint): Seed {
  const text = String(given).trim();
  if (text.length === 0 || text.length > MAX_LENGTH)
    throw new Refusal('option-invalid', `a seed has 1 to ${MAX_LENGTH} characters, found ${text.length}`);
  const canonical = /^[+-]?\d+$/.test(text)
    ? BigInt(text.replace(/^\+/, '')).toString()
    : text.normalize('NFC');
  // The prefix keeps this hash apart from every other use of SHA-256 in the product.
  return sha256(new TextEncoder().encode(`prosopon seed 1\n${canonical}`));
}

/** 256 bits from the platform's cryptographic generator. Neither stored nor logged anywhere. */
export function freshSeed(): Seed {
  return globalThis.crypto.getRandomValues(new Uint32Array(8));
}
