/**
 * Other UIDs, other patient IDs and shifts of dates, all by a keyed hash: with the key of a site the same ones in every run and on
 * every machine, without it nobody can tell what they were. No key: a random one for the run.
 *
 * @example
 * const keyed = new Keyed(randomBytes(32));
 * keyed.uid('1.3.12.2.1107.5.2...'); // '2.25.3121...'
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Refusal } from '../errors/errors.js';

/** Shorter ones can be guessed. */
export const LEAST_KEY_BYTES = 16;
/** Days that dates may be moved back by: ten years. */
const MOST_DAYS = 3650;

export class Keyed {
  readonly #key: Uint8Array;

  /** @throws {Refusal} option-invalid */
  constructor(key: Uint8Array) {
    if (key.length < LEAST_KEY_BYTES)
      throw new Refusal(
        'option-invalid',
        `expected a key of at least ${LEAST_KEY_BYTES} bytes in --key-file, found ${key.length}`,
      );
    this.#key = key;
  }

  #hash(use: string, value: string): Uint8Array {
    return hmac(sha256, this.#key, new TextEncoder().encode(`prosopon dicom ${use}\0${value}`));
  }

  /** Under 2.25, which is for UUIDs as numbers: with the version and variant bits of a random one. */
  uid(original: string): string {
    const bytes = this.#hash('uid', original).subarray(0, 16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    let number = 0n;
    for (const byte of bytes) number = (number << 8n) | BigInt(byte);
    return `2.25.${number}`;
  }

  /** @param person what tells people apart, of the input */
  patientId(person: string): string {
    return `P${bytesToHex(this.#hash('patient', person).subarray(0, 8))}`;
  }

  /** Whole days back, one number a person, never 0. */
  days(person: string): number {
    const view = new DataView(this.#hash('days', person).buffer);
    return 1 + (view.getUint32(0) % MOST_DAYS);
  }

  /** Says which key it is, and nothing of it. */
  fingerprint(): string {
    return bytesToHex(this.#hash('fingerprint', '').subarray(0, 8));
  }

  /** For an order that says nothing of the input's. */
  place(value: string): string {
    return bytesToHex(this.#hash('place', value));
  }
}

/** A date of DICOM (YYYYMMDD) moved back by whole days; undefined where it is none. */
export function shiftedDate(date: string, days: number): string | undefined {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(date);
  if (found === null) return undefined;
  const [, year, month, day] = found.map(Number) as [number, number, number, number];
  const at = new Date(Date.UTC(year, month - 1, day));
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return undefined;
  at.setUTCDate(at.getUTCDate() - days);
  return at.toISOString().slice(0, 10).replaceAll('-', '');
}
