/**
 * Whether a map of depths shows a face, and where: its relief is laid over the mean relief of the 113 training heads
 * at every shift and correlated. Nose and eye sockets decide; a person's own features hardly count.
 *
 * Correlations on 18 IXI val heads: a face in its place 0.80 to 0.92, turned by 10 degrees 0.61 to 0.90; the back of the
 * head, its top and its underside up to 0.68; what deface and quickshear leave up to 0.52.
 *
 * @example
 * const { value, up, right } = faceLikeness(reliefMap(depth, FACE)); // 0.85, 4, 0
 */
import { MEAN_FACE_BASE64 } from './face-likeness-data.js';
import { type Chart, FACE } from './face-rays.js';

/** Edge of a block of the maps that are compared. */
export const BLOCK_MM = 4;
const TEMPLATE_ROWS = (FACE.rows * FACE.pixelMm) / BLOCK_MM;
const TEMPLATE_COLUMNS = (FACE.columns * FACE.pixelMm) / BLOCK_MM;
/** Rows of brow, eyes and nose: an open mouth or teeth without signal spoil what is below (a child of 3: 0.47, these rows 0.72). */
const UPPER_ROWS = 17;
/** Blocks that must overlap for the upper part to count; a quarter more for the whole. */
const LEAST_UPPER = 200;
/** Depths are measured from their mean over (2 x 4 + 1) blocks each way, and count no more than this. */
const HALF_WINDOW = 4;
export const RELIEF_CAP_MM = 5;
/** Stored relief: tenths of a mm and -128 for "none", one byte each. */
export const NO_RELIEF = -128;

export interface ReliefMap {
  readonly rows: number;
  readonly columns: number;
  /** Height of the upper edge, mm. */
  readonly topMm: number;
  /** mm outwards; NaN: no skin. */
  readonly relief: Float32Array;
}

export interface Likeness {
  /** Correlation, -1 to 1; -1 where too little is seen. */
  readonly value: number;
  /** Where the face lies, mm up from its place and mm (at 90 mm from the axis) to the right. */
  readonly up: number;
  readonly right: number;
}

/** @param depth of the chart's rays, mm from where they start */
export function reliefMap(depth: Float32Array, chart: Chart): ReliefMap {
  const k = BLOCK_MM / chart.pixelMm;
  const [rows, columns] = [chart.rows / k, chart.columns / k];
  const blocks = new Float32Array(rows * columns).fill(Number.NaN);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      let [sum, n] = [0, 0];
      for (let y = r * k; y < (r + 1) * k; y++)
        for (let x = c * k; x < (c + 1) * k; x++) {
          const d = depth[x + chart.columns * y] as number;
          if (Number.isNaN(d)) continue;
          sum += d;
          n++;
        }
      if (2 * n >= k * k) blocks[c + columns * r] = sum / n;
    }
  const relief = blocks.map((d, o) => {
    if (Number.isNaN(d)) return d;
    const [c, r] = [o % columns, Math.floor(o / columns)];
    let [sum, n] = [0, 0];
    for (let y = Math.max(0, r - HALF_WINDOW); y <= Math.min(rows - 1, r + HALF_WINDOW); y++)
      for (let x = Math.max(0, c - HALF_WINDOW); x <= Math.min(columns - 1, c + HALF_WINDOW); x++) {
        const other = blocks[x + columns * y] as number;
        if (Number.isNaN(other)) continue;
        sum += other;
        n++;
      }
    return Math.max(-RELIEF_CAP_MM, Math.min(RELIEF_CAP_MM, sum / n - d));
  });
  return { rows, columns, topMm: chart.topMm, relief };
}

let mean: Float32Array | undefined;

function meanFace(): Float32Array {
  mean ??= Float32Array.from(atob(MEAN_FACE_BASE64), (c) => {
    const tenths = (c.charCodeAt(0) << 24) >> 24;
    return tenths === NO_RELIEF ? Number.NaN : tenths / 10;
  });
  return mean;
}

/** Shifts searched of a map of the face's zone, in blocks; a larger map is searched from end to end. */
const [REACH_DOWN, REACH_ACROSS] = [6, 4];

/** @param least blocks that must overlap */
export function faceLikeness(map: ReliefMap, least = LEAST_UPPER): Likeness {
  const place = Math.round((map.topMm - FACE.topMm) / BLOCK_MM);
  const side = (map.columns - TEMPLATE_COLUMNS) >> 1;
  const spare = map.rows - TEMPLATE_ROWS;
  const [from, to] = spare > 0 ? [0, spare] : [place - REACH_DOWN, place + REACH_DOWN];
  let best: Likeness = { value: -1, up: 0, right: 0 };
  for (let down = from; down <= to; down++)
    for (let across = -REACH_ACROSS; across <= REACH_ACROSS; across++) {
      const value = correlation(map, down, side + across, least);
      if (value > best.value) best = { value, up: (place - down) * BLOCK_MM, right: across * BLOCK_MM };
    }
  return best;
}

/** Of the map with the mean face laid over it; the greater of the whole and the upper part. */
function correlation(
  { rows, columns, relief }: ReliefMap,
  down: number,
  across: number,
  least: number,
): number {
  const face = meanFace();
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  let best = -1;
  const current = (): number => {
    const covariance = sab - (sa * sb) / n;
    return covariance / Math.sqrt((saa - (sa * sa) / n) * (sbb - (sb * sb) / n) + 1e-9);
  };
  for (let r = 0; r < TEMPLATE_ROWS; r++) {
    if (r === UPPER_ROWS && n >= least) best = current();
    const row = r + down;
    if (row < 0 || row >= rows) continue;
    for (let c = 0; c < TEMPLATE_COLUMNS; c++) {
      const column = c + across;
      // The outermost blocks are half seen by the window that relief is measured from.
      if (column < HALF_WINDOW || column >= columns - HALF_WINDOW) continue;
      const a = face[c + TEMPLATE_COLUMNS * r] as number;
      const b = relief[column + columns * row] as number;
      if (Number.isNaN(a) || Number.isNaN(b)) continue;
      n++;
      sa += a;
      sb += b;
      saa += a * a;
      sbb += b * b;
      sab += a * b;
    }
  }
  return n >= 1.25 * least ? Math.max(best, current()) : best;
}
