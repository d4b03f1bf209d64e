/**
 * Light on a relief: Lambert's law from one lamp fixed to the camera, a little light from everywhere, and less of
 * both in hollows (eye sockets, nostrils, between the lips), which is what makes a face of bare skin readable.
 *
 * @example
 * const picture = shade(relief, { style: GREY });
 */
import type { PixelImage, Rgb } from './image.js';
import type { Relief } from './surface.js';

export interface ShadeStyle {
  /** Direction to the lamp in camera axes (right, up, towards the camera); any length but 0. */
  readonly light: readonly [number, number, number];
  /** Share of the light that comes from everywhere, 0 to 1. */
  readonly ambient: number;
  /** Darkening of a point 10 mm below its surroundings, 0 (none) to 1. */
  readonly hollows: number;
  /** Colour of the surface in full light. Three equal channels make a grey picture. */
  readonly surface: Rgb;
  readonly background: Rgb;
}

/** The clinical look: grey on black, lamp above the camera. */
export const GREY: ShadeStyle = {
  light: [0.25, 0.5, 1],
  ambient: 0.15,
  hollows: 0.35,
  surface: [235, 235, 235],
  background: [0, 0, 0],
};

/** One channel when surface and background are grey, three otherwise. */
export function shade(relief: Relief, style: ShadeStyle = GREY): PixelImage {
  const { width, height, depth, normals } = relief;
  const length = Math.hypot(...style.light);
  const [lx, ly, lz] = [style.light[0] / length, style.light[1] / length, style.light[2] / length];
  const sunk = style.hollows > 0 ? hollowness(relief, 9) : undefined;
  const grey = [style.surface, style.background].every(([r, g, b]) => r === g && g === b);
  const channels = grey ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const hit = !Number.isNaN(depth[i]);
    const lambert =
      lx * (normals[3 * i] as number) +
      ly * (normals[3 * i + 1] as number) +
      lz * (normals[3 * i + 2] as number);
    const hollow = sunk ? Math.max(-1, Math.min(1, (sunk[i] as number) / 10)) : 0;
    const open = 1 - style.hollows * hollow;
    const light = Math.min(1, (style.ambient + (1 - style.ambient) * Math.max(0, lambert)) * open);
    for (let c = 0; c < channels; c++)
      data[channels * i + c] = hit
        ? Math.round((style.surface[c] as number) * light)
        : (style.background[c] as number);
  }
  return { width, height, channels, data };
}

/** How far (mm) each pixel lies below the mean of the surface within about `radiusMm`; 0 on the background. */
function hollowness(relief: Relief, radiusMm: number): Float32Array {
  const { width, height, depth, pixelMm } = relief;
  const radius = Math.max(1, Math.round(radiusMm / pixelMm));
  const sum = new Float32Array(width * height);
  const weight = new Float32Array(width * height);
  for (let i = 0; i < depth.length; i++)
    if (!Number.isNaN(depth[i])) {
      sum[i] = depth[i] as number;
      weight[i] = 1;
    }
  // Two box filters each way come near enough to a Gaussian.
  for (const data of [sum, weight])
    for (let pass = 0; pass < 2; pass++) {
      boxSum(data, height, width, width, 1, radius);
      boxSum(data, width, height, 1, width, radius);
    }
  return sum.map((s, i) => {
    const d = depth[i] as number;
    return Number.isNaN(d) ? 0 : d - s / (weight[i] as number);
  });
}

/** Mean over 2 radius + 1 entries (zeros beyond the ends) of each of `lines` lines, in place. */
function boxSum(
  data: Float32Array,
  lines: number,
  count: number,
  lineStride: number,
  stride: number,
  radius: number,
): void {
  const line = new Float64Array(count + 2 * radius + 1);
  const norm = 1 / (2 * radius + 1);
  for (let l = 0; l < lines; l++) {
    const start = l * lineStride;
    for (let i = 0; i < count; i++) line[i + radius + 1] = data[start + i * stride] as number;
    let sum = 0;
    for (let i = 0; i <= 2 * radius; i++) sum += line[i] as number;
    for (let i = 0; i < count; i++) {
      sum += (line[i + 2 * radius + 1] as number) - (line[i] as number);
      data[start + i * stride] = sum * norm;
    }
  }
}
