/**
 * NumPy's .npy format (version 1.0) for unsigned bytes: what the training package reads.
 *
 * @example
 * writeFileSync('x_image.npy', encodeNpy(image, [128, 128, 128]));
 */

/** @param shape row-major: the last axis runs fastest (a volume's is [nz, ny, nx]) */
export function encodeNpy(data: Uint8Array, shape: readonly number[]): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padding = (64 - ((10 + text.length + 1) % 64)) % 64;
  const header = `${text}${' '.repeat(padding)}\n`;
  const out = new Uint8Array(10 + header.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  for (let i = 0; i < header.length; i++) out[10 + i] = header.charCodeAt(i);
  out.set(data, 10 + header.length);
  return out;
}
