/**
 * Kept decoders of compressed voxels: JPEG lossless (jpeg-lossless-decoder-js) and JPEG 2000 (OpenJPEG, compiled to JavaScript, in
 * the package). Each is loaded when a file first asks for it. What they print goes nowhere: it may be of the file.
 *
 * JPEG-LS (CharLS) has a thread of its own (`jpeg-ls.ts`).
 *
 * @example
 * const file = await decompressed(walk(bytes), decoders);
 */
import { type DecodedFrame, type Decoders, requireSize } from '../../../dicom/decompress.js';
import { jpeg2000Frame, jpegFrame } from './jpeg-frame.js';
import { JpegLsThread } from './jpeg-ls.js';

/** Another one for each start: the module makes itself of it. */
const silent = (): object => ({ print: () => undefined, printErr: () => undefined });

/** What is used of it. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
  delete(): void;
}

function decodedByWasm(decoder: WasmDecoder, data: Uint8Array): DecodedFrame {
  const found = (): Omit<DecodedFrame, 'bytes'> => {
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
    return {
      rows: height,
      columns: width,
      components: componentCount,
      bytesPerVoxel: bitsPerSample <= 8 ? 1 : 2,
    };
  };
  try {
    decoder.getEncodedBuffer(data.length).set(data);
    decoder.decode();
    // A view of the decoder's memory, which goes with it.
    return { ...found(), bytes: decoder.getDecodedBuffer().slice() };
  } finally {
    decoder.delete();
  }
}

/** One instance for all files: starting one takes as long as many slices do. After an error it is another one's turn. */
function kept<Module>(start: () => Promise<Module>): <T>(use: (module: Module) => T) => Promise<T> {
  let running: Promise<Module> | undefined;
  return async (use) => {
    running ??= start();
    try {
      return use(await running);
    } catch (error) {
      running = undefined;
      throw error;
    }
  };
}

const withOpenJpeg = kept(async () =>
  (await import('@cornerstonejs/codec-openjpeg/decode')).default(silent()),
);

const jpegLs = new JpegLsThread();

export const decoders: Decoders = {
  'jpeg-lossless': async (data, size) => {
    const { bits, ...frame } = jpegFrame(data, 0xc3);
    requireSize(frame, size);
    const { Decoder } = await import('jpeg-lossless-decoder-js');
    const copy = data.slice();
    const bytes = new Uint8Array(new Decoder().decompress(copy.buffer, 0, copy.length));
    return { ...frame, bytesPerVoxel: bits <= 8 ? 1 : 2, bytes };
  },
  'jpeg-ls': async (data, size) => {
    requireSize(jpegFrame(data, 0xf7), size);
    return jpegLs.decode(data);
  },
  'jpeg-2000': async (data, size) => {
    requireSize(jpeg2000Frame(data), size);
    return withOpenJpeg(({ J2KDecoder }) => decodedByWasm(new J2KDecoder(), data));
  },
};
