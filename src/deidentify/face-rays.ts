/**
 * Rays from in front of a face towards an upright axis in the head, and where each meets the skin, in the brain's frame:
 * what `face-gone.ts` compares before and after. 2 MB while it runs.
 *
 * The zone is part of a cylinder in pixels of 2 mm round the axis x = 0, y = 20. Every ray is read at steps of 1 mm and
 * averaged with its neighbours (1 2 1, in all three directions). The skin is where the profile has risen half of the way
 * from the air to the brightest of the 6 mm behind, so that a change of the grey values' scale does not move it.
 *
 * @example
 * const rays = castRays(volume, pose, 1, FACE);
 * rays.values[100 * ray + 57]; // 57 mm from the start of a ray
 */
import { type Affine, at, invert, multiply } from '../volume/affine.js';
import { quantile } from '../volume/statistics.js';
import type { Volume } from '../volume/volume.js';

/** Pixels on the cylinder: columns from the subject's left (x < 0) to the right, rows from the top. */
export interface Chart {
  readonly columns: number;
  readonly rows: number;
  /** Height of a pixel and, at 90 mm from the axis, its width. */
  readonly pixelMm: number;
  /** Upper edge, mm above the brain's centre. */
  readonly topMm: number;
}
/** 8 to 120 mm below the brain's centre, from over the brow to under the chin, and 56 degrees to either side. */
export const FACE: Chart = { columns: 88, rows: 56, pixelMm: 2, topMm: -8 };
/** Where a face is looked for when there is none in its place. */
export const WIDE: Chart = { columns: 44, rows: 64, pixelMm: 4, topMm: 88 };
/** What is 1 mm wide at 90 mm from the axis. */
const RADIANS_PER_MM = Math.PI / 282;
/** Where the axis stands in front of the brain's centre. */
export const AXIS_Y = 20;
/** Rays begin so far from the axis: noses of IXI val heads reach 118 mm, their cheeks lie at 52 to 99. */
export const FROM_MM = 142;
/** Steps of a ray, 1 mm each. */
export const DEEP = 100;

/**
 * Air this rough, in parts of the zone's range of values, hides the skin. Two IXI heads: as they are 0.001 to 0.004, with
 * Rician noise of 10 % of the brain's level 0.048, with salt and pepper in 15 % of the air 0.25, as MP2RAGE 0.27 to 0.43.
 */
const ROUGH_AIR = 0.26;

export interface Rays {
  /** Frame of the head to world. */
  readonly frame: Affine;
  /** Lengths in the frame are multiples of so many mm. */
  readonly scale: number;
  readonly chart: Chart;
  /** `DEEP` a ray, averaged with their neighbours. */
  readonly values: Float32Array;
  /** First and last step inside the field of view; first > last where there is none. */
  readonly first: Int16Array;
  readonly last: Int16Array;
  /** No skin can be told from the air. */
  readonly roughAir: boolean;
  readonly air: number;
  /** Above this a sample may be tissue. */
  readonly least: number;
  /** Typical of tissue; NaN where there is none. */
  readonly tissue: number;
}

/** Radians from straight ahead, positive to the subject's right. */
export function angleOf(chart: Chart, column: number): number {
  return (column + 0.5 - chart.columns / 2) * chart.pixelMm * RADIANS_PER_MM;
}

/** Radians of a distance across at 90 mm from the axis. */
export function turnOf(mm: number): number {
  return mm * RADIANS_PER_MM;
}

export function heightOf(chart: Chart, row: number): number {
  return chart.topMm - (row + 0.5) * chart.pixelMm;
}

/** A ray in voxels: its point on the axis, and its step outwards by 1 mm of the frame. */
export function rayInVoxels(
  toVoxel: Affine,
  chart: Chart,
  scale: number,
  ray: number,
): readonly [number, number, number, number, number, number] {
  const angle = angleOf(chart, ray % chart.columns);
  const z = scale * heightOf(chart, Math.floor(ray / chart.columns));
  const y = scale * AXIS_Y;
  const [dx, dy] = [scale * Math.sin(angle), scale * Math.cos(angle)];
  const start = (i: number): number => at(toVoxel, i, 1) * y + at(toVoxel, i, 2) * z + at(toVoxel, i, 3);
  const step = (i: number): number => at(toVoxel, i, 0) * dx + at(toVoxel, i, 1) * dy;
  return [start(0), start(1), start(2), step(0), step(1), step(2)];
}

