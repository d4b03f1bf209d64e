/**
 * Pictures in memory: 8-bit grey or RGB, rows from the top, and the few operations that figures need.
 *
 * @example
 * const sheet = montage([front, left, right], { columns: 3, paddingPx: 4 });
 */
import { Failure } from '../errors/errors.js';

/** 8-bit picture; `data[channels * (x + width * y) + c]`, the first row is the top one. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

export type Rgb = readonly [number, number, number];

/** @throws {Failure} internal when the data does not fill the picture. */
export function checkImage(image: PixelImage): void {
  const { width, height, channels, data } = image;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
    throw new Failure('internal', `a picture needs a positive whole size, found ${width} x ${height}`);
  if (data.length !== width * height * channels)
    throw new Failure(
      'internal',
      `a ${width} x ${height} x ${channels} picture needs ${width * height * channels} bytes, found ${data.length}`,
    );
}

/** A picture of one colour. */
export function blank(width: number, height: number, [r, g, b]: Rgb): PixelImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = r;
    data[i + 1] = g;
    data[i + 2] = b;
  }
  return { width, height, channels: 3, data };
}

/** The same picture with three channels; an RGB picture is returned as it is. */
export function toRgb(image: PixelImage): PixelImage {
  if (image.channels === 3) return image;
  const data = new Uint8Array(image.data.length * 3);
  for (let i = 0; i < image.data.length; i++) data.fill(image.data[i] as number, 3 * i, 3 * i + 3);
  return { ...image, channels: 3, data };
}

export interface MontageOptions {
  /** Pictures in a row; default all in one row. */
  readonly columns?: number;
  /** Space around and between the pictures; default 4. */
  readonly paddingPx?: number;
  /** Colour of the space; default black. */
  readonly background?: Rgb;
}

/**
 * Tiles pictures in rows, each in the middle of a cell as large as the largest picture. RGB.
 * @throws {Failure} internal when there is no picture.
 */
export function montage(images: readonly PixelImage[], options: MontageOptions = {}): PixelImage {
  if (images.length === 0) throw new Failure('internal', 'a montage needs at least one picture, found none');
  images.forEach(checkImage);
  const columns = Math.max(1, Math.min(options.columns ?? images.length, images.length));
  const pad = options.paddingPx ?? 4;
  const cellWidth = Math.max(...images.map((i) => i.width));
  const cellHeight = Math.max(...images.map((i) => i.height));
  const rows = Math.ceil(images.length / columns);
  const sheet = blank(
    columns * (cellWidth + pad) + pad,
    rows * (cellHeight + pad) + pad,
    options.background ?? [0, 0, 0],
  );
  images.forEach((image, n) => {
    const left = pad + (n % columns) * (cellWidth + pad) + ((cellWidth - image.width) >> 1);
    const top = pad + Math.floor(n / columns) * (cellHeight + pad) + ((cellHeight - image.height) >> 1);
    const { data, width, height } = toRgb(image);
    for (let y = 0; y < height; y++)
      sheet.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * sheet.width + left) * 3);
  });
  return sheet;
}
