/**
 * Joins a drawn head to a cranium that stays: how much thicker or thinner the drawn shell must become so that its skin
 * meets the skin that is kept, and how that dies away below, where the face is drawn freely.
 *
 * @example
 * const missing = kept.map((r, i) => r - drawn[i]); // radii of the kept and of the drawn skin, see skinRadii
 * const thickness = meetCranium(missing, drawThickness(random));
 */
import { directionOf, RINGS, ROUND } from '../../brain/cranium.js';
import type { Thickness } from './scalp-thickness.js';

/** The shell bears no more than this. */
const [THINNER_MM, THICKER_MM] = [-6, 20];
/** Below the last kept ring the correction falls to half over about 24 degrees, brow to upper lip. */
const FADE_RINGS = 3;

/** Means with the neighbours on a ring and between rings, past what is not known. */
export function smoothed(values: Float32Array): Float32Array {
  const out = new Float32Array(values.length).fill(Number.NaN);
  for (let ring = 0; ring < RINGS; ring++)
    for (let place = 0; place < ROUND; place++) {
      if (Number.isNaN(values[ring * ROUND + place])) continue;
      let sum = 0;
      let weight = 0;
      for (let dr = -1; dr <= 1; dr++)
        for (let dp = -2; dp <= 2; dp++) {
          const r = ring + dr;
          if (r < 0 || r >= RINGS) continue;
          const value = values[r * ROUND + ((place + dp + ROUND) % ROUND)] as number;
          if (Number.isNaN(value)) continue;
          const w = 1 / (1 + dr * dr + dp * dp);
          sum += w * value;
          weight += w;
        }
      out[ring * ROUND + place] = sum / weight;
    }
  return out;
}

/**
 * @param missing millimetres by which the drawn shell is too thin, [RINGS x ROUND]; NaN where nothing is kept
 * @param free thickness where nothing is kept
 */
export function meetCranium(missing: Float32Array, free: Thickness): Thickness {
  const needed = smoothed(missing.map((mm) => Math.max(THINNER_MM, Math.min(THICKER_MM, mm))));
  const table = new Float32Array(RINGS * ROUND);
  for (let place = 0; place < ROUND; place++) {
    let last = Number.NaN;
    let gap = 0;
    for (let ring = RINGS - 1; ring >= 0; ring--) {
      const own = needed[ring * ROUND + place] as number;
      if (!Number.isNaN(own)) [last, gap] = [own, 0];
      else gap++;
      const drawnFreely = free(...directionOf(ring, place));
      const share = Number.isNaN(last) ? 0 : Math.exp(-Math.LN2 * (gap / FADE_RINGS) ** 2);
      table[ring * ROUND + place] = (Number.isNaN(last) ? 0 : share * last) + (1 - share) * drawnFreely;
    }
  }
  return tabled(table);
}

/** Linear between the directions of a table of [RINGS x ROUND]. */
export function tabled(table: Float32Array): Thickness {
  return (x, y, z) => {
    const ring = ((Math.asin(Math.max(-1, Math.min(1, z))) + Math.PI / 2) / Math.PI) * (RINGS - 1);
    const place = ((Math.atan2(x, y) / (2 * Math.PI) + 1) % 1) * ROUND;
    const r0 = Math.min(RINGS - 2, Math.floor(ring));
    const p0 = Math.floor(place) % ROUND;
    const fr = ring - r0;
    const fp = place - Math.floor(place);
    const at = (r: number, p: number): number => table[r * ROUND + (p % ROUND)] as number;
    return (
      (at(r0, p0) * (1 - fp) + at(r0, p0 + 1) * fp) * (1 - fr) +
      (at(r0 + 1, p0) * (1 - fp) + at(r0 + 1, p0 + 1) * fp) * fr
    );
  };
}
