/** What is used here of two packages that bring no types, or not those of what they ship. */
declare module '@cornerstonejs/codec-openjpeg/decode' {
  interface J2KDecoder {
    getEncodedBuffer(length: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    decode(): void;
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
    delete(): void;
  }
  const start: (options: object) => Promise<{ J2KDecoder: new () => J2KDecoder }>;
  export = start;
}

declare module 'jpeg-lossless-decoder-js' {
  export class Decoder {
    decompress(buffer: ArrayBuffer, offset: number, length: number): ArrayBuffer;
  }
}
