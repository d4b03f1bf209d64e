/**
 * What is remembered of each head between runs: one gzipped JSON file per subject, variant and part, written under a
 * temporary name and renamed, so that a file that is there is whole. A part is used again only under the key it was
 * made with (program version, options, weights, scan).
 *
 * The folder holds features of originals, which identify people: mode 0700, with a README that says so.
 *
 * @example
 * const store = FeatureStore.open(out);
 * const shape = store.read<HeadShape>(['sub-01', 'original', 'shape'], key) ?? (await measure());
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Failure, Refusal } from 'prosopon';
import { codeOf, replaceFile } from 'prosopon/node';

const README = `This folder holds measurements of ORIGINAL heads (surfaces, face descriptors, label maps, brain masks),
kept so that an interrupted evaluation goes on where it stopped. They identify people as the scans do:
do not share it, and delete it when the evaluation is done.
`;

/** What says that this program made the folder. */
const MARKER = '.prosopon-evaluation';
const MARK = 'Made by prosopon evaluate, which removes this folder when it is told to forget.\n';

const ARRAYS = { Float32Array, Float64Array, Uint8Array, Int32Array, Uint16Array } as const;
type ArrayName = keyof typeof ARRAYS;
type Encoded = { readonly $array: ArrayName; readonly base64: string };

/** Typed arrays as base64; NaN and infinities, which JSON has not, as names. */
export function encodeParts(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    for (const [name, type] of Object.entries(ARRAYS))
      if (v instanceof type)
        return {
          $array: name,
          base64: Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('base64'),
        };
    if (typeof v === 'number' && !Number.isFinite(v)) return { $number: String(v) };
    return v;
  });
}

export function decodeParts(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) => {
    if (typeof v !== 'object' || v === null) return v;
    if ('$number' in v) return Number(v.$number);
    if (!('$array' in v)) return v;
    const { $array, base64 } = v as Encoded;
    const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
    return new ARRAYS[$array](bytes.buffer);
  });
}

/** A key from anything that the result depends on. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(encodeParts(parts)).digest('hex').slice(0, 32);
}

/**
 * False where nothing is, or an empty folder: that is ours to use. Only a folder that carries our mark is ever taken over or removed.
 * @throws {Refusal} output-exists for anything else
 */
function isOurs(folder: string): boolean {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there === undefined) return false;
  if (there.isDirectory()) {
    if (existsSync(join(folder, MARKER)) && readFileSync(join(folder, MARKER), 'utf8') === MARK) return true;
    if (readdirSync(folder).length === 0) return false;
  }
  throw new Refusal(
    'output-exists',
    'expected no folder "private" in the output folder, or that of an earlier evaluation; found another, which was left alone',
  );
}

export class FeatureStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {Refusal} output-unwritable, output-exists when a folder of that name is there that no evaluation made */
  static open(out: string): FeatureStore {
    const folder = join(out, 'private');
    try {
      mkdirSync(out, { recursive: true });
      if (!isOurs(folder)) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(join(folder, MARKER), MARK, { mode: 0o600 });
      }
      chmodSync(folder, 0o700);
      replaceFile(join(folder, 'README'), README);
    } catch (cause) {
      if (cause instanceof Refusal) throw cause;
      throw new Refusal('output-unwritable', `the output folder cannot be written to (${codeOf(cause)})`, {
        cause,
      });
    }
    return new FeatureStore(folder);
  }

  /** Removes what earlier runs left to go on with. @throws {Refusal} output-exists: see `open` */
  static remove(out: string): void {
    const folder = join(out, 'private');
    if (isOurs(folder)) rmSync(folder, { recursive: true, force: true });
  }

  #path(name: readonly string[]): string {
    return `${join(this.#folder, ...name)}.json.gz`;
  }

  /**
   * What was written under this name and key; undefined when there is nothing, or it was made under another key.
   * @throws {Refusal} dataset-invalid when the file is damaged
   */
  read<T>(name: readonly string[], key: string): T | undefined {
    const path = this.#path(name);
    if (!existsSync(path)) return undefined;
    let stored: { key: string; value: T };
    try {
      stored = decodeParts(gunzipSync(readFileSync(path)).toString('utf8')) as typeof stored;
    } catch (cause) {
      throw new Refusal(
        'dataset-invalid',
        'expected what an earlier run left in the output folder to be whole, found a damaged file; remove the folder "private" in it',
        { cause },
      );
    }
    return stored.key === key ? stored.value : undefined;
  }

  /** @throws {Failure} write-failed */
  write(name: readonly string[], key: string, value: unknown): void {
    const path = this.#path(name);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // Level 1: label maps shrink thirty times at 20 ms; higher levels cost more than they save.
      replaceFile(path, gzipSync(encodeParts({ key, value }), { level: 1 }));
    } catch (cause) {
      throw new Failure('write-failed', `the work folder could not be written to (${codeOf(cause)})`, {
        cause,
      });
    }
  }
}
