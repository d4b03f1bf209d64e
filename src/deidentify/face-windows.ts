/**
 * Sums over small windows of the face's pixels, and what follows from them: how much relief a window has, and which
 * windows two surfaces share.
 *
 * @example
 * const relief = planeVariance(depth);          // mm2
 * const kept = keptPixels(difference, limit, relief);
 */
import { FACE } from './face-rays.js';

const { columns: COLUMNS, rows: ROWS } = FACE;
const PIXELS = COLUMNS * ROWS;
/** Half a window: 4 pixels each way, 18 mm in all. */
const HALF_WINDOW = 4;

type OfPixel = (pixel: number) => number;

/** Sums over the window round each pixel. */
function windowSums(value: OfPixel): Float64Array {
  const rows = new Float64Array(PIXELS);
  const out = new Float64Array(PIXELS);
  const own = Float64Array.from({ length: PIXELS }, (_, pixel) => value(pixel));
  for (let r = 0; r < ROWS; r++)
    for (let c = 0; c < COLUMNS; c++) {
      let sum = 0;
      const last = COLUMNS * r + Math.min(COLUMNS - 1, c + HALF_WINDOW);
      for (let p = COLUMNS * r + Math.max(0, c - HALF_WINDOW); p <= last; p++) sum += own[p] as number;
      rows[c + COLUMNS * r] = sum;
    }
  for (let r = 0; r < ROWS; r++)
    for (let y = Math.max(0, r - HALF_WINDOW); y <= Math.min(ROWS - 1, r + HALF_WINDOW); y++)
      for (let c = 0; c < COLUMNS; c++)
        out[c + COLUMNS * r] = (out[c + COLUMNS * r] as number) + (rows[c + COLUMNS * y] as number);
  return out;
}

/** Variance of a map about the plane fitted to it in the window round each pixel; 0 where the map is NaN. */
export function planeVariance(map: Float32Array): Float32Array {
  const x: OfPixel = (pixel) => (pixel % COLUMNS) * FACE.pixelMm;
  const y: OfPixel = (pixel) => Math.floor(pixel / COLUMNS) * FACE.pixelMm;
  const d: OfPixel = (pixel) => map[pixel] as number;
  const sums = (f: OfPixel): Float64Array => windowSums((pixel) => (Number.isNaN(map[pixel]) ? 0 : f(pixel)));
  const n = sums(() => 1);
  const [sx, sy, sd] = [sums(x), sums(y), sums(d)];
  const moment = (f: OfPixel, g: OfPixel, sf: Float64Array, sg: Float64Array): Float64Array =>
    sums((pixel) => f(pixel) * g(pixel)).map((v, o) => {
      const count = Math.max(1, n[o] as number);
      return v / count - ((sf[o] as number) / count) * ((sg[o] as number) / count);
    });
  const [xx, yy, xy] = [moment(x, x, sx, sx), moment(y, y, sy, sy), moment(x, y, sx, sy)];
  const [xd, yd, dd] = [moment(x, d, sx, sd), moment(y, d, sy, sd), moment(d, d, sd, sd)];
  return Float32Array.from(dd, (variance, o) => {
    if (Number.isNaN(map[o])) return 0;
    const [a, b, c] = [xx[o] as number, yy[o] as number, xy[o] as number];
    const [u, v] = [xd[o] as number, yd[o] as number];
    const determinant = a * b - c * c;
    const explained = determinant > 1e-6 ? (u * u * b - 2 * u * v * c + v * v * a) / determinant : 0;
    return Math.max(0, variance - explained);
  });
}

/** A window is kept where the mean squared difference is at most this share of its relief, and at most so many mm2. */
const [KEPT_OF_RELIEF, KEPT_MM2] = [0.25, 0.2];
/** Pixels this near the middle of a kept window are kept too, if they are at the same place themselves. */
const SPREAD = 2;

/**
 * 1 where two surfaces are the same: in the window round a pixel they differ by little but a common offset.
 * @param difference mm across the surface, NaN where there is nothing to compare
 * @param limit mm that a place or an offset may differ by  @param relief of the first surface, mm2
 */
export function keptPixels(difference: Float32Array, limit: Float32Array, relief: Float32Array): Uint8Array {
  const sums = (power: number): Float64Array =>
    windowSums((p) => (Number.isNaN(difference[p]) ? 0 : (difference[p] as number) ** power));
  const [n, first, second] = [sums(0), sums(1), sums(2)];
  const windows = new Uint8Array(PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    if (Number.isNaN(difference[p])) continue;
    const mean = (first[p] as number) / (n[p] as number);
    const most = limit[p] as number;
    const offset = Math.max(-most, Math.min(most, mean));
    const error = Math.max(0, (second[p] as number) / (n[p] as number) - mean ** 2) + (mean - offset) ** 2;
    if (error <= Math.min(KEPT_OF_RELIEF * (relief[p] as number), KEPT_MM2)) windows[p] = 1;
  }
  const kept = new Uint8Array(PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    if (!(Math.abs(difference[p] as number) <= (limit[p] as number))) continue;
    const [c, r] = [p % COLUMNS, Math.floor(p / COLUMNS)];
    for (let y = Math.max(0, r - SPREAD); y <= Math.min(ROWS - 1, r + SPREAD); y++)
      for (let x = Math.max(0, c - SPREAD); x <= Math.min(COLUMNS - 1, c + SPREAD); x++)
        if (windows[x + COLUMNS * y] !== 0) kept[p] = 1;
  }
  return kept;
}
