/**
 * The sites of CP-MAE's code lattice on the trimmed model grid, 32 mm each.
 *
 * @example
 * const sites = siteMeans(brainBlocks(gamma)); // [2, 8, 8, 6]
 */

/** Sites of the code lattice, 32 mm each: right-left, back-front, down-up. */
export const SITES = { x: 6, y: 8, z: 8, count: 384 } as const;

/** Means of 8^3 blocks: [2, 64, 64, 48] to [2, 8, 8, 6]. */
export function siteMeans(blocks: Float32Array): Float32Array {
  const out = new Float32Array(2 * SITES.count);
  for (let v = 0; v < blocks.length; v++) {
    const x = v % 48;
    const y = ((v / 48) | 0) % 64;
    const rest = (v / (48 * 64)) | 0;
    const z = rest % 64;
    const channel = (rest / 64) | 0;
    const o = (x >> 3) + SITES.x * ((y >> 3) + SITES.y * ((z >> 3) + SITES.z * channel));
    out[o] = (out[o] as number) + (blocks[v] as number) / 512;
  }
  return out;
}
