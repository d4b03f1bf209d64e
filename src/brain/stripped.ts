/**
 * Whether a scan holds a brain and nothing round it: skull-stripped already. It has no face to replace, and the networks, which
 * were taught on heads, take its grey matter for scalp.
 *
 * @example
 * const ml = strippedBrainMl(reducedScan(volume)); // 1510, or undefined for a head
 */
import { largestComponent } from '../volume/components.js';
import { fillHoles } from '../volume/morphology.js';
import { type Mask, type Volume, voxelMillilitres } from '../volume/volume.js';
import { MAX_MILLILITRES, MIN_MILLILITRES, measureMask } from './plausibility.js';

/** Of 1 for bright tissue. */
const TISSUE = 0.1;
/** Correlation of all tissue with the average brain: 4 stripped IXI heads 0.990 and more; 18 whole ones and 13 of HEADS.md 0.943 and less, a fruit 0.941. */
const LEAST_CORRELATION = 0.97;

/** @param scan `reducedScan`: 0 at air, 1 at bright tissue  @returns millilitres of the brain; undefined where there is more, or less */
export function strippedBrainMl(scan: Volume): number | undefined {
  const raw: Mask = { grid: scan.grid, data: new Uint8Array(scan.data.length) };
  let set = 0;
  for (let o = 0; o < raw.data.length; o++)
    if ((scan.data[o] as number) > TISSUE) {
      raw.data[o] = 1;
      set++;
    }
  const tissueMl = set * voxelMillilitres(scan.grid);
  if (tissueMl < MIN_MILLILITRES / 2 || tissueMl > MAX_MILLILITRES) return undefined;
  const { millilitres, fit } = measureMask(fillHoles(largestComponent(raw)));
  const brainlike = millilitres >= MIN_MILLILITRES && millilitres <= MAX_MILLILITRES;
  return brainlike && fit.correlation >= LEAST_CORRELATION ? millilitres : undefined;
}
