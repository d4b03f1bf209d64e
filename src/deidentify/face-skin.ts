/**
 * Where rays meet the skin.
 *
 * @example
 * const { depth } = skinOf(castRays(volume, pose, 1, FACE));
 * riseNear(after, ray, depth[ray], 1); // whether it stands there in another volume
 */
import { DEEP, type Rays } from './face-rays.js';

/** Steps of air in front of the skin, and of tissue behind it. */
const LEAST_STEPS = 3;
/** Steps of air in front of folded skin: more than a skull is thick. */
const GAP_STEPS = 12;
/** The skin is where the profile has risen by this share to the brightest of the steps behind. */
export const RISE = 0.5;
/** Steps behind it that are looked at. */
const BEHIND = 6;

export interface Skin {
  /** Steps from the start of the ray, between samples; NaN: none. */
  readonly depth: Float32Array;
  /** 1 where the ray begins in tissue: the scan cuts the head there. */
  readonly cut: Uint8Array;
}

/** The outermost skin of each ray. */
export function skinOf(rays: Rays, rise = RISE): Skin {
  const { values, first, last, least } = rays;
  const depth = new Float32Array(first.length).fill(Number.NaN);
  const cut = new Uint8Array(first.length);
  for (let ray = 0; ray < first.length; ray++) {
    const base = ray * DEEP;
    const [from, to] = [first[ray] as number, last[ray] as number];
    let run = 0;
    for (let s = from; s <= to; s++) {
      if (!((values[base + s] as number) >= least)) {
        run = 0;
        continue;
      }
      if (++run < LEAST_STEPS) continue;
      const start = s - LEAST_STEPS + 1;
      if (start - from < LEAST_STEPS) cut[ray] = 1;
      else depth[ray] = riseAt(rays, base, start, to, rise);
      break;
    }
  }
  return { depth, cut };
}

function riseAt({ values, air }: Rays, base: number, start: number, end: number, rise: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let s = start; s <= Math.min(end, start + BEHIND); s++)
    top = Math.max(top, values[base + s] as number);
  const level = air + rise * (top - air);
  let s = start - 1;
  while (s < end - 1 && (values[base + s + 1] as number) < level) s++;
  const [a, b] = [values[base + s] as number, values[base + s + 1] as number];
  return a >= level ? s : s + (level - a) / (b - a);
}

/**
 * The skin of what a scan's end cuts off and folds over: each ray followed outwards from where it leaves the field of
 * view, through tissue to the first air.
 */
export function foldedSkinOf(rays: Rays): Float32Array {
  const { values, first, last, air, least } = rays;
  const depth = new Float32Array(first.length).fill(Number.NaN);
  for (let ray = 0; ray < first.length; ray++) {
    const base = ray * DEEP;
    const [from, to] = [first[ray] as number, last[ray] as number];
    // A ray that ends at the axis is not cut.
    if (to >= DEEP - 1 || to - from < 2 * LEAST_STEPS) continue;
    let s = to;
    while (s >= from && (values[base + s] as number) >= least) s--;
    if (to - s < LEAST_STEPS || s - from < GAP_STEPS) continue;
    let gap = 0;
    while (gap < GAP_STEPS && (values[base + s - gap] as number) < air + 0.5 * (least - air)) gap++;
    if (gap >= GAP_STEPS - 1) depth[ray] = riseAt(rays, base, s + 1, to, RISE);
  }
  return depth;
}

/** In front of a surface it is darker than this share of what is behind. */
const DARK_SHARE = 0.35;

/** How far the profile has risen at `depth` to the brightest of the steps behind: 0 to 1; NaN where nothing rises. */
export function riseAtDepth(rays: Rays, ray: number, depth: number): number {
  const { values, air, least } = rays;
  const base = ray * DEEP;
  const s = Math.max(0, Math.min(DEEP - 2, Math.floor(depth)));
  let top = Number.NEGATIVE_INFINITY;
  for (let t = s; t <= Math.min(DEEP - 1, s + 1 + BEHIND); t++)
    top = Math.max(top, values[base + t] as number);
  if (!(top >= least)) return Number.NaN;
  const [a, b] = [values[base + s] as number, values[base + s + 1] as number];
  return (a + (b - a) * (depth - s) - air) / (top - air);
}

/** Where the profile rises from air to tissue within `reach` steps of `depth`, nearest to it; NaN: nowhere. */
export function riseNear(rays: Rays, ray: number, depth: number, reach: number, rise = RISE): number {
  const { values, air, least } = rays;
  const base = ray * DEEP;
  const middle = Math.round(depth);
  const value = (s: number): number => values[base + Math.max(0, Math.min(DEEP - 1, s))] as number;
  const wide = Math.ceil(reach);
  let top = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  for (let s = middle - 1; s <= middle + BEHIND; s++) top = Math.max(top, value(s));
  for (let s = middle - LEAST_STEPS - wide; s <= middle; s++) low = Math.min(low, value(s));
  if (!(top >= least)) return Number.NaN;
  if (low - air > DARK_SHARE * (top - air)) return Number.NaN;
  const level = air + rise * (top - air);
  let best = Number.NaN;
  for (let s = middle - wide - 1; s <= middle + wide; s++) {
    const [a, b] = [value(s), value(s + 1)];
    if (!(a < level && b >= level)) continue;
    const found = s + (level - a) / (b - a);
    if (Math.abs(found - depth) <= reach && !(Math.abs(found - depth) >= Math.abs(best - depth)))
      best = found;
  }
  return best;
}
