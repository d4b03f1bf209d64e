/**
 * What a drawn head is made of, and how it looks in another contrast.
 *
 * @example
 * const there = recoloured(head, tissues, levels); // brain levels of the scan at hand
 */

import type { TissueLevels } from '../brain/protocol.js';
import { BODY_TISSUES } from '../brain/relaxation.js';
import type { Volume } from '../volume/volume.js';

/** Tissues of a drawn head on its own grid; numbers are places in `BODY_TISSUES`. */
export interface DrawnTissues {
  /** The tissue that has most of the voxel. */
  readonly first: Uint8Array;
  /** The one that has the rest; the same where there is but one. */
  readonly second: Uint8Array;
  /** What the second has of the voxel, 0 to 128 of 255. */
  readonly share: Uint8Array;
  /** How bright each is in the contrast that the head is drawn in, brain levels. */
  readonly levels: TissueLevels;
}

/** A head as a method draws it: brain levels in the contrast of the heads that it learnt from. */
export interface DrawnHead extends Volume {
  /** Absent where a method does not know them: its heads have one contrast. Made when asked for. */
  tissues?(): Promise<DrawnTissues>;
}

/**
 * Fluids are dark in the contrast learnt and bright in others: their grain would grow with them. They lie against nothing
 * that is air, so no edge depends on it.
 */
const STILL = new Set(['eye', 'fluid']);
const MOST_GRAIN = 1.5;
/** Darker than this share of a fluid's level something is air after all: it goes to 0 as it does in other tissues. */
const AIR_OF_FLUID = 0.5;

/**
 * A voxel keeps its place between air (0) and its tissue's level, so edges, partial volumes and grain stay as they are drawn.
 * @param levels of the scan at hand, brain levels @returns on the head's grid; the head is left as it is
 */
export function recoloured(head: Volume, tissues: DrawnTissues, levels: TissueLevels): Volume {
  const from = BODY_TISSUES.map((tissue) => tissues.levels[tissue]);
  const to = BODY_TISSUES.map((tissue) => levels[tissue]);
  const grain = BODY_TISSUES.map((tissue, t) => {
    const factor = (to[t] as number) / (from[t] as number);
    return STILL.has(tissue) ? Math.min(factor, MOST_GRAIN) : factor;
  });
  const { first, second, share } = tissues;
  const data = new Float32Array(head.data.length);
  for (let v = 0; v < data.length; v++) {
    const value = head.data[v] as number;
    if (!(value > 0)) continue;
    const a = first[v] as number;
    const b = second[v] as number;
    const part = (share[v] as number) / 255;
    const learnt = (from[a] as number) * (1 - part) + (from[b] as number) * part;
    const there = (to[a] as number) * (1 - part) + (to[b] as number) * part;
    const slope = (grain[a] as number) * (1 - part) + (grain[b] as number) * part;
    const still = STILL.has(BODY_TISSUES[a] as string);
    const edge = AIR_OF_FLUID * learnt;
    data[v] = still
      ? Math.max(0, there + (Math.max(value, edge) - learnt) * slope) * Math.min(1, value / edge)
      : (value * there) / learnt;
  }
  return { grid: head.grid, data };
}
