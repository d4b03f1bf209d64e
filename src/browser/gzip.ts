/**
 * Gzip on the platform's DecompressionStream and CompressionStream, with the answers that Node's gives here: all members of
 * a file are read, checksums verified, output bounded, bytes behind the last member ignored.
 *
 * @example
 * const image = await decodeImage({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }, browserGzip);
 */
import { Refusal } from '../errors/errors.js';
import type { Gzip } from '../formats/gzip.js';
import { gzipMembers } from './gzip-members.js';

/** What a stream gave before it ended, or broke. */
interface Flow {
  readonly error?: unknown;
  /** The sink had enough. */
  readonly full: boolean;
}

/** Feeds `parts` through a stream. @param sink takes a chunk of the output; true when it wants no more */
async function flow(
  stream: CompressionStream | DecompressionStream,
  parts: readonly Uint8Array[],
  sink: (chunk: Uint8Array) => boolean,
): Promise<Flow> {
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const feed = async (): Promise<void> => {
    for (const part of parts) await writer.write(part as Uint8Array<ArrayBuffer>);
    await writer.close();
  };
  // What fails here fails the reader too.
  const feeding = feed().catch(() => undefined);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        await feeding;
        return { full: false };
      }
      if (sink(value)) {
        await reader.cancel().catch(() => undefined);
        return { full: true };
      }
    }
  } catch (error) {
    return { error, full: false };
  }
}

const inflating = (bytes: Uint8Array, sink: (chunk: Uint8Array) => boolean): Promise<Flow> =>
  flow(new DecompressionStream('gzip'), [bytes], sink);

/** Collects up to `wanted` bytes and counts on; full beyond `most`. */
class Collector {
  readonly out: Uint8Array;
  seen = 0;

  constructor(
    wanted: number,
    readonly most: number,
  ) {
    this.out = new Uint8Array(wanted);
  }

  readonly take = (chunk: Uint8Array): boolean => {
    if (this.seen < this.out.length) this.out.set(chunk.subarray(0, this.out.length - this.seen), this.seen);
    this.seen += chunk.length;
    return this.seen > this.most;
  };
}

async function inflateMembers(bytes: Uint8Array, collector: Collector): Promise<void> {
  const { members, ended } = gzipMembers(bytes);
  for (const { start, end } of members) {
    const { error, full } = await inflating(bytes.subarray(start, end), collector.take);
    if (full) return;
    if (error !== undefined) throw damaged(error);
  }
  if (ended === 'corrupt') throw damaged(undefined);
  if (ended === 'truncated')
    throw new Refusal(
      'truncated',
      `expected a complete gzip file, found one that breaks off after ${collector.seen} bytes of content`,
    );
}

function damaged(cause: unknown): Refusal {
  return new Refusal('corrupt', 'expected an intact gzip file, found damage', { cause });
}

const OS_BYTE = 9;
const OS_UNKNOWN = 255;

export const browserGzip: Gzip = {
  async peek(bytes, count) {
    const first = new Collector(count, count - 1);
    const { error } = await inflating(bytes, first.take);
    if (error !== undefined && first.seen < count) {
      // A stream that breaks may throw away what it had: then what is whole is read member by member.
      const again = new Collector(count, count - 1);
      for (const { start, end } of gzipMembers(bytes).members)
        if ((await inflating(bytes.subarray(start, end), again.take)).full) break;
      if (again.seen > first.seen) return again.out.subarray(0, Math.min(count, again.seen));
    }
    return first.out.subarray(0, Math.min(count, first.seen));
  },

  async inflate(bytes, expectedBytes, slackBytes) {
    const most = expectedBytes + slackBytes;
    let collector = new Collector(expectedBytes, most);
    const { error } = await inflating(bytes, collector.take);
    if (error !== undefined) {
      collector = new Collector(expectedBytes, most);
      await inflateMembers(bytes, collector);
    }
    const { seen, out } = collector;
    if (seen > most)
      throw new Refusal(
        'header-invalid',
        `expected ${expectedBytes} bytes after inflating according to the header, found more than ${most}`,
      );
    if (seen < expectedBytes)
      throw new Refusal(
        'truncated',
        `expected ${expectedBytes} bytes after inflating according to the header, found ${seen}`,
      );
    return out;
  },

  async deflate(parts) {
    const chunks: Uint8Array[] = [];
    const { error } = await flow(new CompressionStream('gzip'), parts, (chunk) => {
      chunks.push(chunk);
      return false;
    });
    if (error !== undefined) throw error;
    const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      out.set(chunk, offset);
      offset += chunk.length;
    }
    // No name and no time are written; the operating system byte would tell the platform.
    out[OS_BYTE] = OS_UNKNOWN;
    return out;
  },
};
