/**
 * Frames: how tensors cross the pipe between the program and its inference process.
 *
 * A frame is a 4-byte little-endian length, that many bytes of JSON, then the tensors' raw bytes one after
 * the other. Own framing because Node's IPC took 400 ms (`serialization: 'advanced'`) to carry one 256^3 float32
 * tensor (64 MiB) one way and a plain pipe takes 110 ms (two cores); a file would leave a scan on a disk.
 *
 * @example
 * sendFrame(socket, { head: { kind: 'run', id: 1 }, tensors: { image } });
 * const reader = new FrameReader((frame) => answer(frame));
 * socket.on('data', (chunk) => reader.push(chunk));
 */
import { Failure } from '../../errors/errors.js';
import { type Tensor, tensorSize } from '../../networks/runner.js';

/** JSON values that travel beside the tensors. */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

type TensorType = 'float32' | 'int32' | 'uint8';

interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** The longest JSON part that is believed: names and shapes need far less. */
const MAX_HEAD_BYTES = 1 << 20;

/** What a frame is written to: a socket, a stream, an array in a test. */
export interface ByteSink {
  write(bytes: Uint8Array): unknown;
}

function typeOf(data: Tensor['data']): TensorType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return 'uint8';
}

function allocate(type: TensorType, size: number): Tensor['data'] {
  if (type === 'float32') return new Float32Array(size);
  if (type === 'int32') return new Int32Array(size);
  return new Uint8Array(size);
}

/**
 * Writes a frame. The tensors' memory is handed to the sink as it is, not copied: it must not change until the
 * answer has come.
 * @throws {Failure} network-failed when a tensor's data and shape do not agree.
 */
export function sendFrame(sink: ByteSink, frame: Frame): void {
  const entries: TensorEntry[] = [];
  const payloads: Uint8Array[] = [];
  for (const [name, { data, shape }] of Object.entries(frame.tensors)) {
    if (tensorSize(shape) !== data.length) {
      throw new Failure(
        'network-failed',
        `tensor ${name} has ${data.length} values, its shape [${shape.join(', ')}] wants ${tensorSize(shape)}`,
      );
    }
    entries.push({ name, type: typeOf(data), shape });
    payloads.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const json = new TextEncoder().encode(JSON.stringify({ head: frame.head, tensors: entries }));
  const opening = new Uint8Array(4 + json.length);
  new DataView(opening.buffer).setUint32(0, json.length, true);
  opening.set(json, 4);
  sink.write(opening);
  for (const bytes of payloads) if (bytes.length > 0) sink.write(bytes);
}

/** Puts frames together from chunks cut anywhere; each tensor's memory is allocated once and filled in place. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #target: Uint8Array<ArrayBufferLike> = new Uint8Array(4);
  #filled = 0;
  #stage: 'length' | 'head' | 'payload' = 'length';
  #head: Frame['head'] = {};
  #tensors: Record<string, Tensor> = {};
  #pending: Uint8Array[] = [];

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws {Failure} network-failed when the bytes are not frames. */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      const take = Math.min(this.#target.length - this.#filled, chunk.length - offset);
      this.#target.set(chunk.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled === this.#target.length) this.#advance();
    }
  }

  #advance(): void {
    if (this.#stage === 'length') {
      const length = new DataView(this.#target.buffer, this.#target.byteOffset).getUint32(0, true);
      if (length === 0 || length > MAX_HEAD_BYTES) {
        throw new Failure('network-failed', `the inference pipe is out of step (a head of ${length} bytes)`);
      }
      this.#stage = 'head';
      this.#expect(new Uint8Array(length));
      return;
    }
    if (this.#stage === 'head') this.#open(this.#target);
    const next = this.#pending.shift();
    if (next !== undefined) {
      this.#stage = 'payload';
      this.#expect(next);
      return;
    }
    const frame = { head: this.#head, tensors: this.#tensors };
    this.#head = {};
    this.#tensors = {};
    this.#stage = 'length';
    this.#expect(new Uint8Array(4));
    this.#onFrame(frame);
  }

  #open(json: Uint8Array): void {
    const parsed = JSON.parse(new TextDecoder().decode(json)) as {
      head: Frame['head'];
      tensors: TensorEntry[];
    };
    this.#head = parsed.head;
    for (const { name, type, shape } of parsed.tensors) {
      const data = allocate(type, tensorSize(shape));
      this.#tensors[name] = { data, shape };
      if (data.byteLength > 0) this.#pending.push(new Uint8Array(data.buffer));
    }
  }

  #expect(target: Uint8Array): void {
    this.#target = target;
    this.#filled = 0;
  }
}