export function castRays(volume: Volume, frame: Affine, scale: number, chart: Chart): Rays {
  const count = chart.columns * chart.rows;
  const values = new Float32Array(count * DEEP);
  const first = new Int16Array(count);
  const last = new Int16Array(count);
  const toVoxel = multiply(invert(volume.grid.affine), frame);
  const { shape } = volume.grid;
  for (let ray = 0; ray < count; ray++) {
    const line = rayInVoxels(toVoxel, chart, scale, ray);
    let [from, to] = [0, DEEP - 1];
    for (let axis = 0; axis < 3; axis++) {
      const [p, d, end] = [line[axis] as number, line[axis + 3] as number, (shape[axis] as number) - 1];
      if (Math.abs(d) < 1e-9) {
        if (p < 0 || p > end) to = -1;
        continue;
      }
      const [a, b] = [FROM_MM - (0 - p) / d, FROM_MM - (end - p) / d];
      from = Math.max(from, Math.ceil(Math.min(a, b) - 1e-6));
      to = Math.min(to, Math.floor(Math.max(a, b) + 1e-6));
    }
    first[ray] = from;
    last[ray] = to;
    if (from > to) continue;
    readLine(volume, line, from, to, values, ray * DEEP);
    // What lies outside the field of view is like its edge, so that averaging pulls nothing in.
    values.fill(values[ray * DEEP + from] as number, ray * DEEP, ray * DEEP + from);
    values.fill(values[ray * DEEP + to] as number, ray * DEEP + to + 1, (ray + 1) * DEEP);
  }
  const seen = { frame, scale, chart, values, first, last };
  const roughAir = hasRoughAir(seen);
  smoothAcross(seen);
  return { ...seen, roughAir, ...levels(seen) };
}

/** Trilinear values along a line; in a function of its own because it is where the time goes. */
function readLine(
  volume: Volume,
  [px, py, pz, ux, uy, uz]: readonly [number, number, number, number, number, number],
  from: number,
  to: number,
  out: Float32Array,
  base: number,
): void {
  const { data } = volume;
  const [nx, ny, nz] = volume.grid.shape;
  const [lx, ly, lz] = [Math.max(0, nx - 2), Math.max(0, ny - 2), Math.max(0, nz - 2)];
  const ex = nx > 1 ? 1 : 0;
  const ey = ny > 1 ? nx : 0;
  const ez = nz > 1 ? nx * ny : 0;
  const [sy, sz] = [nx, nx * ny];
  for (let s = from; s <= to; s++) {
    const t = FROM_MM - s;
    const x = px + ux * t;
    const y = py + uy * t;
    const z = pz + uz * t;
    let i = x | 0;
    let j = y | 0;
    let k = z | 0;
    if (i > lx) i = lx;
    if (j > ly) j = ly;
    if (k > lz) k = lz;
    const fx = x - i;
    const fy = y - j;
    const fz = z - k;
    const q = i + sy * j + sz * k;
    const a = data[q] as number;
    const b = data[q + ey] as number;
    const c = data[q + ez] as number;
    const d = data[q + ey + ez] as number;
    const a1 = a + ((data[q + ex] as number) - a) * fx;
    const b1 = b + ((data[q + ey + ex] as number) - b) * fx;
    const c1 = c + ((data[q + ez + ex] as number) - c) * fx;
    const d1 = d + ((data[q + ey + ez + ex] as number) - d) * fx;
    const u = a1 + (b1 - a1) * fy;
    const v = u + (c1 + (d1 - c1) * fy - u) * fz;
    out[base + s] = v - v === 0 ? v : 0;
  }
}

type Seen = Pick<Rays, 'chart' | 'values' | 'first' | 'last'>;

/** Values of the outermost steps in the field of view, of every third ray: air, unless the scan cuts the head. */
function outermost({ first, last }: Seen, value: (o: number) => number): Float32Array {
  const out = new Float32Array(first.length * 2);
  let n = 0;
  for (let ray = 0; ray < first.length; ray += 3) {
    const from = first[ray] as number;
    if ((last[ray] as number) - from < 20) continue;
    for (let s = from + 1; s < from + 9; s += 2) out[n++] = value(ray * DEEP + s);
  }
  return out.subarray(0, n);
}

/** Every 31st value in the field of view. */
function sampled({ values, first, last }: Seen): Float32Array {
  const out = new Float32Array(Math.ceil(values.length / 31));
  let n = 0;
  for (let o = 7; o < values.length; o += 31) {
    const ray = Math.floor(o / DEEP);
    const s = o - ray * DEEP;
    if (s >= (first[ray] as number) && s <= (last[ray] as number)) out[n++] = values[o] as number;
  }
  return out.subarray(0, n);
}

