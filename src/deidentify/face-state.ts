/**
 * A face kept for later sessions of one person: what the head was drawn from (gamma, seed, method, options), in a private
 * file. Whoever has it and a result can draw the same head again and look for the person in other results: it is the
 * user's secret, as a key is.
 *
 * The file: a line that says what it is, a line of JSON (version, method, sizes), compressed values, SHA-256 of all before.
 *
 * @example
 * const bytes = await encodeFaceState(state, gzip);
 * const again = await decodeFaceState(bytes, gzip); // throws Refusal('state-invalid') for anything else
 */
import { array, literal, number, object, optional, picklist, safeParse, string } from 'valibot';
import { modelGrid } from '../brain/model-grid.js';
import type { SeenBrain } from '../brain/rigid-match.js';
import { Failure, Refusal } from '../errors/errors.js';
import type { Gzip } from '../formats/gzip.js';
import type { BrainConditioning, Seed } from '../methods/method.js';
import type { Keep } from '../methods/options.js';
import { joinBytes } from '../volume/bytes.js';
import { sha256Bytes } from '../volume/sha256.js';
import { VERSION } from './version.js';

export interface FaceState {
  /** Name of the method that drew it. */
  readonly method: string;
  readonly seed: Seed;
  readonly resolution: 128 | 256;
  readonly keep: Keep;
  readonly scale?: number;
  /** All that the synthesis saw; the method's own. */
  readonly gamma: unknown;
  /** The brain at 2 mm, in brain levels, by which later sessions are laid on this one. */
  readonly brain: BrainConditioning;
}

const MAGIC =
  'prosopon face state 1: PRIVATE, keep it from everybody who sees results; it draws one person the same face again\n';
const DIGEST_BYTES = 32;
/** Decompressed: gamma of every method that ships takes 40 MB at most. */
const MOST_BYTES = 512 * 2 ** 20;
const ARRAYS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, i32: Int32Array, u32: Uint32Array };
type ArrayName = keyof typeof ARRAYS;
type Packed = InstanceType<(typeof ARRAYS)[ArrayName]>;

const HEADER = object({
  version: string(),
  method: string(),
  seed: array(number()),
  resolution: picklist([128, 256]),
  keep: picklist(['brain', 'cranium']),
  scale: optional(number()),
  private: literal(true),
  content: object({
    tree: string(),
    arrays: array(object({ type: picklist(['f32', 'f64', 'u8', 'i32', 'u32']), length: number() })),
  }),
});

/** A tree of plain objects with its typed arrays taken out; equal arrays are kept once. */
function unpack(value: unknown, arrays: Packed[]): unknown {
  if (ArrayBuffer.isView(value)) {
    const known = arrays.findIndex((each) => sameArray(each, value as Packed));
    return { $: known >= 0 ? known : arrays.push(value as Packed) - 1 };
  }
  if (Array.isArray(value)) return value.map((each) => unpack(each, arrays));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unpack(each, arrays)]));
  if (typeof value === 'function' || typeof value === 'bigint' || Number.isNaN(value))
    throw new Failure('internal', 'a conditioning that cannot be kept');
  return value;
}

function sameArray(a: Packed, b: Packed): boolean {
  if (a === b) return true;
  if (a.constructor !== b.constructor || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function pack(value: unknown, arrays: readonly Packed[]): unknown {
  if (Array.isArray(value)) return value.map((each) => pack(each, arrays));
  if (typeof value !== 'object' || value === null) return value;
  const { $: index } = value as { $?: unknown };
  if (typeof index === 'number') {
    const found = arrays[index];
    if (found === undefined) throw damaged();
    return found;
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, pack(each, arrays)]));
}

function damaged(cause?: unknown): Refusal {
  return new Refusal(
    'state-invalid',
    'expected a face state as --save-face writes it, found one that is damaged',
    cause === undefined ? {} : { cause },
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Little-endian, as every platform is that this runs on. */
export async function encodeFaceState(state: FaceState, gzip: Gzip): Promise<Uint8Array> {
  const { gamma, brain, seed, ...rest } = state;
  const arrays: Packed[] = [];
  const tree = JSON.stringify(unpack({ gamma, brain }, arrays));
  const typeOf = (a: Packed): string => {
    const found = Object.entries(ARRAYS).find(([, type]) => a instanceof type);
    if (found === undefined) throw new Failure('internal', 'a conditioning that cannot be kept');
    return found[0];
  };
  const header = {
    private: true,
    version: VERSION,
    ...rest,
    seed: [...seed],
    content: { tree, arrays: arrays.map((a) => ({ type: typeOf(a), length: a.length })) },
  };
  const text = new TextEncoder().encode(`${MAGIC}${JSON.stringify(header)}\n`);
  const body = joinBytes([text, await gzip.deflate(arrays.map(bytesOf))]);
  return joinBytes([body, sha256Bytes(body)]);
}

/**
 * @throws {Refusal} state-invalid: not a state, damaged, or of another version, whose networks may draw another face
 */
export async function decodeFaceState(bytes: Uint8Array, gzip: Gzip): Promise<FaceState> {
  const magic = new TextEncoder().encode(MAGIC);
  if (magic.some((byte, i) => bytes[i] !== byte))
    throw new Refusal(
      'state-invalid',
      'expected a face state as --save-face writes it, found a file of another kind',
    );
  const body = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
  const expected = sha256Bytes(body);
  if (expected.some((byte, i) => byte !== bytes[body.length + i])) throw damaged();
  const end = body.indexOf(10, magic.length);
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder().decode(body.subarray(magic.length, end)));
  } catch (cause) {
    throw damaged(cause);
  }
  const header = safeParse(HEADER, found);
  if (!header.success) throw damaged();
  const { version, method, seed, resolution, keep, scale, content } = header.output;
  if (version !== VERSION)
    throw new Refusal(
      'state-invalid',
      `expected a face state of version ${VERSION}, found one of ${version}, which may draw another face; use that version for this person`,
    );
  const sizes = content.arrays.map(({ type, length }) => length * ARRAYS[type].BYTES_PER_ELEMENT);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (!(total > 0 && total <= MOST_BYTES)) throw damaged();
  const values = await gzip.inflate(body.slice(end + 1), total, 0);
  let at = 0;
  const arrays = content.arrays.map(({ type, length }, i): Packed => {
    // A copy: Node's buffers cut slices that share.
    const part = new Uint8Array(values.subarray(at, at + (sizes[i] as number)));
    at += sizes[i] as number;
    return new ARRAYS[type](part.buffer, 0, length);
  });
  const { gamma, brain } = pack(JSON.parse(content.tree), arrays) as Pick<FaceState, 'gamma' | 'brain'>;
  return {
    method,
    seed: Uint32Array.from(seed),
    resolution: resolution as 128 | 256,
    keep,
    ...(scale === undefined ? {} : { scale }),
    gamma,
    brain,
  };
}

/** The brain of a state, to lay a later session on. */
export function brainOf({ brain: { brain, mask, pose } }: FaceState): SeenBrain {
  const grid = modelGrid(pose, brain.grid.shape[0]);
  return {
    volume: { grid, data: brain.data },
    mask: { grid, data: Uint8Array.from(mask.data, (share) => (share > 0.5 ? 1 : 0)) },
    pose,
  };
}
