/**
 * JPEG-LS by CharLS (@cornerstonejs/codec-charls, WebAssembly that comes with the package) in a thread of its own: a damaged codestream
 * can keep the decoder busy for tens of seconds, and nothing but the end of its thread ends it. What it prints goes nowhere: it may be
 * of the file.
 *
 * @example
 * const frame = await new JpegLsThread().decode(data);
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';
import type { DecodedFrame } from '../../../dicom/decompress.js';
import { Failure, Refusal } from '../../../errors/errors.js';

/** A frame of 512 x 512 takes some tens of milliseconds. */
const MOST_MS = 5000;

/** CommonJS, in the thread: one frame after the other; after an error the module is made anew. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const start = require(workerData);
let running;
parentPort.on('message', async (data) => {
  let decoder;
  try {
    running ??= start({ print: () => undefined, printErr: () => undefined });
    decoder = new (await running).JpegLSDecoder();
    decoder.getEncodedBuffer(data.length).set(data);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
    const bytes = new Uint8Array(decoder.getDecodedBuffer());
    parentPort.postMessage({ width, height, bitsPerSample, componentCount, bytes }, [bytes.buffer]);
    decoder.delete();
  } catch (error) {
    running = undefined;
    // CharLS throws addresses of its own memory, which say nothing here.
    parentPort.postMessage({ error: typeof error });
  }
});
`;

const ANSWER = v.union([
  v.object({
    width: v.number(),
    height: v.number(),
    bitsPerSample: v.number(),
    componentCount: v.number(),
    bytes: v.instance(Uint8Array),
  }),
  v.object({ error: v.string() }),
]);

export class JpegLsThread {
  readonly #mostMs: number;
  #worker: Worker | undefined;
  /** One frame at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(mostMs = MOST_MS) {
    this.#mostMs = mostMs;
  }

  /** @throws {Refusal} corrupt  @throws {Failure} internal, where the thread cannot be started */
  decode(data: Uint8Array): Promise<DecodedFrame> {
    const next = this.#last.then(() => this.#one(data));
    // Whoever asked hears of an error; the one behind need not.
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #one(data: Uint8Array): Promise<DecodedFrame> {
    const worker = this.#started();
    const said = await new Promise<unknown>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        worker.off('message', heard);
        worker.off('error', broken);
        worker.unref();
      };
      const heard = (answer: unknown): void => {
        done();
        resolve(answer);
      };
      const broken = (cause: unknown): void => {
        done();
        this.#end(worker);
        reject(new Failure('internal', 'the JPEG-LS decoder ended with an error', { cause }));
      };
      const timer = setTimeout(() => {
        done();
        this.#end(worker);
        reject(
          new Refusal(
            'corrupt',
            `expected JPEG-LS voxels that are decoded in ${this.#mostMs / 1000} s, found some that are not`,
          ),
        );
      }, this.#mostMs);
      worker.on('message', heard);
      worker.on('error', broken);
      worker.ref();
      worker.postMessage(data.slice());
    });
    const answer = v.parse(ANSWER, said);
    if ('error' in answer)
      throw new Refusal('corrupt', 'expected JPEG-LS voxels, found data that cannot be decoded');
    const { width, height, bitsPerSample, componentCount, bytes } = answer;
    return {
      rows: height,
      columns: width,
      components: componentCount,
      bytesPerVoxel: bitsPerSample <= 8 ? 1 : 2,
      bytes,
    };
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const codec = createRequire(import.meta.url).resolve('@cornerstonejs/codec-charls/decodewasmjs');
    const worker = new Worker(PROGRAM, { eval: true, workerData: codec, stdout: true, stderr: true });
    this.#worker = worker;
    return worker;
  }

  #end(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }
}