/** Pixels between values whose noise is compared: 4 mm, farther than two voxels of most scans. */
const APART = 2;

/** How much a value differs from its neighbours' mean across the rays, the lesser of both ways: noise does, a surface hardly. */
function roughness({ chart: { columns, rows }, values }: Seen, o: number): number {
  const s = o % DEEP;
  const [c, r] = [((o - s) / DEEP) % columns, Math.floor(o / (DEEP * columns))];
  const value = (x: number, y: number): number =>
    values[
      s + DEEP * (Math.max(0, Math.min(columns - 1, x)) + columns * Math.max(0, Math.min(rows - 1, y)))
    ] as number;
  const twice = 2 * (values[o] as number);
  return Math.min(
    Math.abs(twice - value(c - APART, r) - value(c + APART, r)),
    Math.abs(twice - value(c, r - APART) - value(c, r + APART)),
  );
}

/** Whether the air is so rough that no level tells it from tissue. To be asked before values are averaged. */
function hasRoughAir(seen: Seen): boolean {
  const outer = outermost(seen, (o) => roughness(seen, o));
  let [sum, moving] = [0, 0];
  for (const v of outer) {
    sum += v;
    if (v > 0) moving++;
  }
  const all = sampled(seen);
  const range = quantile(all, 0.95) - quantile(all, 0.05);
  return moving > 0.5 * outer.length && sum > ROUGH_AIR * range * outer.length;
}

/** 1 2 1 along both directions of the pixels, in place; rays outside the field of view give nothing. */
function smoothAcross({ chart: { columns, rows }, values, first, last }: Seen): void {
  const before = new Float32Array(DEEP);
  const pass = (step: number, count: number, starts: number, between: number): void => {
    for (let n = 0; n < starts; n++) {
      let known = false;
      for (let i = 0; i < count; i++) {
        const ray = n * between + i * step;
        const next = ray + step;
        if ((first[ray] as number) > (last[ray] as number)) {
          known = false;
          continue;
        }
        const base = ray * DEEP;
        const after = i + 1 < count && (first[next] as number) <= (last[next] as number) ? next * DEEP : base;
        if (!known) before.set(values.subarray(base, base + DEEP));
        known = true;
        for (let s = 0; s < DEEP; s++) {
          const own = values[base + s] as number;
          values[base + s] = 0.25 * (before[s] as number) + 0.5 * own + 0.25 * (values[after + s] as number);
          before[s] = own;
        }
      }
    }
  };
  pass(1, columns, rows, columns);
  pass(columns, rows, columns, 1);
  for (let base = 0; base < values.length; base += DEEP) {
    let own = values[base] as number;
    let previous = own;
    for (let o = base; o < base + DEEP - 1; o++) {
      const next = values[o + 1] as number;
      values[o] = 0.25 * previous + 0.5 * own + 0.25 * next;
      previous = own;
      own = next;
    }
  }
}

/** What is this far above the air, in parts of tissue, and by 5 deviations of the air's noise, may be skin. */
const SKIN_SHARE = 0.2;
/** Outermost values this far up the zone's range are the head that the scan cuts off (a nose that is folded over), not air. */
const CUT_SHARE = 0.15;

function levels(seen: Seen): Pick<Rays, 'air' | 'least' | 'tissue'> {
  const { values } = seen;
  const all = sampled(seen);
  const high = quantile(all, 0.95);
  const dark = quantile(all, 0.05);
  const outer = outermost(seen, (o) => values[o] as number);
  const middle = quantile(outer, 0.5);
  const cut = middle > dark + CUT_SHARE * (high - dark);
  const still = cut ? outer.filter((v) => v <= dark + CUT_SHARE * (high - dark)) : outer;
  const air = still.length === 0 ? dark : cut ? quantile(still, 0.5) : middle;
  const noise =
    1.4826 *
    quantile(
      still.map((v) => Math.abs(v - air)),
      0.5,
    );
  const spread = Number.isFinite(noise) ? noise : 0;
  const bright = air + Math.max(6 * spread, 0.1 * (high - air));
  const tissue = quantile(
    all.filter((v) => v > bright),
    0.5,
  );
  const least = air + Math.max(5 * spread, SKIN_SHARE * (tissue - air));
  return { air, least, tissue };
}
