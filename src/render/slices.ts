/**
 * Slices through a volume as a radiologist hangs them, from any grid, with outlines of masks in colour.
 *
 * The planes are those of the frame (by default the world's RAS axes), the pixels are square. Axial: front of the
 * head up; coronal: top up; sagittal: top up and front to the left. In `radiological` display (the default) the
 * subject's right is on the left of axial and coronal pictures, in `neurological` display on their right.
 *
 * @example
 * const [axial, coronal, sagittal] = renderSlices(volume, { outlines: [{ mask, colour: [255, 60, 60] }] });
 */
import { Refusal } from '../errors/errors.js';
import { type Affine, boxUnder, IDENTITY, invert, multiply, type Vec3 } from '../volume/affine.js';
import { resampleLinear } from '../volume/resample.js';
import { quantile } from '../volume/statistics.js';
import type { Grid, Mask, Volume, VoxelArray } from '../volume/volume.js';
import type { PixelImage, Rgb } from './image.js';

export type Plane = 'axial' | 'coronal' | 'sagittal';
export const PLANES: readonly Plane[] = ['axial', 'coronal', 'sagittal'];

export interface Outline {
  /** On any grid; its border is drawn on the pixels inside it. */
  readonly mask: Mask;
  readonly colour: Rgb;
}

export interface SliceOptions {
  /** Which planes, in which order; default axial, coronal, sagittal. */
  readonly planes?: readonly Plane[];
  /** Point (mm of the frame) through which all planes go; default the middle of the field of view. */
  readonly at?: Vec3;
  /** Frame to world mm, rigid; default the world's own RAS axes. */
  readonly frame?: Affine;
  /** Edge of a pixel in mm; default 1. */
  readonly pixelMm?: number;
  /** Values drawn black and white; default `displayWindow(volume)`. */
  readonly window?: readonly [number, number];
  readonly display?: 'radiological' | 'neurological';
  readonly outlines?: readonly Outline[];
}

/** Least and greatest corner of the grid's field of view (voxel edges) along the frame's axes, mm. */
function fieldOfView({ shape, affine }: Grid, frame: Affine): readonly [Vec3, Vec3] {
  const high: Vec3 = [shape[0] - 0.5, shape[1] - 0.5, shape[2] - 0.5];
  return boxUnder(multiply(invert(frame), affine), [-0.5, -0.5, -0.5], high);
}

/**
 * From the 1st to the 99.5th percentile of (about 200,000) finite values: bright vessels and fat may clip, tissue does not.
 * @throws {Refusal} no-signal when no value is finite.
 */
export function displayWindow(volume: Volume<VoxelArray>): readonly [number, number] {
  const { data } = volume;
  const step = Math.floor(data.length / 200_000) | 1;
  const sample: number[] = [];
  for (let i = 0; i < data.length; i += step) if (Number.isFinite(data[i])) sample.push(data[i] as number);
  if (sample.length === 0) throw new Refusal('no-signal', 'slices need finite values, found none');
  const sorted = Float32Array.from(sample);
  const low = quantile(sorted, 0.01);
  const high = quantile(sorted, 0.995);
  return high > low ? [low, high] : [low, low + 1];
}

/** One RGB picture a plane. Outside the field of view: black. */
export function renderSlices(volume: Volume<VoxelArray>, options: SliceOptions = {}): PixelImage[] {
  const frame = options.frame ?? IDENTITY;
  const [low, high] = fieldOfView(volume.grid, frame);
  const centre: Vec3 = options.at ?? [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
  const window = options.window ?? displayWindow(volume);
  const mirrored = options.display === 'neurological';
  return (options.planes ?? PLANES).map((plane) => {
    const grid = planeGrid(plane, low, high, centre, options.pixelMm ?? 1, mirrored, frame);
    const values = resampleLinear(volume, grid, { outside: window[0] });
    const image = windowed(values, grid.shape[0], grid.shape[1], window);
    for (const { mask, colour } of options.outlines ?? [])
      drawOutline(image, resampleLinear(mask, grid), colour);
    return image;
  });
}

/** A grid of one slice whose first axis runs along picture rows and whose second runs down the picture. */
function planeGrid(
  plane: Plane,
  low: Vec3,
  high: Vec3,
  centre: Vec3,
  pixelMm: number,
  mirrored: boolean,
  frame: Affine,
): Grid {
  // Axis along the row, its sign, axis down the picture, axis through it; what runs down the picture always runs backwards.
  const [across, sign, down, fixed] = (
    {
      axial: [0, mirrored ? 1 : -1, 1, 2],
      coronal: [0, mirrored ? 1 : -1, 2, 1],
      sagittal: [1, -1, 2, 0],
    } as const
  )[plane];
  const width = Math.max(1, Math.round((high[across] - low[across]) / pixelMm));
  const height = Math.max(1, Math.round((high[down] - low[down]) / pixelMm));
  const origin: [number, number, number] = [0, 0, 0];
  origin[across] = sign > 0 ? low[across] + pixelMm / 2 : high[across] - pixelMm / 2;
  origin[down] = high[down] - pixelMm / 2;
  origin[fixed] = centre[fixed];
  const local = new Array<number>(16).fill(0);
  local[4 * across] = sign * pixelMm;
  local[4 * down + 1] = -pixelMm;
  local[4 * fixed + 2] = pixelMm;
  for (const axis of [0, 1, 2] as const) local[4 * axis + 3] = origin[axis];
  local[15] = 1;
  return { shape: [width, height, 1], affine: multiply(frame, local) };
}

function windowed(
  values: Float32Array,
  width: number,
  height: number,
  [low, high]: readonly [number, number],
): PixelImage {
  const data = new Uint8Array(3 * values.length);
  for (let i = 0; i < values.length; i++) {
    const share = ((values[i] as number) - low) / (high - low);
    // A value that is not a number fails both comparisons and is drawn black.
    data.fill(share >= 1 ? 255 : share > 0 ? Math.round(share * 255) : 0, 3 * i, 3 * i + 3);
  }
  return { width, height, channels: 3, data };
}

/** Colours the pixels inside the mask (at least half) that have a 4-neighbour outside it or off the picture. */
function drawOutline({ width, height, data }: PixelImage, mask: Float32Array, colour: Rgb): void {
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && (mask[x + width * y] as number) >= 0.5;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (inside(x, y) && !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1)))
        data.set(colour, 3 * (x + width * y));
}
