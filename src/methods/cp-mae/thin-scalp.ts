/**
 * Thickens skull and scalp where a drawn head leaves its brain all but bare: one draw in some forty whose drawn thickness
 * is small where the fit to the brain is poor. What `guardScalp` lays on there follows the brain's gyri, and shows as bumps.
 *
 * @example
 * const missing = bareness(skinRadii(brain, 1, pose), skinRadii(drawn, 1, pose));
 * const thickness = thickened(free, missing);
 */
import { RINGS, ROUND } from '../../brain/cranium.js';
import { MIN_SCALP_MM } from '../learned-head/scalp.js';
import { smoothed, tabled } from './meet-cranium.js';
import type { Thickness } from './scalp-thickness.js';

/** So many voxels of 2 mm laid on are seen; on val heads they were 0 to 20, and 309 on the one with bumps (N = 14). */
export const SEEN_VOXELS = 60;
/** Radii are not distances: skin that slopes is nearer than along the ray. */
const SLOPE_MM = 2;

/**
 * By how much skin along a ray from the brain's centre is nearer to the brain than a scalp is thick.
 * @param brain radii of the brain's surface, [RINGS x ROUND], NaN where not known @param skin of the drawn skin
 * @returns millimetres, 0 where there is enough
 */
export function bareness(brain: Float32Array, skin: Float32Array): Float32Array {
  return brain.map((b, i) => {
    const missing = b + MIN_SCALP_MM + SLOPE_MM - (skin[i] as number);
    return missing > 0 ? missing : 0;
  });
}

/** Adds what is missing, spread over about 30 degrees: the forehead comes forward as a whole. */
export function thickened(free: Thickness, missing: Float32Array): Thickness {
  let table = new Float32Array(missing.length);
  for (let ring = 0; ring < RINGS; ring++)
    for (let place = 0; place < ROUND; place++)
      for (let dr = -1; dr <= 1; dr++)
        for (let dp = -3; dp <= 3; dp++) {
          const r = Math.min(RINGS - 1, Math.max(0, ring + dr));
          const value = missing[r * ROUND + ((place + dp + ROUND) % ROUND)] as number;
          const at = ring * ROUND + place;
          table[at] = Math.max(table[at] as number, value);
        }
  for (let pass = 0; pass < 4; pass++) table = smoothed(table) as typeof table;
  const extra = tabled(table);
  return (x, y, z) => free(x, y, z) + extra(x, y, z);
}
